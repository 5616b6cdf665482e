package import Journaling
import NIOCore
import Wire

/// Turns TCP segments in the order of a capture into connections: bytes of each side in order, gaps where bytes are
/// missing, ends. Bytes that came first stay; nothing is guessed. Memory is bounded by `limits` (trust.md L15).
package struct Reassembler: ~Copyable {
    let sink: any ConnectionSink
    let limits: Limits
    var table = FlowTable()
    var flows: [Flow] = []
    /// Two a flow, the lower end's first.
    var halves: [HalfStream] = []
    var tails = TailStore()
    var free: [Int] = []
    /// Flows that are over, oldest first; their places are taken first.
    var closed: [(flow: Int, generation: UInt32)] = []
    var closedHead = 0
    var line = WaitingLine()
    /// Bytes that wait, of all flows.
    var waiting = 0
    var hand = 0
    var nextID: Connection.ID = 1
    var nextGeneration: UInt32 = 0
    /// Small segments share one buffer for as long as nobody keeps it.
    var scratch = ByteBuffer()
    var packet: UInt64 = 0
    var time: WallTime = 0
    var clock: WallTime = .min
    var tally = Tally()
    /// `chat.pcap`, for the place of a note.
    var name: String
    private var notes = 0

    package struct Tally: Sendable, Equatable {
        /// Told to the sink.
        package var connections: UInt64 = 0
        /// Calls that nobody answered, or that were refused.
        package var unanswered: UInt64 = 0
        package var gaps: UInt64 = 0
        package var evicted: UInt64 = 0
    }
    static let mostNotes = 1_000

    package init(sink: any ConnectionSink, name: String, limits: Limits = .standard) {
        self.sink = sink
        self.name = name
        self.limits = limits
    }

    /// The next segment; `bytes` are its whole packet's.
    mutating func take(_ ends: FlowEnds, _ segment: TCPSegment, _ bytes: RawSpan, _ stamp: PacketStamp)
        throws(ImportError)
    {
        packet = stamp.number
        time = stamp.time
        clock = max(clock, time)
        while let entry = line.due(at: clock, packet: packet) { try expire(entry) }
        let (key, fromLow) = FlowKey.of(ends, segment.sourcePort, segment.targetPort)
        var flow = table.find(key)
        if segment.isSynchronize { flow = try synchronize(flow, key, fromLow, segment) }
        if flow == nil {
            // What carries nothing opens nothing: the last ACK of a connection that was forgotten, a probe.
            guard segment.count > 0 || segment.missing > 0 || segment.isFinish, !segment.isReset else { return }
            flow = try begin(key, .undecided)
        }
        guard let flow else { return }
        flows[flow].lastPacket = packet
        switch flows[flow].state {
        case .live: try live(flow, fromLow, segment, bytes)
        case .undecided: try hold(flow, fromLow, segment, bytes)
        case .closed, .free: break
        }
    }

    /// Time goes on without segments.
    mutating func pass(_ now: WallTime) throws(ImportError) {
        clock = max(clock, now)
        time = max(time, now)
        while let entry = line.due(at: clock, packet: packet) { try expire(entry) }
    }

    @inline(__always)
    private mutating func live(
        _ flow: Int, _ fromLow: Bool, _ segment: TCPSegment, _ bytes: RawSpan
    ) throws(ImportError) {
        let half = flow &* 2 &+ (fromLow ? 0 : 1)
        if segment.isReset { return try reset(flow, half, segment) }
        if segment.hasAcknowledgement { try acknowledge(flow, half ^ 1, segment.acknowledged) }
        let at = segment.isSynchronize ? segment.sequence &+ 1 : segment.sequence
        if segment.count > 0 || segment.missing > 0 {
            try accept(flow, half, at, bytes, segment.start, segment.count, segment.missing)
        }
        if segment.isFinish {
            try finish(flow, half, at &+ UInt32(truncatingIfNeeded: segment.count &+ segment.missing))
        }
    }

    // MARK: What the sink is told

    func isClient(_ flow: Int, _ half: Int) -> Bool { flows[flow].clientIsLow == (half & 1 == 0) }
    func side(_ flow: Int, _ half: Int) -> Side { isClient(flow, half) ? .client : .server }

    /// The connection's number; the sink learns of it before anything else.
    @inline(__always)
    mutating func known(_ flow: Int) throws(ImportError) -> Connection.ID {
        let id = flows[flow].id
        return id != 0 ? id : try open(flow)
    }

    private mutating func open(_ flow: Int) throws(ImportError) -> Connection.ID {
        let id = nextID
        nextID &+= 1
        flows[flow].id = id
        tally.connections += 1
        let key = flows[flow].key
        let (client, server) = flows[flow].clientIsLow ? (key.low, key.high) : (key.high, key.low)
        try sink.opened(Connection(id: id, client: client, server: server, isWhole: flows[flow].isWhole), at: time)
        return id
    }

    /// One sentence about a connection, with the packet that gave cause to it.
    mutating func note(_ flow: Int, _ sentence: String) throws(ImportError) {
        notes += 1
        guard notes <= Self.mostNotes else { return }
        let id = try known(flow)
        try sink.note(id, "\(name) packet \(packet): \(sentence)")
    }

    mutating func gap(_ flow: Int, _ half: Int, _ count: Int) throws(ImportError) {
        let id = try known(flow)
        tally.gaps += 1
        halves[half].next &+= UInt32(truncatingIfNeeded: count)
        halves[half].tail = 0
        try sink.gap(id, from: side(flow, half), count: UInt64(clamping: count), at: time)
    }

    // MARK: The end of the capture

    /// Nothing more comes: what waits is passed on behind its gaps, and every connection that still lives is gone.
    package mutating func conclude() throws(ImportError) {
        let living = flows.indices.filter { flows[$0].state == .live || flows[$0].state == .undecided }
        for flow in living.sorted(by: { flows[$0].generation < flows[$1].generation }) { try retire(flow) }
        if notes > Self.mostNotes { try sink.note(nil, "\(name): \(notes - Self.mostNotes) more notes are not listed") }
        if tally.unanswered > 0 {
            let many = tally.unanswered == 1 ? "1 call was" : "\(tally.unanswered) calls were"
            try sink.note(nil, "\(name): \(many) never answered or refused")
        }
    }
}
