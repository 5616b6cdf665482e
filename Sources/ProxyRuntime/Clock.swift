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
    package static func utc(_ nanoseconds: Int64) -> String { UTC.text(nanoseconds) }
}
