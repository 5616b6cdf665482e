package import Contracts
package import Faults
package import Journaling
package import NIOCore
package import Oracles
package import Plans

/// A server as a function: what the simulator talks to in virtual time. Connections are numbered from 1 as accepted.
package protocol SimulatedServer {
    mutating func handle(_ event: SimulatedServerEvent, at now: Instant) -> [SimulatedServerCommand]
}

package enum SimulatedServerEvent: Sendable {
    case accepted(Int)
    case received(Int, ByteBuffer)
    case ended(Int, EndStyle)
    case wake
}

package enum SimulatedServerCommand: Sendable {
    case write(Int, ByteBuffer)
    /// FIN behind what was written.
    case finish(Int)
    case reset(Int)
    /// Replaces an earlier one.
    case wake(at: Instant)
}

/// Whole sessions in virtual time over an in-memory network, all from one seed, with the machines that the sockets drive.
package struct Simulator: Sendable {
    package var seed: UInt64
    package var contract: Contract
    package var profile: Profile?
    package var key: [UInt8]
    package init(seed: UInt64, contract: Contract, profile: Profile?, key: [UInt8]) {
        self.seed = seed
        self.contract = contract
        self.profile = profile
        self.key = key
    }
    package func run<Server: SimulatedServer>(_ plan: Plan, on server: Server) -> SimulationRun {
        SimulationRun(steps: [], judgement: Judgement(), entries: [], digest: "", ended: .zero)
    }
}

package struct SimulationRun: Sendable {
    package var steps: [StepResult]
    package var judgement: Judgement
    package var entries: [Entry]
    /// Over every byte, instant and verdict: equal for equal seeds.
    package var digest: String
    /// Virtual end.
    package var ended: Instant
    package init(steps: [StepResult], judgement: Judgement, entries: [Entry], digest: String, ended: Instant) {
        self.steps = steps
        self.judgement = judgement
        self.entries = entries
        self.digest = digest
        self.ended = ended
    }
}
