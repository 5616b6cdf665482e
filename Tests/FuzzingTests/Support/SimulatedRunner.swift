import Contracts
import Faults
import Journaling
import NIOCore
import Oracles
import Peers
import Plans
import Profiles
import ReferenceBackend
import Synchronization

/// Plays plans in virtual time against the reference backend's machine, each on one of its own: no play waits for
/// anything, and the same plays in the same order come to the same end.
final class SimulatedRunner: CaseRunner {
    static let key = "simulation-key"

    let contract: Contract
    /// What the backend of the n-th play (from 1) has planted.
    private let bugs: @Sendable (Int) -> Set<BackendBug>
    /// Has the last word on the n-th play.
    private let change: @Sendable (Int, inout CaseRun) -> Void
    private let played = Mutex<[Plan]>([])

    init(
        _ contract: Contract, bugs: @escaping @Sendable (Int) -> Set<BackendBug>,
        change: @escaping @Sendable (Int, inout CaseRun) -> Void = { _, _ in }
    ) {
        self.contract = contract
        self.bugs = bugs
        self.change = change
    }

    convenience init(_ bugs: Set<BackendBug>) throws {
        let contract = try ContractLoader().load("demo")
        self.init(contract, bugs: { _ in bugs })
    }

    /// In the order in which they began.
    var plans: [Plan] { played.withLock { $0 } }

    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        let number = played.withLock { plans in
            plans.append(plan)
            return plans.count
        }
        var profile = Profile(name: "plan")
        profile.faults = plan.faults.compactMap { try? $0.rule() }
        // Each play has weather of its own, as on a real network.
        let seed = options.seed &+ UInt64(number)
        let simulator = Simulator(
            seed: seed, contract: contract, profile: profile.faults.isEmpty ? nil : profile, key: Array(Self.key.utf8))
        let play = simulator.run(plan, on: SimulatedBackend(bugs: bugs(number), key: Self.key, seed: seed))
        var run = CaseRun(
            steps: play.steps, judgement: play.judgement, entries: play.entries,
            took: Instant.zero.duration(to: play.ended))
        run.isCut = play.stalled != nil
        change(number, &run)
        return run
    }
}

/// The reference backend's machine as the simulator's server.
struct SimulatedBackend: SimulatedServer {
    private var machine: BackendMachine
    private var woken: Instant?

    init(bugs: Set<BackendBug>, key: String, seed: UInt64) {
        machine = BackendMachine(
            BackendConfiguration(bugs: bugs, key: key, seed: seed, epoch: Simulator.epoch * 1_000))
    }

    mutating func handle(_ event: SimulatedServerEvent, at now: Instant) -> [SimulatedServerCommand] {
        var effects: [BackendEffect] = []
        machine.handle(Self.event(event), at: now, into: &effects)
        var commands: [SimulatedServerCommand] = effects.compactMap { effect in
            switch effect {
            case .send(let id, let bytes): .write(Int(id.value), bytes)
            case .close(let id): .finish(Int(id.value))
            case .mark, .leak: nil
            }
        }
        if case .wake = event { woken = nil }
        if let next = machine.nextWake, next != woken {
            woken = next
            commands.append(.wake(at: next))
        }
        return commands
    }

    private static func event(_ event: SimulatedServerEvent) -> BackendEvent {
        switch event {
        case .accepted(let id): .opened(BackendConnectionID(UInt64(id)))
        case .received(let id, let bytes): .received(BackendConnectionID(UInt64(id)), bytes)
        case .ended(let id, _): .ended(BackendConnectionID(UInt64(id)))
        case .wake: .wake
        }
    }
}
