import Journaling
import NIOCore
import Peers
import ReferenceBackend

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
