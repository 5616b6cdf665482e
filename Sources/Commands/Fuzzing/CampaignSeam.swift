import Contracts
import Faults
import Fuzzing
import Oracles
import Peers
import Plans

/// What a run is asked to do.
struct CampaignOptions: Sendable {
    var target: Endpoint
    /// Path of the URL.
    var path: String
    var contract: Contract
    /// Then the endpoint is whatever it listens on.
    var exec: String?
    var users = 50
    var seed: UInt64 = 1
    var workers = 1
    var runs: Int?
    var maxTotalTime: Duration?
    var dictionary: [String] = []
    var seeds: [Plan] = []
    var credentials: [(user: String, token: String)] = []
    /// Ids of properties that count; nil = all.
    var checks: Set<String>?
    var maxFailures: Int?
    var shrinks = true
    var ratePerSecond: Double?
    /// Signs minted credentials.
    var key: [UInt8] = []
    /// Environment of `exec`.
    var variables: [(String, String)] = []
    var profile: Profile?

    init(target: Endpoint, path: String, contract: Contract) {
        self.target = target
        self.path = path
        self.contract = contract
    }
}

/// The engine behind the seam.
struct Campaign: FuzzEngine {
    init(_ options: CampaignOptions, onEvent: @escaping @Sendable (CampaignEvent) -> Void) {}

    var progress: Fuzzing.Progress { Fuzzing.Progress() }

    func run() async -> CampaignResult {
        CampaignResult(
            end: .selfCheckFailed("this build has no engine"), phases: [], findings: [], flaky: [], judgement: Judgement(),
            progress: progress)
    }
}
