/// Where a phase ends: by the clock, by the number of cases begun, or by neither.
struct Cap: Sendable {
    var time: Duration?
    var begun: Int?

    /// What the last exploring phase leaves, so that what it finds at its end can still be run again.
    private static let mostTail = Duration.seconds(2)

    /// The shares of all phases up to and with this one. Findings are confirmed as they come, so that phase 6 has no time of
    /// its own: its share is the explorers', but for a tail.
    init(_ phase: Phase, of options: CampaignOptions) {
        var share = 0
        for earlier in Phase.allCases where options.phases.contains(earlier) {
            share += earlier.share
            if earlier == phase { break }
        }
        if options.isPlain {
            (time, begun) = (options.maxTotalTime, options.runs)
            return
        }
        let all = max(1, options.phases.reduce(0) { $0 + $1.share } - Phase.confirm.share)
        time = options.maxTotalTime.map { min($0 * share / all, $0 - min($0 / 10, Self.mostTail)) }
        begun = options.runs.map { max(1, ($0 * min(share, all) + all - 1) / all) }
    }

    func allows(elapsed: Duration, begun count: Int) -> Bool {
        (time.map { elapsed < $0 } ?? true) && (begun.map { count < $0 } ?? true)
    }
}
