import Journaling
import NIOCore

/// Transports in memory: ordered, with FIN and RST, windows, segments and distances as the weather has it. It tells its
/// owners by `notices` and asks for time by `asks`; whoever drives it brings both.
struct MemoryNetwork {
    /// Who stands at one end of a transport.
    enum End: Sendable, Equatable {
        case line(Int)
        case link(session: Int, isServer: Bool)
        case server(Int)
    }
    struct Notice {
        enum Kind {
            case bytes(ByteBuffer)
            case finished
            case reset
            /// Everything written here was taken.
            case drained
        }
        var end: End
        var kind: Kind
    }
    enum Due {
        /// A segment of that pipe may be there.
        case segment(transport: Int, to: Int)
        case reset(transport: Int, to: Int)
    }

    private struct Flight {
        /// Nil is the FIN.
        var bytes: ByteBuffer?
        var due: Instant
    }
    /// One direction.
    private struct Pipe {
        /// Handed over, and not taken because the window is full.
        var waiting = ByteBuffer()
        var flying: [Flight] = []
        var flyingBytes = 0
        var sent: UInt64 = 0
        /// Nothing arrives before what was sent before it.
        var last = Instant.zero
        var wantsFinish = false
        var hasFinished = false
        var isRead = true
    }
    /// `pipes[1]` leads to `ends[1]`, which is the end that was dialled; an end is nil once its owner is gone.
    private struct Transport {
        var ends: [End?]
        var pipes = [Pipe(), Pipe()]
        /// Reset or lost: what is written is taken and goes nowhere.
        var isDead = false
    }

    var weather: Weather
    private(set) var notices: [Notice] = []
    private(set) var asks: [(due: Due, at: Instant)] = []
    private var transports: [Transport] = []

    init(_ weather: Weather) { self.weather = weather }

    mutating func takeNotices() -> [Notice] {
        defer { notices.removeAll(keepingCapacity: true) }
        return notices
    }
    mutating func takeAsks() -> [(due: Due, at: Instant)] {
        defer { asks.removeAll(keepingCapacity: true) }
        return asks
    }

    /// - Parameter to: nil when it is not known yet who accepts; `accept` says it.
    mutating func open(from: End, to: End?) -> Int {
        transports.append(Transport(ends: [from, to]))
        return transports.count - 1
    }

    /// False when the transport did not live to see it.
    mutating func accept(_ transport: Int, by end: End) -> Bool {
        guard !transports[transport].isDead else { return false }
        transports[transport].ends[1] = end
        return true
    }

    func hasEnd(_ transport: Int, _ end: Int) -> Bool { transports[transport].ends[end] != nil }

    /// Bytes written at that end that were not taken yet.
    func untaken(_ transport: Int, _ end: Int) -> Int { transports[transport].pipes[1 - end].waiting.readableBytes }

    /// Whether it concerns the server's end of its transport.
    func isForServer(_ due: Due) -> Bool {
        let (transport, to) =
            switch due {
            case .segment(let transport, let to), .reset(let transport, let to): (transport, to)
            }
        if case .server = transports[transport].ends[to] { return true }
        return false
    }

    // MARK: What an owner does at its end

    mutating func send(_ bytes: ByteBuffer, _ transport: Int, from end: Int, at now: Instant) {
        guard transports[transport].ends[end] != nil, !transports[transport].isDead,
            !transports[transport].pipes[1 - end].wantsFinish
        else { return }
        transports[transport].pipes[1 - end].waiting.writeImmutableBuffer(bytes)
        let jam = weather.jam()
        if jam > .zero {
            let last = transports[transport].pipes[1 - end].last
            transports[transport].pipes[1 - end].last = max(last, now).advanced(by: jam)
        }
        fly(transport, to: 1 - end, at: now)
    }

    mutating func finish(_ transport: Int, from end: Int, at now: Instant) {
        transports[transport].pipes[1 - end].wantsFinish = true
        fly(transport, to: 1 - end, at: now)
    }

    /// RST: what is under way is lost both ways, and the end is gone.
    mutating func reset(_ transport: Int, from end: Int, at now: Instant) {
        guard transports[transport].ends[end] != nil else { return }
        transports[transport].ends[end] = nil
        clear(transport)
        asks.append((.reset(transport: transport, to: 1 - end), now.advanced(by: weather.latency())))
    }

    /// The owner lets go: FIN if there was none, and what still comes is answered by RST.
    mutating func leave(_ transport: Int, _ end: Int, at now: Instant) {
        guard transports[transport].ends[end] != nil else { return }
        transports[transport].pipes[1 - end].waiting.clear()
        finish(transport, from: end, at: now)
        transports[transport].ends[end] = nil
    }

