/// Counts of durations in buckets at most 1.6 % wide, so that percentiles of any number of values cost fixed memory.
package struct Histogram: Sendable, Equatable {
    /// Values below 64 ns have a bucket each; above, each power of two has 64 buckets.
    private var counts: [UInt64] = []
    package private(set) var count: UInt64 = 0
    package private(set) var sum: Duration = .zero
    package private(set) var maximum: Duration = .zero

    package init() {}

    package mutating func record(_ duration: Duration) {
        let value = UInt64(clamping: max(0, duration.nanoseconds))
        let index = Histogram.bucket(of: value)
        if index >= counts.count { counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count)) }
        counts[index] += 1
        count += 1
        sum += duration
        maximum = max(maximum, duration)
    }

    /// The value that this share (0...1) of all values does not exceed; nil when there are none.
    package func percentile(_ share: Double) -> Duration? {
        guard count > 0 else { return nil }
        let wanted = min(count, max(1, UInt64(clamping: Int64((Double(count) * share).rounded(.up)))))
        var seen: UInt64 = 0
        for (index, here) in counts.enumerated() {
            seen += here
            if seen >= wanted { return min(maximum, .nanoseconds(Int64(clamping: Histogram.top(of: index)))) }
        }
        return maximum
    }

    /// How many values do not exceed this, as far as buckets tell: those in its own bucket count whole.
    package func count(upTo duration: Duration) -> UInt64 {
        let last = Histogram.bucket(of: UInt64(clamping: max(0, duration.nanoseconds)))
        return counts.prefix(last + 1).reduce(0, +)
    }

    private static func bucket(of value: UInt64) -> Int {
        guard value >= 64 else { return Int(truncatingIfNeeded: value) }
        let shift = 63 - value.leadingZeroBitCount - 6
        return (shift + 1) * 64 + Int(truncatingIfNeeded: (value >> UInt64(shift)) & 63)
    }

    private static func top(of index: Int) -> UInt64 {
        guard index >= 64 else { return UInt64(clamping: index) }
        let shift = UInt64(clamping: index / 64 - 1)
        let base = (64 + UInt64(clamping: index % 64)) << shift
        return base + (1 << shift) - 1
    }
}
