package import Contracts
package import Faults
package import Oracles
package import Peers
package import Plans

/// Everything that decides what a run does.
package struct CampaignOptions: Sendable {
    /// Ignored with `exec`: then it is wherever that listens.
    package var target: Endpoint
    /// Of the URL; where the contract names no path.
    package var path: String
    package var contract: Contract
    /// `--exec`: the command, and what is added to its environment.
    package var exec: String?
    package var variables: [(String, String)] = []
    /// Principals at once.
    package var users = 50
    package var seed: UInt64 = 1
    package var workers = 1
    package var runs: Int?
    package var maxTotalTime: Duration?
    /// Of `--dict`.
    package var dictionary: [String] = []
    /// Of the corpus directories and recordings, in the order of their content hashes.
    package var seeds: [Plan] = []
    /// Given credentials; without any they are minted.
    package var credentials: [(user: String, token: String)] = []
    /// Ids of the properties that count; nil = all.
    package var checks: Set<String>?
    /// Calibration and confirmation are always among them. With nothing else the contract's flows are played until the
    /// time is over.
    package var phases = Set(Phase.allCases)
    /// Ends after so many findings.
    package var maxFailures: Int?
    package var shrinks = true
    /// Messages to the server per second; nil = as fast as it goes.
    package var ratePerSecond: Double?
    /// Signs credentials.
    package var key: [UInt8] = []
    /// Seconds since 1970 for credentials and `{now}`, so that two runs send the same bytes; nil = the clock.
    package var epoch: Int64?
    /// Its faults act on every plan that has none of its own.
    package var profile: Profile?
    /// After how many cases a result has its say in what is tried (`Scheduler.Settings.window`).
    package var window = 256
    /// Plays the cases in place of a target on a socket: virtual time, or a script.
    package var runner: (any CaseRunner)?
    /// Called with every plan that showed something new.
    package var onKeep: (@Sendable (Plan) -> Void)?

    package init(target: Endpoint, path: String, contract: Contract) {
        self.target = target
        self.path = path
        self.contract = contract
    }

    /// Users at once.
    package var principals: Int { max(1, credentials.isEmpty ? users : credentials.count) }

    /// With `checks` only what it names, be it the head of a finding or collateral.
    package func counts(_ finding: Finding) -> Bool {
        guard let checks else { return true }
        return checks.contains(finding.property) || finding.also.contains(where: checks.contains)
    }

    /// Nothing but the contract's own flows is played.
    var isPlain: Bool { phases.isSubset(of: [.calibration, .confirm]) }

    /// Given credentials are dealt to cases in blocks of so many.
    package var blockSize: Int { min(principals, Cast.names.count) }
}
