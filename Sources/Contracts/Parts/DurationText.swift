/// Durations as written in contracts and profiles: `250ms 5s 2m 1h`, also `1.5s`.
package enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("us", 1_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// Nil when it is no duration. `0` alone is one.
    package static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        return amount(String(text.dropLast(unit.suffix.count)), unit.nanoseconds)
    }

    /// What to write instead of an almost right text: `5 sec` is `5s`.
    package static func correction(_ text: String) -> String? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let word = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let suffix: String? =
            switch word {
            case "ms", "msec", "msecs", "millis", "millisecond", "milliseconds": "ms"
            case "", "s", "sec", "secs", "second", "seconds": "s"
            case "m", "min", "mins", "minute", "minutes": "m"
            case "h", "hr", "hrs", "hour", "hours": "h"
            default: nil
            }
        guard let suffix, !digits.isEmpty, parse(digits + suffix) != nil else { return nil }
        return digits + suffix
    }

    private static func amount(_ text: String, _ unit: Int64) -> Duration? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = halves.first, isDigits(whole), whole.count <= 9, let count = Int64(whole) else { return nil }
        let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        guard halves.count == 2 else { return .nanoseconds(nanoseconds) }
        guard isDigits(halves[1]), halves[1].count <= 6, let fraction = Int64(halves[1]) else { return nil }
        var scale: Int64 = 1
        for _ in 0..<halves[1].count { scale *= 10 }
        let (sum, carried) = nanoseconds.addingReportingOverflow(fraction * (unit / scale))
        return carried ? nil : .nanoseconds(sum)
    }

    private static func isDigits(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }
}
