package import Contracts
package import Faults
package import Journaling
package import Oracles
package import Plans

/// One proxy in front of one target, in this process, with the users of a plan before it and a judge behind it.
package struct Rig: Sendable {
    package var target: Endpoint
    package var contract: Contract?
    package var profile: Profile?
    package var seed: UInt64
    /// Signs the users' credentials.
    package var key: [UInt8]
    /// Keep connections open past every deadline of the contract, so that each obligation can fall due.
    package var linger = true
    /// Directory to record into.
    package var recording: String?

    package init(target: Endpoint, contract: Contract?, profile: Profile?, seed: UInt64, key: [UInt8]) {
        self.target = target
        self.contract = contract
        self.profile = profile
        self.seed = seed
        self.key = key
    }

    package func run(_ plan: Plan) async throws -> RigRun { throw RigError.cannotListen("not built") }
}

package enum RigError: Error, Sendable, Equatable {
    case cannotListen(String)
    case unreachable(String)
}

package struct RigRun: Sendable {
    package var steps: [StepResult]
    package var judgement: Judgement
    package var entries: [Entry]
    package var took: Duration
    package init(steps: [StepResult], judgement: Judgement, entries: [Entry], took: Duration) {
        self.steps = steps
        self.judgement = judgement
        self.entries = entries
        self.took = took
    }
}
