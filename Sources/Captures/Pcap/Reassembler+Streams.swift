import Journaling
import NIOCore
import Wire

/// The two half streams of a flow: order, overlap, gaps, ends.
extension Reassembler {
    /// Takes `count` bytes at `start` of the packet, the first of which has the place `at`; `missing` more were sent.
    @inline(__always)
    mutating func accept(
        _ flow: Int, _ half: Int, _ at: UInt32, _ bytes: RawSpan, _ start: Int, _ count: Int, _ missing: Int
    ) throws(ImportError) {
        if !halves[half].isAnchored { anchor(half, at) }
        let distance = StreamPlace.distance(halves[half].next, at)
        if distance == 0, halves[half].pending.isEmpty, halves[half].style == .none {
            try deliver(flow, half, bytes, start, count)
            if missing > 0 { try gap(flow, half, missing) }
            return
        }
        try acceptOutOfTurn(flow, half, distance, at, bytes, start, count, missing)
    }

    mutating func anchor(_ half: Int, _ at: UInt32) {
        halves[half].next = at
        halves[half].first = at
        halves[half].isAnchored = true
    }

    private mutating func deliver(
        _ flow: Int, _ half: Int, _ bytes: RawSpan, _ start: Int, _ count: Int
    ) throws(ImportError) {
        guard count > 0 else { return }
        let id = try known(flow)
        let at = halves[half].next
        tails.keep(half, bytes, start, count, at: at)
        halves[half].tail = UInt16(clamping: min(Int(halves[half].tail) &+ count, TailStore.size))
        halves[half].next = at &+ UInt32(truncatingIfNeeded: count)
        let from = side(flow, half)
        if count <= 8 << 10 {
            scratch.clear(minimumCapacity: count)
            Self.copy(bytes, start, count, into: &scratch)
            try sink.bytes(id, from: from, scratch, at: time)
        } else {
            try sink.bytes(id, from: from, owned(bytes, start, count), at: time)
        }
    }

    private func owned(_ bytes: RawSpan, _ start: Int, _ count: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        Self.copy(bytes, start, count, into: &buffer)
        return buffer
    }

    @inline(__always)
    private static func copy(_ bytes: RawSpan, _ start: Int, _ count: Int, into buffer: inout ByteBuffer) {
        guard start >= 0, count > 0, count <= bytes.byteCount &- start else { return }
        let part = bytes.extracting(start..<(start &+ count))
        unsafe part.withUnsafeBytes { _ = unsafe buffer.writeBytes($0) }
    }

    func piece(_ at: UInt32, _ bytes: RawSpan, _ start: Int, _ count: Int, _ missing: Int) -> Piece {
        Piece(at: at, bytes: owned(bytes, start, count), missing: UInt32(clamping: missing))
    }

    /// Bytes that are not simply the next ones: sent again, ahead of others, or behind the end.
    private mutating func acceptOutOfTurn(
        _ flow: Int, _ half: Int, _ distance: Int, _ at: UInt32, _ bytes: RawSpan, _ start: Int, _ count: Int,
        _ missing: Int
    ) throws(ImportError) {
        guard distance.magnitude < StreamPlace.reach else {
            return try stray(flow, "bytes far outside of the stream are passed over")
        }
        let old = min(max(0, -distance), count)
        if old > 0 { try compare(flow, half, at, bytes, start, old) }
        var rest = piece(at &+ UInt32(truncatingIfNeeded: old), bytes, start &+ old, count &- old, missing)
        if distance < 0 { rest = rest.dropping(-distance &- old) }
        if halves[half].style != .none, rest.length > 0 {
            let room = StreamPlace.distance(rest.at, halves[half].end)
            if room < rest.length {
                rest = room > 0 ? rest.prefix(room) : rest.dropping(rest.length)
                try stray(flow, "bytes behind the end of the stream are passed over")
            }
        }
        guard rest.length > 0, !halves[half].isOver else { return }
        if distance <= 0, halves[half].pending.isEmpty {
            try pass(flow, half, rest)
            return try endIfReached(flow, half)
        }
        let (cost, differs) = halves[half].pending.insert(rest, from: halves[half].next)
        waiting += cost
        if differs { try tellDifference(flow, half) }
        try drain(flow, half)
        try bound(flow, half)
    }

