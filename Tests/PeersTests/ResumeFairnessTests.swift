import Faults
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import ReferenceBackend
import Testing

/// Clients that come and go in the midst of runs, with old cursors, new ones, those of other threads or none, while faults
/// cut and stall what they like: a clean server is blamed for none of it.
@Suite struct ResumeFairnessTests {
    static let profiles = [
        [], ["fault: cut", "when: { to: client, message: share 10% }"],
        ["fault: cut", "style: silent", "when: { to: client, message: share 10% }"],
        ["fault: cut", "style: half", "side: server", "when: { to: client, message: every 7 }"],
        ["fault: reset_peer", "timeout: 60ms", "when: { connection: share 40% }"],
        ["fault: stall-reads", "time: 400ms", "when: { to: client, connection: share 40% }"],
        ["fault: blackhole", "when: { connection: share 20%, after: 50ms }"],
        ["fault: zombie", "hold: 2s", "when: { to: client, message: nth 4 }"],
        ["fault: takeover", "count: 2", "hold: 300ms"], ["fault: resume-stale"],
        ["fault: resume-stale", "how: foreign"], ["fault: resume-stale", "how: beyond"],
        ["fault: drop", "when: { to: client, message: share 20% }"],
        ["fault: reconnect-storm", "times: 2", "every: 100ms", "when: { to: client, message: nth 5 }"],
        ["fault: cross-streams", "when: { to: client, message: share 10% }"],
    ]

    @Test(arguments: 0..<profiles.count) func aCleanServerIsNeverBlamed(row: Int) async throws {
        let lines = Self.profiles[row]
        let faults = lines.isEmpty ? " []\n" : "\n  - " + lines.joined(separator: "\n    ") + "\n"
        let profile = try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults:" + faults, file: "t.yaml")
        let (wrong, resumed) = try await Workshop.run(lane: row) {
            var wrong: [String] = []
            var resumed = 0
            for seed in Seeds.list(1...12) {
                var simulator = Simulator(
                    seed: seed, contract: try Shipped.contract(), profile: profile, key: Array(Scenario.key.utf8))
                simulator.breaks = seed % 3 == 0
                let backend = SimulatedBackend(bugs: [], key: Scenario.key, seed: seed)
                let run = simulator.run(Self.plan(seed), on: backend)
                resumed += run.judgement.properties.first { $0.id == "D2" }?.passed ?? 0
                let found = run.judgement.findings.map { "\($0.property): \($0.sentence)" }
                wrong += (found + run.judgement.toolErrors.map(\.sentence)).map { "seed \(seed): \($0)" }
                if try run.judgedAgain(by: Shipped.contract()) != run.judgement { wrong.append("seed \(seed): live and offline differ") }
            }
            return (wrong, resumed)
        }
        #expect(wrong == [], "\(lines)")
        if lines.isEmpty { #expect(resumed > 4) }
    }

    /// The same users find the three bugs, however they come and go.
    @Test(arguments: [(BackendBug.resumeOffByOne, "D2"), (.duplicateAfterReconnect, "D1")])
    func theBugsAreFound(bug: BackendBug, property: String) async throws {
        let profile = try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults: []\n", file: "t.yaml")
        let heads = try await Workshop.run(lane: 1) {
            try Seeds.list(1...30).flatMap { seed in
                let simulator = Simulator(
                    seed: seed, contract: try Shipped.contract(), profile: profile, key: Array(Scenario.key.utf8))
                let run = simulator.run(Self.plan(seed), on: SimulatedBackend(bugs: [bug], key: Scenario.key, seed: seed))
                return run.judgement.findings.map(\.property)
            }
        }
        #expect(Set(heads) == [property])
    }

    static func plan(_ seed: UInt64) -> Plan {
        var dice = Dice(
            DiceKey(seed: seed, profile: "resume", user: "", connection: 0), direction: nil, message: 0, fault: "plan")
        var plan = Plan()
        let names = Array(["alice", "bob"].prefix(1 + dice.below(2)))
        plan.users = names.map { Plan.User(name: $0, credential: "header") }
        func add(_ user: String, _ verb: Plan.Verb) {
            plan.steps.append(Plan.Step(number: plan.steps.count + 1, user: user, verb: verb))
        }
        func pick<Item>(_ items: [Item]) -> Item { items[dice.below(items.count)] }
        for name in names {
            add(name, .connect(path: "/ws", as: nil, headers: []))
            add(name, .until(["open"], within: .seconds(2)))
        }
        for _ in 0..<(6 + dice.below(8)) {
            let name = pick(names)
            for _ in 0...dice.below(3) {
                let thread = pick(["", #","thread_id":$run1.thread_id"#, #","thread_id":$run1.thread_id"#])
                let agent = pick(["assistant", "researcher", "slow", "tooluser"])
                let text = #"{"type":"agent_started","agent_name":"\#(agent)","user_id":$\#(name).id,"message":"say {canary}""#
                add(name, .send(text + #","request_id":"{user}-{n}"\#(thread)}"#))
            }
            if dice.below(3) > 0 {
                add(name, .until([pick(["agent_started", "agent_thinking", "agent_completed"])], within: .milliseconds(400)))
            }
            guard dice.below(2) == 0 else { continue }
            if dice.below(3) > 0 { add(name, .cut(pick(["reset", "half", "silent"]))) }
            let cursor = pick(["$\(name).seq", "$\(name).seq", "$run1.seq", "$run2.seq", "0", "1", "3", "9"])
            add(name, .reconnect(cursor: dice.below(5) == 0 ? nil : cursor))
            add(name, .until(["open"], within: .seconds(2)))
        }
        return plan
    }
}
