import Journaling

/// Durations as plans write them: `250ms`, `1.5s`, `2m`, `1h`.
enum PlanDuration {
    static let remedy = "expected a number with ms, s, m or h, such as 250ms"
    /// Longest wait that a plan may ask for.
    static let longest = Duration.seconds(24 * 3600)

    static func parse(_ text: String) -> Duration? {
        let units: [(String, Double)] = [("ms", 1e6), ("us", 1e3), ("s", 1e9), ("m", 60e9), ("h", 3600e9)]
        for (name, nanoseconds) in units where text.hasSuffix(name) {
            let digits = text.dropLast(name.count)
            guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
                let number = Double(digits), number * nanoseconds <= 24 * 3600e9,
                let whole = Int64(exactly: (number * nanoseconds).rounded())
            else { return nil }
            return .nanoseconds(whole)
        }
        return nil
    }

    /// Whole seconds as `2s`, else whole milliseconds as `250ms`, else `us`.
    static func print(_ duration: Duration) -> String {
        let nanoseconds = duration.nanoseconds
        if nanoseconds % 1_000_000_000 == 0 { return "\(nanoseconds / 1_000_000_000)s" }
        if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
        return "\(nanoseconds / 1000)us"
    }
}
