import Journaling
import NIOCore
import Wire

@testable import ReferenceBackend

/// The machine in virtual time, with clients whose bytes are written by hand.
struct Stage {
    static let key = "test-key"
    /// 2025-09-08, in milliseconds.
    static let epoch: Int64 = 1_757_371_363_786

    var machine: BackendMachine
    var now = Instant.zero
    var marks: [BackendMark] = []
    var effects: [BackendEffect] = []
    private var sent: [BackendConnectionID: ByteBuffer] = [:]
    private var lastID: UInt64 = 0

    init(bugs: Set<BackendBug> = [], decoys: Set<BackendDecoy> = [], seed: UInt64 = 7) {
        machine = BackendMachine(
            BackendConfiguration(bugs: bugs, decoys: decoys, key: Self.key, seed: seed, epoch: Self.epoch))
    }

    static func token(_ user: String, expires: Int64 = 3_600, key: String = Stage.key) -> String {
        JWT.sign(
            ["sub": .string(user), "exp": .number("\(epoch / 1_000 + expires)")], key: Array(key.utf8))
    }

    static func head(_ path: String = "/ws", _ fields: [String] = []) -> String {
        let lines =
            [
                "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            ] + fields
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    mutating func handle(_ event: BackendEvent) {
        var new: [BackendEffect] = []
        machine.handle(event, at: now, into: &new)
        for effect in new {
            switch effect {
            case .send(let id, let bytes): sent[id, default: ByteBuffer()].writeImmutableBuffer(bytes)
            case .mark(let mark): marks.append(mark)
            case .close, .leak: break
            }
        }
        effects += new
    }

    /// Lets time pass, waking the machine whenever it asks for it.
    mutating func pass(_ duration: Duration) {
        let end = now.advanced(by: duration)
        while let next = machine.nextWake, next <= end {
            now = max(now, next)
            handle(.wake)
        }
        now = end
    }

    mutating func dial() -> BackendConnectionID {
        lastID += 1
        handle(.opened(BackendConnectionID(lastID)))
        return BackendConnectionID(lastID)
    }

    mutating func receive(_ text: String, on id: BackendConnectionID) {
        handle(.received(id, ByteBuffer(string: text)))
    }

    /// An open connection of that user, past its greeting.
    mutating func connect(_ user: String) -> BackendConnectionID {
        let id = dial()
        receive(Self.head("/ws", ["Authorization: Bearer " + Self.token(user)]), on: id)
        pass(.milliseconds(2))
        return id
    }

    static func masked(_ opcode: Opcode, _ payload: String, fin: Bool = true) -> ByteBuffer {
        FrameWriter.bytes(
            Frame(fin: fin, opcode: opcode, maskKey: 0x0a0b_0c0d, payload: ByteBuffer(string: payload)))
    }

    mutating func say(_ text: String, on id: BackendConnectionID) { handle(.received(id, Self.masked(.text, text))) }

    /// Whatever the server has sent on a connection.
    func bytes(_ id: BackendConnectionID) -> ByteBuffer { sent[id] ?? ByteBuffer() }

    /// The answer's head and the frames behind it.
    func answer(_ id: BackendConnectionID) -> (head: String, frames: [Frame]) {
        let bytes = bytes(id)
        let text = String(buffer: bytes)
        let head = text.range(of: "\r\n\r\n").map { String(text[..<$0.upperBound]) } ?? ""
        var parser = FrameParser()
        var rest = bytes
        rest.moveReaderIndex(forwardBy: head.utf8.count)
        parser.feed(rest)
        var frames: [Frame] = []
        while case .frame(let frame, _) = parser.next() { frames.append(frame) }
        return (head, frames)
    }

    func frames(_ id: BackendConnectionID) -> [Frame] { answer(id).frames }

    func events(_ id: BackendConnectionID) -> [JSON] {
        frames(id).filter { $0.opcode == .text }.compactMap { JSON.decode($0.payload).value }
    }

    func types(_ id: BackendConnectionID) -> [String] { events(id).compactMap { $0["type"]?.string } }

    /// Kinds of the errors delivered on a connection, in order.
    func errors(_ id: BackendConnectionID) -> [String] {
        events(id).filter { $0["type"] == "error" }.compactMap { $0["error"]?.string }
    }

    func closeCode(_ id: BackendConnectionID) -> UInt16? {
        frames(id).last { $0.opcode == .close }.flatMap { CloseBody($0.payload).code }
    }

    func isReleased(_ id: BackendConnectionID) -> Bool {
        effects.contains { effect in if case .close(id) = effect { true } else { false } }
    }

    func triggered(_ decoy: BackendDecoy) -> [BackendMark] { marks.filter { $0.decoy == decoy && $0.stage == .triggered } }
    func triggered(_ bug: BackendBug) -> [BackendMark] { marks.filter { $0.bug == bug && $0.stage == .triggered } }
}

extension String {
    /// Where a piece stands first; the standard library has no such search without Foundation.
    func range(of piece: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].utf8.starts(with: piece.utf8) {
                return start..<utf8.index(start, offsetBy: piece.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
