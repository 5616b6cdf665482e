import Fuzzing

/// What plays, judges and confirms; the form and the reports only listen to it.
protocol FuzzEngine: Sendable {
    /// Ends early when its task is cancelled, with everything that is known by then.
    func run() async -> CampaignResult
    /// A snapshot, at any time.
    var progress: Fuzzing.Progress { get }
}

extension Campaign: FuzzEngine {}
