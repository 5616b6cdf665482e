/// Puts IP fragments together, a bounded number of packets at a time; the first bytes of a place win.
struct FragmentTable {
    private struct Key: Hashable {
        var words: SIMD4<UInt64>
        var id: UInt32
    }
    private struct Parts {
        var bytes: [UInt8] = []
        /// What is there, sorted, without touching neighbours.
        var ranges: [Range<Int>] = []
        var total: Int?
        var time: WallTime
    }
    private var open: [Key: Parts] = [:]
    /// Keys as they came; may hold some that are done.
    private var order: [Key] = []
    private var first = 0
    /// Packets that never became whole.
    private(set) var lost: UInt64 = 0

    static let mostPackets = 256
    static let mostRanges = 512
    /// A receiver gives up sooner (RFC 1122 section 3.3.2 allows 60 s and more).
    static let patience: Int64 = 60_000_000_000

    var unfinished: UInt64 { lost &+ UInt64(open.count) }

    /// The whole packet's payload when this piece completes it.
    mutating func add(_ piece: Fragment, _ bytes: RawSpan, at time: WallTime) -> [UInt8]? {
        let key = Key(
            words: SIMD4(piece.ends.sourceHigh, piece.ends.sourceLow, piece.ends.targetHigh, piece.ends.targetLow),
            id: piece.id)
        let size = max(0, piece.end &- piece.start)
        let end = piece.offset &+ size
        // A piece that the capture cut can never be filled; one that is over 64 KiB was never sent.
        guard !piece.isCut, size > 0, end <= 65_535, piece.isLast || size % 8 == 0 else { return nil }
        if let old = open[key]?.time, time &- old > Self.patience { forget(key) }
        if open[key] == nil { begin(key, time) }
        guard var parts = open.removeValue(forKey: key) else { return nil }
        fill(&parts, piece, bytes, end)
        if parts.ranges.count == 1, parts.ranges[0].lowerBound == 0, let total = parts.total,
            parts.ranges[0].upperBound >= total
        {
            return Array(parts.bytes.prefix(total))
        }
        if parts.ranges.count > Self.mostRanges { lost &+= 1 } else { open[key] = parts }
        return nil
    }

    private mutating func begin(_ key: Key, _ time: WallTime) {
        while open.count >= Self.mostPackets, first < order.count {
            forget(order[first])
            first += 1
        }
        if first > 2 * Self.mostPackets || order.count > 16 * Self.mostPackets {
            order = order[first...].filter { open[$0] != nil }
            first = 0
        }
        order.append(key)
        open[key] = Parts(time: time)
    }

    private mutating func forget(_ key: Key) {
        if open.removeValue(forKey: key) != nil { lost &+= 1 }
    }

    private func fill(_ parts: inout Parts, _ piece: Fragment, _ bytes: RawSpan, _ end: Int) {
        if piece.isLast { parts.total = parts.total ?? end }
        if parts.bytes.count < end { parts.bytes.append(contentsOf: repeatElement(0, count: end - parts.bytes.count)) }
        var at = piece.offset
        var merged = piece.offset..<end
        var kept: [Range<Int>] = []
        for range in parts.ranges {
            if at < range.lowerBound { copy(&parts, piece, bytes, at..<min(end, range.lowerBound)) }
            at = max(at, range.upperBound)
            if range.upperBound < merged.lowerBound || merged.upperBound < range.lowerBound {
                kept.append(range)
            } else {
                merged = min(range.lowerBound, merged.lowerBound)..<max(range.upperBound, merged.upperBound)
            }
        }
        if at < end { copy(&parts, piece, bytes, at..<end) }
        let place = kept.firstIndex { $0.lowerBound > merged.lowerBound } ?? kept.count
        kept.insert(merged, at: place)
        parts.ranges = kept
    }

    private func copy(_ parts: inout Parts, _ piece: Fragment, _ bytes: RawSpan, _ range: Range<Int>) {
        for at in range where at < parts.bytes.count { parts.bytes[at] = bytes.byte(piece.start &+ at &- piece.offset) }
    }
}
