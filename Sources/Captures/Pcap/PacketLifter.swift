package import Journaling

/// Packets in, connections out: link, network, fragments, TCP. Counts what is none of these.
package struct PacketLifter: ~Copyable {
    var streams: Reassembler
    private var fragments = FragmentTable()
    /// `chat.pcap`, for the place of a note.
    var name: String { didSet { streams.name = name } }
    package private(set) var tally = Tally()

    package struct Tally: Sendable, Equatable {
        package var packets: UInt64 = 0
        package var segments: UInt64 = 0
        /// Not TCP over IP.
        package var others: UInt64 = 0
        package var broken: UInt64 = 0
        /// Of which the capture does not even hold the headers.
        package var headless: UInt64 = 0
        /// Shorter in the capture than on the wire.
        package var cut: UInt64 = 0
        var firstBroken: UInt64 = 0
    }

    package init(sink: any ConnectionSink, name: String, limits: Limits = .standard) {
        streams = Reassembler(sink: sink, name: name, limits: limits)
        self.name = name
    }

    @inline(__always)
    mutating func take(_ stamp: PacketStamp, _ bytes: RawSpan) throws(ImportError) {
        tally.packets &+= 1
        if stamp.wireLength > bytes.byteCount { tally.cut &+= 1 }
        switch LinkLayer.content(stamp.link, bytes) {
        case .other: tally.others &+= 1
        case .cut: tally.headless &+= 1
        case .ip(let at):
            switch NetworkLayer.content(bytes, at: at, wireEnd: stamp.wireLength) {
            case .tcp(let datagram):
                try transport(datagram.key, bytes, datagram.start, datagram.end, datagram.missing, stamp)
            case .fragment(let piece):
                guard let whole = fragments.add(piece, bytes, at: stamp.time) else { return }
                try unsafe transport(piece.ends, whole.span.bytes, 0, whole.count, 0, stamp)
            case .other: tally.others &+= 1
            case .broken: broken(stamp)
            case .cut: tally.headless &+= 1
            }
        }
    }

    package var connections: UInt64 { streams.tally.connections }

    /// Time goes on without packets (live captures): what waits for missing ones waits no longer than it should.
    mutating func pass(_ time: WallTime) throws(ImportError) { try streams.pass(time) }

    @inline(__always)
    private mutating func transport(
        _ ends: FlowEnds, _ bytes: RawSpan, _ start: Int, _ end: Int, _ missing: Int, _ stamp: PacketStamp
    ) throws(ImportError) {
        switch TCPSegment.read(bytes, at: start, end: end, missing: missing) {
        case .segment(let segment):
            tally.segments &+= 1
            try streams.take(ends, segment, bytes, stamp)
        case .broken: broken(stamp)
        case .cut: tally.headless &+= 1
        }
    }

    private mutating func broken(_ stamp: PacketStamp) {
        tally.broken &+= 1
        if tally.firstBroken == 0 { tally.firstBroken = stamp.number }
    }

    /// The end of the capture: connections end, and what could not be read is told.
    package mutating func conclude() throws(ImportError) {
        try streams.conclude()
        let sink = streams.sink
        if tally.broken > 0 {
            try sink.note(
                nil,
                "\(name) packet \(tally.firstBroken): \(count(tally.broken, "packet has", "packets have")) headers that contradict themselves; this is the first"
            )
        }
        if tally.headless > 0 {
            try sink.note(
                nil, "\(name): the capture holds less than the headers of \(count(tally.headless, "packet", "packets"))"
            )
        }
        if tally.cut > 0 {
            try sink.note(
                nil,
                "\(name): \(count(tally.cut, "packet is", "packets are")) shorter here than on the wire; capture with a snap length of 262144"
            )
        }
        if fragments.unfinished > 0 {
            try sink.note(
                nil, "\(name): fragments of \(count(fragments.unfinished, "packet", "packets")) never became whole")
        }
    }

    private func count(_ number: UInt64, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }
}
