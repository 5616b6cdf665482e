import Journaling

/// A day as people read it.
package enum UTCDay {
    /// - Parameter seconds: since 1970.
    /// - Returns: `2026-09-21`
    package static func text(_ seconds: Int64) -> String {
        String(UTC.text(seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue).prefix(10))
    }
}
