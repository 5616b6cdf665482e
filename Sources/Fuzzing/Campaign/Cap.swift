/// Where a phase ends: by the clock, by the number of cases begun, or by neither.
struct Cap: Sendable {
    var time: Duration?
    var begun: Int?

    /// The shares of all phases up to and with this one.
    init(_ phase: Phase, of options: CampaignOptions) {
        var share = 0
        for earlier in Phase.allCases {
            share += earlier.share
            if earlier == phase { break }
        }
        time = options.maxTotalTime.map { $0 * share / 100 }
        // Confirmations are no cases.
        let all = 100 - Phase.confirm.share
        begun = options.runs.map { max(1, ($0 * min(share, all) + all - 1) / all) }
    }

    func allows(elapsed: Duration, begun count: Int) -> Bool {
        (time.map { elapsed < $0 } ?? true) && (begun.map { count < $0 } ?? true)
    }
}
