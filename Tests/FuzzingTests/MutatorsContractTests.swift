import Contracts
import Faults
import Journaling
import NIOCore
import Peers
import Plans
import Profiles
import Testing

@testable import Fuzzing

/// What every mutator promises, whatever it does.
@Suite struct MutatorsContractTests {
    static let names = MutatorRegistry.all.map { $0.name }

    @Test func namesAreTheirOwnAndSayWhatTheyDo() {
        #expect(Set(Self.names).count == Self.names.count)
        for kind in MutatorRegistry.all {
            #expect(kind.name.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil, "\(kind.name)")
            #expect(kind.summary.hasSuffix(".") && kind.summary.count > 20, "\(kind.name)")
        }
    }

    @Test func everyLevelHasMutators() {
        for level in MutatorLevel.allCases {
            #expect(MutatorRegistry.all.contains { $0.level == level }, "\(level)")
        }
    }

    /// 300 draws over all plans, most of them over the small ones: a plan that differs, is read again, stays within
    /// bounds, and depends on nothing but the dice.
    @Test(arguments: names)
    func keepsPlansWhole(name: String) throws {
        let kind = try #require(MutatorRegistry.all.first { $0.name == name })
        let workshop = try MutatorStage.workshop()
        var made = 0
        for draw in 0..<300 {
            let plan = MutatorStage.plan(draw)
            var dice = MutatorStage.dice(name, draw)
            var same = dice
            let changed = kind.init().mutate(plan, in: workshop, dice: &dice)
            if draw % 8 == 0 {
                #expect(changed == kind.init().mutate(plan, in: workshop, dice: &same), "draw \(draw)")
                #expect(dice == same)
            }
            guard let changed else { continue }
            made += 1
            MutatorStage.check(changed, against: plan, workshop, "\(name) draw \(draw)", reading: draw % 3 == 0)
        }
        #expect(made > 30, "\(name) changed \(made) of 300 plans")
    }

    /// Mutations of mutations, as a long run makes them.
    @Test func chainsStayWithinBounds() throws {
        let workshop = try MutatorStage.workshop()
        for chain in 0..<8 {
            var plan = MutatorStage.plan(chain)
            for step in 0..<24 {
                var dice = MutatorStage.dice("chain \(chain)", step)
                guard let kind = dice.pick(MutatorRegistry.all),
                    let changed = kind.init().mutate(plan, in: workshop, dice: &dice)
                else { continue }
                MutatorStage.check(changed, against: plan, workshop, "\(kind.name) in chain \(chain)")
                plan = changed
            }
        }
    }

    @Test(arguments: ["empty", "echo", "given credentials"])
    func lacksAreNoTraps(what: String) throws {
        let echo = try ContractLoader().load("echo")
        var empty = Plan()
        if what == "echo" { empty = MutatorStage.synthetic }
        let workshop = Workshop(
            contract: what == "given credentials" ? try ContractLoader().load("agent-chat") : echo, users: ["alice"],
            path: "/", canMint: what != "given credentials")
        if what == "given credentials" { empty = MutatorStage.synthetic }
        for kind in MutatorRegistry.all {
            for draw in 0..<8 {
                var dice = MutatorStage.dice(kind.name, draw)
                guard let changed = kind.init().mutate(empty, in: workshop, dice: &dice) else { continue }
                MutatorStage.check(changed, against: empty, workshop, "\(kind.name) on \(what)")
            }
        }
    }
}

enum MutatorStage {
    static let synthetic = read(
        """
        miswire plan 1
        # A small one.
        ---
        user alice credential header
        user bob credential query
        1 alice connect /ws
        2 bob connect /ws
        3 alice until open within 2s
        4 bob until open within 2s
        5 alice send {"type":"agent_started","agent_name":"tooluser","user_id":$alice.id,"message":"say {canary}"}
        6 bob send {"type":"agent_started","agent_name":"assistant","user_id":$bob.id,"message":"say {canary}"}
        7 alice until agent_started within 1s
        8 alice send {"type":"cancel","run_id":$run1.run_id}
        9 alice until agent_completed|error within 2s
        10 bob until agent_completed within 2s
        11 alice send {"type":"invalid_type","thread_id":$bob.run1.thread_id}
        12 alice until error within 1s
        13 bob close 1000
        faults
        f1 accept-delay stage upgrade-request delay 300ms user alice connection nth 1
        """)

    static let lonely = read(
        """
        miswire plan 1
        ---
        user alice credential header
        1 alice connect /ws
        2 alice until open within 2s
        3 alice send {"type":"agent_started","agent_name":"assistant","user_id":"{user}","message":"say {canary}"}
        4 alice until agent_completed within 30s
        faults none
        """)

    static let shipped = PlanLibrary.names.compactMap { PlanLibrary.plan($0) }.filter {
        $0.users.count <= PlanBounds.mostUsers
    }

    private static func read(_ text: String) -> Plan { (try? PlanText.parse(text)) ?? Plan() }

    static func plan(_ draw: Int) -> Plan {
        draw % 50 == 49 ? shipped[draw / 50 % shipped.count] : draw % 2 == 0 ? synthetic : lonely
    }

    static func workshop() throws -> Workshop {
        Workshop(
            contract: try ContractLoader().load("agent-chat"), dictionary: ["word"], users: Cast.names,
            seeds: [synthetic, lonely] + shipped, path: "/ws")
    }

    static func dice(_ name: String, _ draw: Int) -> Dice {
        CaseName(UInt32(clamping: draw)).dice(seed: 1, name)
    }

    static func check(
        _ changed: Plan, against plan: Plan, _ workshop: Workshop, _ what: String, reading: Bool = true
    ) {
        #expect(changed != plan, "\(what)")
        if reading {
            let text = PlanText.print(changed)
            #expect((try? PlanText.parse(text)) == changed, "\(what):\n\(text)")
        }
        #expect(changed.steps.map(\.number) == Array(1...max(1, changed.steps.count)), "\(what)")
        #expect(changed.steps.count <= PlanBounds.mostSteps && changed.users.count <= PlanBounds.mostUsers, "\(what)")
        #expect(changed.guardTime <= PlanBounds.guardTime, "\(what) waits \(changed.guardTime)")
        #expect(changed.steps.allSatisfy { $0.verb.guardTime <= workshop.longestGuard }, "\(what)")
        #expect(changed.head == Plan.Head(), "\(what)")
    }
}
