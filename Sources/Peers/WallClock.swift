import Glibc

/// This machine's calendar, for credentials and `{now}`; nothing is ever ordered by it.
enum WallClock {
    static func seconds() -> Int64 { Int64(clamping: time(nil)) }
}
