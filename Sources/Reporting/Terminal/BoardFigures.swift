/// Where a fuzzing run stands, for the board and the two shorter forms. What is not known is nil and shows as `–`.
package struct BoardFigures: Sendable {
    package struct Shrinking: Sendable, Equatable {
        package var number: Int
        package var of: Int
        /// Steps of the plan at the beginning and now.
        package var from: Int
        package var to: Int
        package init(number: Int, of: Int, from: Int, to: Int) {
            self.number = number
            self.of = of
            self.from = from
            self.to = to
        }
    }

    package var elapsed = Duration.zero
    /// Nil without `--max-total-time`.
    package var total: Duration?
    /// How much of the run is over, 0 to 1, for the bar; nil = by time.
    package var done: Double?
    /// From 1, of so many that this run has.
    package var phaseNumber = 1
    package var phaseCount = 1
    package var phase = ""
    package var executions = 0
    package var messages = 0
    package var sessions = 0
    package var executionsPerSecond: Double?
    package var messagesPerSecond: Double?
    package var targetP99: Duration?
    /// Per cent of one core that the proxy uses.
    package var proxyCPU: Double?
    package var features = 0
    package var featuresPerMinute = 0
    package var edges = 0
    package var corpus = 0
    package var favoured = 0
    /// Per cent.
    package var stability: Double?
    package var flaky = 0
    package var reconnects = 0
    package var restarts = 0
    /// Cases stopped because the target sent without end.
    package var floods = 0
    /// Nil while the target answers.
    package var downSince: Duration?
    package var sinceNewFeature: Duration?
    /// Per cent of the energy, largest first.
    package var energies: [(name: String, share: Int)] = []
    package var mustReject = (sent: 0, answered: 0, missed: 0)
    package var errorsDelivered = 0
    /// 0 = the contract declares none, or it is not known.
    package var errorKinds = 0
    /// One an entry of each distinct finding: its property and how often it was seen.
    package var findings: [(property: String, seen: Int)] = []
    package var confirming = 0
    package var shrinking: Shrinking?
    package init() {}

    package var left: Duration? { total.map { $0 > elapsed ? $0 - elapsed : .zero } }
}

/// Times of a fuzzing run.
package enum Clock {
    /// `1:22`, `1:04:09`
    package static func short(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        let tail = two(seconds % 60)
        if seconds < 3_600 { return "\(seconds / 60):\(tail)" }
        return "\(seconds / 3_600):\(two(seconds / 60 % 60)):\(tail)"
    }

    /// `04:12`, `1:04:09`
    package static func full(_ duration: Duration) -> String {
        let text = short(duration)
        return text.count < 5 ? "0" + text : text
    }

    /// `3 s`, `2 min 4 s`
    static func words(_ duration: Duration) -> String { Figures.duration(.seconds(max(0, duration.components.seconds))).spelt }

    private static func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension String {
    /// Less than a second is `0 s` where only seconds are told.
    fileprivate var spelt: String { self == "0 ms" ? "0 s" : self }
}

extension Figures {
    /// A rate to the next whole number.
    static func rate(_ value: Double?) -> String {
        guard let value, value.isFinite, let whole = Int(exactly: value.rounded()) else { return "–" }
        return count(whole)
    }

    /// `97.1 %`
    static func share(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        return fixed(value, digits: 1) + " %"
    }
}
