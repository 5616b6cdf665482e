/// Nanoseconds since the recording began, on a clock that only goes forward. Core reads no clock; a shell hands these in.
/// Arithmetic stops at what 64 bits hold: a recording may name any instant.
package struct Instant: InstantProtocol, Sendable, Hashable, Codable {
    package var nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package static let zero = Instant(nanoseconds: 0)
    package static let distantFuture = Instant(nanoseconds: .max)

    package func advanced(by duration: Duration) -> Instant { advanced(nanoseconds: duration.nanoseconds) }
    /// As by a duration, which has 128 bits to be divided: for what is asked of every entry.
    package func advanced(nanoseconds length: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(length)
        return Instant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }
    package func duration(to other: Instant) -> Duration {
        let (length, overflow) = other.nanoseconds.subtractingReportingOverflow(nanoseconds)
        return .nanoseconds(overflow ? (nanoseconds < 0 ? .max : .min) : length)
    }
    package static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.nanoseconds < rhs.nanoseconds }
}

extension Duration {
    /// The whole length in nanoseconds, clamped to what 64 bits hold (292 years).
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (sum, carried) = whole.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carried ? (seconds < 0 ? .min : .max) : sum
    }
}
