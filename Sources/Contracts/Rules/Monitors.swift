/// Thresholds of the live monitors (contract.md, `monitors`; incidents.md I4 and I5). Nil = that monitor is off.
package struct MonitorRules: Sendable, Hashable {
    /// No event for so long while sessions are active.
    package var silentFailure: Duration? = .seconds(300)
    /// A connection in AUTHENTICATING for so long.
    package var stuckAuthentication: Duration? = .seconds(30)
    /// A run that is open and without events for so long.
    package var eventFlowBreakdown: Duration? = .seconds(30)
    /// Fewer events than this with open runs.
    package var eventRate: Rate? = Rate(count: 10, per: .seconds(60))
    /// More authentications than this fail.
    package var authFailures: Share? = Share(millionths: 50_000)
    /// Any start without its end.
    package var unpairedEvents = true
    /// The connection's states are violated.
    package var invalidTransition = true
    /// Fewer connections than this succeed.
    package var connectSuccess: Share? = Share(millionths: 990_000)
    /// Connecting takes longer.
    package var connectTime: Duration? = .milliseconds(200)
    package var line: Line = 0
    package init() {}

    /// `monitors: off`
    package static var off: MonitorRules {
        var rules = MonitorRules()
        rules.silentFailure = nil
        rules.stuckAuthentication = nil
        rules.eventFlowBreakdown = nil
        rules.eventRate = nil
        rules.authFailures = nil
        rules.unpairedEvents = false
        rules.invalidTransition = false
        rules.connectSuccess = nil
        rules.connectTime = nil
        return rules
    }
}

/// So many in a time: `10/min`.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
    package var count: Int
    package var per: Duration
    package init(count: Int, per: Duration) {
        self.count = count
        self.per = per
    }

    private static let units: [(word: String, length: Duration)] = [
        ("s", .seconds(1)), ("sec", .seconds(1)), ("min", .seconds(60)), ("m", .seconds(60)), ("h", .seconds(3_600)),
    ]

    /// `10/min`, `2/s`, `100/h`, also `3/5s`; nil when it is none.
    package init?(_ text: String) {
        let sides = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard sides.count == 2, sides[0].utf8.count <= 9, sides[0].utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let count = Int(sides[0])
        else { return nil }
        let named = Self.units.first { $0.word == sides[1] }?.length
        guard let per = named ?? DurationText.parse(sides[1]), per > .zero else { return nil }
        self.init(count: count, per: per)
    }

    package var description: String {
        let unit = ["s", "min", "h"].first { word in Self.units.contains { $0.word == word && $0.length == per } }
        return "\(count)/" + (unit ?? "\(per)")
    }
}

/// A share of a whole, exact: `5%` is 50,000 millionths.
package struct Share: Sendable, Hashable, CustomStringConvertible {
    /// 0...1,000,000
    package var millionths: Int
    package init(millionths: Int) { self.millionths = millionths }

    /// `5%`, `99.9%`; nil when it is none, or more than the whole.
    package init?(_ text: String) {
        guard text.hasSuffix("%") else { return nil }
        let halves = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(halves.count), halves.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }),
            halves[0].utf8.count <= 3, let whole = Int(halves[0])
        else { return nil }
        var fraction = 0
        if halves.count == 2 {
            guard halves[1].utf8.count <= 4 else { return nil }
            fraction = Int(halves[1] + String(repeating: "0", count: 4 - halves[1].utf8.count)) ?? 0
        }
        let millionths = whole * 10_000 + fraction
        guard millionths <= 1_000_000 else { return nil }
        self.init(millionths: millionths)
    }

    /// Whether `part` of `whole` is more than this; nothing of nothing is not.
    package func isExceeded(by part: Int, of whole: Int) -> Bool { compare(part, whole) { $0 > $1 } }
    /// Whether `part` of `whole` is less than this; nothing of nothing is not.
    package func isMissed(by part: Int, of whole: Int) -> Bool { compare(part, whole) { $0 < $1 } }

    private func compare(_ part: Int, _ whole: Int, _ holds: (Int, Int) -> Bool) -> Bool {
        guard whole > 0, part >= 0 else { return false }
        let (left, overflow) = part.multipliedReportingOverflow(by: 1_000_000)
        let (right, other) = whole.multipliedReportingOverflow(by: millionths)
        return !overflow && !other && holds(left, right)
    }

    package var description: String {
        let fraction = millionths % 10_000
        guard fraction > 0 else { return "\(millionths / 10_000)%" }
        var digits = String(10_000 + fraction).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(millionths / 10_000).\(digits)%"
    }
}
