import Captures
import Journaling
import NIOCore
import Wire

/// Writes down what a sink is told.
final class SinkProbe: ConnectionSink {
    enum Event: Equatable {
        case opened
        case bytes(Side, [UInt8], WallTime)
        case gap(Side, UInt64)
        case ended(Side, EndStyle)
        case gone
    }

    var events: [Event] = []
    var notes: [String] = []
    private var streams: [Side: [UInt8]] = [:]
    private var gaps: [Side: Int] = [:]

    func stream(_ side: Side) -> [UInt8] { streams[side] ?? [] }
    func gapCount(_ side: Side) -> Int { gaps[side] ?? 0 }
    func isEnded(_ side: Side) -> Bool { events.contains { if case .ended(side, _) = $0 { true } else { false } } }

    func opened(_ connection: Connection, at time: WallTime) { events.append(.opened) }
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) {
        let bytes = Array(bytes.readableBytesView)
        streams[side, default: []] += bytes
        events.append(.bytes(side, bytes, time))
    }
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) {
        gaps[side, default: 0] += 1
        events.append(.gap(side, count))
    }
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) {
        events.append(.ended(side, style))
    }
    func gone(_ id: Connection.ID, at time: WallTime) { events.append(.gone) }
    func note(_ id: Connection.ID?, _ sentence: String) { notes.append(sentence) }
}

/// Feeds one connection to a `TLSLayer`.
struct TLSRun {
    let probe = SinkProbe()
    let layer: TLSLayer
    let connection: Connection
    private var time: WallTime = 1_000

    init(_ keys: KeyLog, isWhole: Bool = true, bounds: TLSLayer.Bounds = .init()) throws {
        layer = TLSLayer(next: probe, keyLog: keys, bounds: bounds)
        connection = Connection(id: 7, client: "10.0.0.7:50412", server: "10.0.0.9:443", isWhole: isWhole)
        try layer.opened(connection, at: time)
    }

    mutating func feed(_ side: Side, _ bytes: some Collection<UInt8>) throws {
        time += 1
        try layer.bytes(connection.id, from: side, ByteBuffer(bytes: bytes), at: time)
    }

    /// Both sides end. Importers say `gone` behind that, or do not.
    mutating func end(gone: Bool = true) throws {
        for side in Side.allCases { try layer.ended(connection.id, from: side, .finish, at: time) }
        if gone { try layer.gone(connection.id, at: time) }
    }

    /// The whole exchange in pieces of at most `size` bytes.
    static func of(
        _ exchange: TLSExchange, size: Int = .max, keys: KeyLog? = nil, gone: Bool = true
    ) throws -> TLSRun {
        var run = try TLSRun(keys ?? exchange.keyLog)
        for (side, bytes) in exchange.flights {
            var rest = bytes[...]
            while !rest.isEmpty {
                try run.feed(side, rest.prefix(size))
                rest = rest.dropFirst(size)
            }
        }
        try run.end(gone: gone)
        return run
    }
}