    mutating func setReads(_ transport: Int, _ end: Int, _ on: Bool, at now: Instant) {
        guard transports[transport].pipes[end].isRead != on else { return }
        transports[transport].pipes[end].isRead = on
        if on { asks.append((.segment(transport: transport, to: end), now)) }
    }

    /// The network loses both ends.
    mutating func lose(_ transport: Int, at now: Instant) {
        clear(transport)
        for end in 0...1 { asks.append((.reset(transport: transport, to: end), now.advanced(by: weather.latency()))) }
    }

    // MARK: Time

    mutating func come(_ due: Due, at now: Instant) {
        switch due {
        case .segment(let transport, let to): arrive(transport, to, at: now)
        case .reset(let transport, let to):
            guard let end = transports[transport].ends[to] else { return }
            transports[transport].ends[to] = nil
            notices.append(Notice(end: end, kind: .reset))
        }
    }

    private mutating func clear(_ transport: Int) {
        transports[transport].isDead = true
        for pipe in 0...1 {
            transports[transport].pipes[pipe].flying = []
            transports[transport].pipes[pipe].flyingBytes = 0
        }
    }

    /// Takes what fits in the window and lets it travel.
    private mutating func fly(_ transport: Int, to: Int, at now: Instant) {
        guard !transports[transport].isDead else { return }
        var pipe = transports[transport].pipes[to]
        defer { transports[transport].pipes[to] = pipe }
        while pipe.waiting.readableBytes > 0, pipe.flyingBytes < weather.window {
            let room = min(pipe.waiting.readableBytes, weather.window - pipe.flyingBytes)
            guard let bytes = pipe.waiting.readSlice(length: weather.segment(of: room, after: pipe.sent)) else { break }
            pipe.sent &+= UInt64(bytes.readableBytes)
            pipe.flyingBytes += bytes.readableBytes
            launch(bytes, &pipe, transport, to, at: now)
        }
        if pipe.waiting.readableBytes == 0, pipe.wantsFinish, !pipe.hasFinished {
            pipe.hasFinished = true
            launch(nil, &pipe, transport, to, at: now)
        }
    }

    private mutating func launch(_ bytes: ByteBuffer?, _ pipe: inout Pipe, _ transport: Int, _ to: Int, at now: Instant) {
        // Close behind one another a train of segments takes one distance, not one each.
        let due = max(pipe.last.advanced(by: .microseconds(5)), now.advanced(by: weather.latency()))
        pipe.last = due
        pipe.flying.append(Flight(bytes: bytes, due: due))
        asks.append((.segment(transport: transport, to: to), due))
    }

    private mutating func arrive(_ transport: Int, _ to: Int, at now: Instant) {
        guard transports[transport].pipes[to].isRead, let first = transports[transport].pipes[to].flying.first,
            first.due <= now
        else { return }
        transports[transport].pipes[to].flying.removeFirst()
        guard let end = transports[transport].ends[to] else { return strand(transport, to, first, at: now) }
        guard var bytes = first.bytes else { return notices.append(Notice(end: end, kind: .finished)) }
        while let next = transports[transport].pipes[to].flying.first, next.due <= now.advanced(by: .microseconds(20)),
            var more = next.bytes, weather.joinsSegments()
        {
            transports[transport].pipes[to].flying.removeFirst()
            bytes.writeBuffer(&more)
        }
        transports[transport].pipes[to].flyingBytes -= bytes.readableBytes
        notices.append(Notice(end: end, kind: .bytes(bytes)))
        // What was due while nobody read comes one by one.
        if transports[transport].pipes[to].flying.first.map({ $0.due <= now }) == true {
            asks.append((.segment(transport: transport, to: to), now))
        }
        guard transports[transport].pipes[to].waiting.readableBytes > 0 else { return }
        fly(transport, to: to, at: now)
        if transports[transport].pipes[to].waiting.readableBytes == 0, let sender = transports[transport].ends[1 - to] {
            notices.append(Notice(end: sender, kind: .drained))
        }
    }

    /// Bytes for an end that is gone are answered by RST.
    private mutating func strand(_ transport: Int, _ to: Int, _ flight: Flight, at now: Instant) {
        guard flight.bytes != nil, transports[transport].ends[1 - to] != nil else { return }
        clear(transport)
        asks.append((.reset(transport: transport, to: 1 - to), now.advanced(by: weather.latency())))
    }
}