    /// Bytes that were passed on already come again: they should be the same ones.
    private mutating func compare(
        _ flow: Int, _ half: Int, _ at: UInt32, _ bytes: RawSpan, _ start: Int, _ count: Int
    ) throws(ImportError) {
        // A keep-alive probe's one byte means nothing.
        guard count > 1 || halves[half].next &- at != 1, !halves[half].hasToldDifference else { return }
        let behind = max(0, -StreamPlace.distance(halves[half].next, at))
        let skipped = max(0, behind &- Int(halves[half].tail))
        guard skipped < count else { return }
        let place = at &+ UInt32(truncatingIfNeeded: skipped)
        if !tails.equals(half, bytes, start &+ skipped, count &- skipped, at: place) { try tellDifference(flow, half) }
    }

    private mutating func tellDifference(_ flow: Int, _ half: Int) throws(ImportError) {
        guard !halves[half].hasToldDifference else { return }
        halves[half].hasToldDifference = true
        try note(
            flow,
            "the \(side(flow, half).rawValue) sends bytes again that differ from the first ones; the first are kept")
    }

    mutating func stray(_ flow: Int, _ sentence: String) throws(ImportError) {
        guard !flows[flow].hasToldStray else { return }
        flows[flow].hasToldStray = true
        try note(flow, sentence)
    }

    /// Passes on a piece that is due.
    private mutating func pass(_ flow: Int, _ half: Int, _ piece: Piece) throws(ImportError) {
        if piece.bytes.readableBytes > 0 {
            let view = unsafe piece.bytes.withUnsafeReadableBytes { unsafe Array($0) }
            try unsafe deliver(flow, half, view.span.bytes, 0, view.count)
        }
        if piece.missing > 0 { try gap(flow, half, Int(piece.missing)) }
    }

    /// Passes on what is no longer ahead of its time.
    private mutating func drain(_ flow: Int, _ half: Int) throws(ImportError) {
        while let first = halves[half].pending.first {
            let distance = StreamPlace.distance(halves[half].next, first.at)
            guard distance <= 0 else { break }
            _ = halves[half].pending.removeFirst()
            waiting -= first.cost
            try pass(flow, half, first.dropping(-distance))
        }
        try endIfReached(flow, half)
    }

    /// What waits for one flow, and for all, stays below L15: the hole in front of it is declared a gap.
    private mutating func bound(_ flow: Int, _ half: Int) throws(ImportError) {
        while let first = halves[half].pending.first,
            halves[half].pending.cost > limits.importGapBytes || waiting > limits.importGapBytesTotal
        {
            try stray(flow, "more bytes wait behind missing ones than is kept (L15); the missing ones are given up")
            try gap(flow, half, StreamPlace.distance(halves[half].next, first.at))
            try drain(flow, half)
        }
    }

    // MARK: Acknowledgements and what they show

    @inline(__always)
    mutating func acknowledge(_ flow: Int, _ half: Int, _ at: UInt32) throws(ImportError) {
        guard halves[half].isAnchored else {
            // A SYN of the other side was seen, so its first ACK names the first byte of this one.
            return anchor(half, at)
        }
        let ahead = StreamPlace.distance(halves[half].next, at)
        if ahead > 0 { try acknowledgeUnseen(flow, half, at, ahead) }
    }

    /// The receiver has bytes that the capture does not show, or not yet.
    private mutating func acknowledgeUnseen(_ flow: Int, _ half: Int, _ at: UInt32, _ ahead: Int) throws(ImportError) {
        guard !halves[half].isOver, ahead < StreamPlace.reach else { return }
        if !halves[half].hasAcknowledged || StreamPlace.distance(halves[half].acknowledged, at) > 0 {
            halves[half].acknowledged = at
            halves[half].hasAcknowledged = true
        }
        wait(flow, half)
    }

    mutating func wait(_ flow: Int, _ half: Int) {
        guard !halves[half].isWaiting else { return }
        halves[half].isWaiting = true
        line.join(
            WaitingLine.Entry(
                flow: flow, generation: flows[flow].generation, subject: UInt8(half & 1), time: clock, packet: packet))
    }

    /// The time in which a capture may put packets out of order is over.
    mutating func expire(_ entry: WaitingLine.Entry) throws(ImportError) {
        guard flows[entry.flow].generation == entry.generation else { return }
        switch flows[entry.flow].state {
        case .undecided: if entry.subject == 2 { try decide(entry.flow) }
        case .live:
            guard entry.subject < 2 else { return }
            let half = entry.flow &* 2 &+ Int(entry.subject)
            halves[half].isWaiting = false
            try declare(entry.flow, half)
            if halves[half].style == .reset, !halves[half].isOver { try giveUp(entry.flow, half) }
        case .free, .closed: break
        }
    }

