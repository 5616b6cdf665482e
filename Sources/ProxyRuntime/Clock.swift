import Glibc
package import Journaling

/// The recording's clock: monotonic, zero when the proxy starts, the same on every loop.
package struct MonotonicClock: Sendable {
    private let origin: Int64

    package init() { origin = MonotonicClock.reading(CLOCK_MONOTONIC) }

    package var now: Instant { Instant(nanoseconds: MonotonicClock.reading(CLOCK_MONOTONIC) &- origin) }

    /// Nanoseconds since 1970, for people only: it may jump.
    package static var wall: Int64 { reading(CLOCK_REALTIME) }

    private static func reading(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        // Cannot fail: the clock id is one of two constants, the pointer is to a local.
        _ = unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }

    /// `2026-09-21T14:02:16.014Z`
    package static func utc(_ nanoseconds: Int64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let seconds = milliseconds / 1_000
        let (year, month, day) = date(ofDay: seconds / 86_400)
        func digits(_ value: Int64, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let time = "\(digits(seconds / 3_600 % 24, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2))"
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))T\(time).\(digits(milliseconds % 1_000, 3))Z"
    }

    /// Gregorian date of a day counted from 1970-01-01 (Hinnant, "chrono-compatible low-level date algorithms").
    private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * ofYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
