import Journaling
import NIOCore
import Wire

@testable import Faults

extension Net {
    mutating func send(_ id: SessionID, _ direction: Direction, _ bytes: ByteBuffer) {
        if direction == .toServer { client(id, bytes) } else { server(id, bytes) }
    }

    mutating func take(_ id: SessionID, _ direction: Direction) -> ByteBuffer {
        direction == .toServer ? takeServer(id) : takeClient(id)
    }
}

extension Direction {
    /// Frames of this direction bear a mask.
    var masked: Bool { self == .toServer }
}

/// One direction of a session with one fault, and what came out at its far side.
struct Flow {
    var net: Net
    let id: SessionID
    let direction: Direction

    /// - Parameter nth: the message that the fault acts on.
    init(
        _ kind: String, _ settings: [String: [String]] = [:], _ direction: Direction, nth: Int? = nil, extensions: String? = nil,
        limits: Limits = .standard
    ) {
        let rule = Sample.rule(kind, settings) {
            $0.to = direction.destination
            $0.message = nth.map { .nth($0) }
        }
        net = Net(profile: Sample.profile(rule), limits: limits)
        self.direction = direction
        id = net.upgraded(1, user: "alice", extensions: extensions)
        for direction in Direction.allCases { _ = net.take(id, direction) }
    }

    func frame(
        _ text: String, opcode: Opcode = .text, fin: Bool = true, rsv: UInt8 = 0
    ) -> ByteBuffer { Sample.frame(text, opcode: opcode, fin: fin, rsv: rsv, masked: direction.masked) }

    mutating func send(_ frames: ByteBuffer...) { for frame in frames { net.send(id, direction, frame) } }
    mutating func taken() -> ByteBuffer { net.take(id, direction) }

    /// What a receiver that follows RFC 6455 section 5.2 reads: first byte, key and plain payload of each frame.
    mutating func frames() -> [Frame] { Self.frames(taken()) }

    static func frames(_ bytes: ByteBuffer) -> [Frame] {
        var parser = FrameParser()
        parser.feed(bytes)
        var out: [Frame] = []
        while case .frame(let frame, _) = parser.next() { out.append(frame) }
        return out
    }

    var details: [String] { net.faults(id).map { ($0.applied ? "" : "not applied: ") + $0.detail } }

    /// What the ledger leaves unexplained, in recordings with and without secrets.
    mutating func differences() -> [String] {
        let raw = net.differences(.raw)
        return raw + net.conclude().differences
    }
}