    /// What the other side acknowledged and nobody has seen will not come any more.
    func unseen(_ half: Int) -> Int {
        guard halves[half].hasAcknowledged else { return 0 }
        var ahead = StreamPlace.distance(halves[half].next, halves[half].acknowledged)
        if halves[half].style == .finish {
            ahead = min(ahead, StreamPlace.distance(halves[half].next, halves[half].end))
        }
        return max(0, ahead)
    }

    private mutating func declare(_ flow: Int, _ half: Int) throws(ImportError) {
        while unseen(half) > 0, !halves[half].isOver {
            let ahead = unseen(half)
            if let first = halves[half].pending.first {
                let hole = StreamPlace.distance(halves[half].next, first.at)
                try gap(flow, half, max(0, min(hole, ahead)))
                if hole > ahead { return }
                try drain(flow, half)
            } else {
                // One more than was seen is what a FIN counts too.
                guard ahead > 1 || halves[half].style == .finish else { return }
                try gap(flow, half, ahead)
                try endIfReached(flow, half)
            }
        }
    }

    /// Everything of this half that waits, each piece behind the gap before it.
    mutating func giveUp(_ flow: Int, _ half: Int) throws(ImportError) {
        while let first = halves[half].pending.first, !halves[half].isOver {
            let hole = StreamPlace.distance(halves[half].next, first.at)
            if hole > 0 { try gap(flow, half, hole) }
            try drain(flow, half)
        }
        guard halves[half].isAnchored, !halves[half].isOver else { return }
        try declare(flow, half)
        guard !halves[half].isOver, halves[half].style != .none else { return }
        let hole = StreamPlace.distance(halves[half].next, halves[half].end)
        if hole > 0 { try gap(flow, half, hole) }
        try endIfReached(flow, half)
    }

    // MARK: Ends

    mutating func finish(_ flow: Int, _ half: Int, _ end: UInt32) throws(ImportError) {
        if !halves[half].isAnchored { anchor(half, end) }
        let distance = StreamPlace.distance(halves[half].next, end)
        guard halves[half].style == .none, distance >= 0, distance < StreamPlace.reach else { return }
        halves[half].style = .finish
        halves[half].end = end
        try endIfReached(flow, half)
    }

    /// More than most hosts offer; what they did offer may stand before the capture.
    private static let window = 1 << 20

    mutating func reset(_ flow: Int, _ half: Int, _ segment: TCPSegment) throws(ImportError) {
        guard halves[half].isAnchored else { return try cut(flow, half) }
        let distance = StreamPlace.distance(halves[half].next, segment.sequence)
        // Both hosts pass over one that is not within the window, or anybody could end the connection (RFC 5961 section 3).
        guard 0...Self.window ~= distance else {
            return try stray(flow, "a reset \(distance < 0 ? "behind" : "far outside of") the stream is passed over")
        }
        // Behind a FIN it counts one more.
        if halves[half].isOver { return try cut(flow, half) }
        guard halves[half].style != .reset else { return }
        // A FIN before it said where the data ends.
        if halves[half].style == .none {
            halves[half].end = distance > 0 ? segment.sequence : halves[half].next
        }
        halves[half].style = .reset
        if distance > 0 { wait(flow, half) }
        try endIfReached(flow, half)
    }

    private mutating func endIfReached(_ flow: Int, _ half: Int) throws(ImportError) {
        guard halves[half].style != .none, !halves[half].isOver, flows[flow].state == .live else { return }
        guard StreamPlace.distance(halves[half].next, halves[half].end) <= 0 else { return }
        if halves[half].style == .reset { return try cut(flow, half) }
        halves[half].isOver = true
        let id = try known(flow)
        try sink.ended(id, from: side(flow, half), .finish, at: time)
        if halves[half ^ 1].isOver { close(flow) }
    }

    /// RST: neither direction goes on.
    private mutating func cut(_ flow: Int, _ half: Int) throws(ImportError) {
        let wasOver = halves[half].isOver
        halves[half].isOver = true
        guard flows[flow].id != 0 else {
            tally.unanswered += 1
            return close(flow)
        }
        try giveUp(flow, half ^ 1)
        let id = try known(flow)
        guard flows[flow].state == .live else {
            // The other side's own end closed the flow. Its reset told of both, its FIN only of itself.
            if !wasOver, halves[half ^ 1].style == .finish {
                try sink.ended(id, from: side(flow, half), .reset, at: time)
            }
            return
        }
        if !wasOver { try sink.ended(id, from: side(flow, half), .reset, at: time) }
        try sink.gone(id, at: time)
        close(flow)
    }
}
