import Contracts
import Faults
import Foundation
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import ReferenceBackend

/// What a seed of the simulator plays: one of the demo's profiles, and users who do what the demo's users do, in an order
/// and number of the seed's own.
struct Scenario {
    static let key = "simulation-key"
    static let profiles = [
        "transparent", "delayed-accept", "lost-credential", "mutated-requests", "crossed-streams", "crossed-requests",
    ]

    let seed: UInt64
    let profile: String
    var plan: Plan

    /// - Parameter profile: nil lets the seed choose.
    init(seed: UInt64, profile: String? = nil) {
        self.seed = seed
        var dice = Dice(
            DiceKey(seed: seed, profile: "scenario", user: "", connection: 0), direction: nil, message: 0, fault: "plan")
        let drawn = Self.profiles[dice.below(Self.profiles.count)]
        self.profile = profile ?? drawn
        plan = Self.plan(&dice)
    }

    init(seed: UInt64, shipped: String) throws {
        self.seed = seed
        profile = shipped == "interleaved-users" ? "transparent" : shipped
        guard let plan = PlanLibrary.plan(shipped) else { throw CocoaError(.fileNoSuchFile) }
        self.plan = plan
    }

    /// - Parameter patience: how soon what the profile expects must come, instead of what it says itself.
    func run(bugs: Set<BackendBug> = [], breaks: Bool = false, patience: Duration? = nil) throws -> SimulationRun {
        var profile = try Shipped.profile(profile)
        // A plan that says where faults act says so of all of them.
        if !plan.faults.isEmpty { profile.faults = try plan.faults.map { try $0.rule() } }
        if let patience { for index in profile.faults.indices { profile.faults[index].expect?.within = patience } }
        var simulator = Simulator(
            seed: seed, contract: try Shipped.contract(), profile: profile,
            key: Array(Self.key.utf8))
        simulator.breaks = breaks
        return simulator.run(plan, on: SimulatedBackend(bugs: bugs, key: Self.key, seed: seed))
    }

    private static func plan(_ dice: inout Dice) -> Plan {
        var plan = Plan()
        let places = ["header", "query", "cookie", "subprotocol"]
        let names = Array(["alice", "bob", "carol"].prefix(1 + dice.below(3)))
        for name in names { plan.users.append(.init(name: name, credential: places[dice.below(4)])) }
        plan.users.append(.init(name: "mallory", credential: places[dice.below(4)] + " forged"))
        func add(_ user: String, _ verb: Plan.Verb) {
            plan.steps.append(Plan.Step(number: plan.steps.count + 1, user: user, verb: verb))
        }
        for name in names { add(name, .connect(path: "/ws", as: nil, headers: [])) }
        if dice.below(3) == 0 { add("mallory", .connect(path: "/ws", as: nil, headers: [])) }
        for name in names { add(name, .until(["answered"], within: .seconds(2))) }
        for _ in 0..<(2 + dice.below(5)) {
            let name = names[dice.below(names.count)]
            add(name, message(&dice, from: names[dice.below(names.count)]))
            switch dice.below(8) {
            case 0: add(name, .until(["agent_completed|error|ended"], within: .milliseconds(600)))
            case 1: add(name, .quiet(.milliseconds(1 + dice.below(20))))
            case 2 where dice.below(3) == 0: add(name, .close(code: 1000, reason: ""))
            case 3 where dice.below(3) == 0: add(name, .cut(["reset", "half", "silent"][dice.below(3)]))
            case 4 where dice.below(3) == 0: add(name, .reconnect(cursor: nil))
            case 5 where dice.below(3) == 0: add(name, .pauseReading)
            default: break
            }
        }
        return plan
    }

    /// - Parameter other: somebody whose thread may be asked for.
    private static func message(_ dice: inout Dice, from other: String) -> Plan.Verb {
        let agent = ["assistant", "researcher", "tooluser"][dice.below(3)]
        func run(_ fields: String) -> Plan.Verb {
            .send(#"{"type":"agent_started",\#(fields),"request_id":"{user}-{n}"}"#)
        }
        switch dice.below(11) {
        case 0: return .sendText(#"{"type":"agent_started","#)
        case 1: return .send(#"{"type":"invalid_type","request_id":"{user}-{n}"}"#)
        case 2: return run(#""agent_name":"non_existent_agent","user_id":"{user}""#)
        case 3: return run(#""agent_name":"\#(agent)""#)
        case 4: return run(#""agent_name":"tooluser","user_id":"{user}","message":"please fail {canary}""#)
        case 5:
            return run(##""agent_name":"assistant","user_id":"{user}","thread_id":$\##(other).run1.thread_id"##)
        default: return run(#""agent_name":"\#(agent)","user_id":"{user}","message":"say {canary}""#)
        }
    }
}

/// Read once: parsing them costs more than a small simulation.
enum Shipped {
    private static let demo = Result { try ContractLoader().load("demo") }
    private static let profiles = Scenario.profiles.map { name in Result { try ProfileLoader().load(name) } }
    static func contract() throws -> Contract { try demo.get() }
    static func profile(_ name: String) throws -> Profile {
        guard let index = Scenario.profiles.firstIndex(of: name) else { return try ProfileLoader().load(name) }
        return try profiles[index].get()
    }
}

/// `MISWIRE_SEED=42` plays one seed alone.
enum Seeds {
    static var only: UInt64? { ProcessInfo.processInfo.environment["MISWIRE_SEED"].flatMap { UInt64($0) } }

    static func list(_ range: ClosedRange<UInt64>) -> [UInt64] { only.map { [$0] } ?? Array(range) }

    static func again(_ seed: UInt64, _ test: String) -> String {
        "again with: MISWIRE_SEED=\(seed) swift test --filter \(test)"
    }
}

/// Two threads for long computations: tests over sockets, which share the runtime's few threads, go on meanwhile.
enum Workshop {
    private static let benches = ["a", "b"].map { DispatchQueue(label: "simulation \($0)") }

    static func run<Value: Sendable>(
        lane: Int, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { done in
            benches[lane % benches.count].async { done.resume(with: Result(catching: body)) }
        }
    }
}
