import Contracts
import Journaling
import Plans
import Testing

@testable import Fuzzing

@Suite struct ScheduleTests {
    /// What a case shows, as a function of its name alone: some names show something rare.
    static func result(of name: CaseName) -> SlotResult {
        var dice = name.dice(seed: 7, "behaviour")
        let common = (0..<4).map { _ in dice.below(UInt64(40)) * 2 }
        let rare = dice.below(5) == 0 ? [1_000 + dice.below(UInt64(4_000)) * 2 + 1] : []
        return SlotResult(
            features: Set(common + rare).sorted(), hasFinding: dice.below(20) == 0, size: 1 + dice.below(30),
            level: MutatorLevel.allCases[dice.below(5)])
    }

    struct Trace: Equatable {
        var names: [String] = []
        var features = 0
        var edges = 0
        var kept = 0
        var favoured = 0
        var late = 0
        var reruns = 0
    }

    /// So many cases at a time, which end in an order that `order` draws; a lane that would have to go on without a
    /// result waits for it, unless `patient` is false.
    static func run(lanes: Int, order: UInt64, slots: Int = 600, window: Int = 64, patient: Bool = true) -> Trace {
        var settings = Scheduler.Settings(seed: 42)
        settings.window = window
        var scheduler = Scheduler(settings)
        var dice = CaseName(0).dice(seed: order, "order")
        var running: [Scheduler.Turn] = []
        var trace = Trace()
        while trace.names.count < slots {
            if running.count < lanes, !patient || scheduler.waitsFor == nil {
                let turn = scheduler.next()
                #expect(turn.slot == trace.names.count)
                trace.names.append(turn.name.description)
                trace.reruns += turn.isRerun ? 1 : 0
                running.append(turn)
            } else {
                let turn = running.remove(at: dice.below(running.count))
                scheduler.commit(slot: turn.slot, result: result(of: turn.name))
            }
        }
        while !running.isEmpty {
            let turn = running.remove(at: dice.below(running.count))
            scheduler.commit(slot: turn.slot, result: result(of: turn.name))
        }
        scheduler.finish()
        trace.features = scheduler.map.count
        trace.edges = scheduler.map.edges
        trace.kept = scheduler.corpus.keepers.count
        trace.favoured = scheduler.corpus.favoured
        trace.late = scheduler.late
        return trace
    }

    @Test(arguments: [1, 2, 8, 40], [1, 2, 3] as [UInt64])
    func theScheduleDoesNotDependOnWorkersOrOrder(lanes: Int, order: UInt64) {
        let alone = Self.run(lanes: 1, order: 0)
        #expect(alone.late == 0 && alone.kept > 20 && alone.reruns > 20)
        #expect(alone.names.contains { $0.contains(".") } && alone.names.contains { !$0.contains(".") })
        #expect(Self.run(lanes: lanes, order: order) == alone)
    }

    @Test func anotherSeedTriesOtherCases() {
        var left = Scheduler(.init(seed: 1))
        var right = Scheduler(.init(seed: 2))
        var differ = false
        for _ in 0..<300 {
            let turns = (left.next(), right.next())
            differ = differ || turns.0.name != turns.1.name
            left.commit(slot: turns.0.slot, result: Self.result(of: turns.0.name))
            right.commit(slot: turns.1.slot, result: Self.result(of: turns.1.name))
        }
        #expect(differ)
    }

    @Test func aResultThatIsMissingIsLateAndTakenWhenItComes() {
        var settings = Scheduler.Settings(seed: 1)
        settings.window = 4
        var scheduler = Scheduler(settings)
        for slot in 0..<4 {
            #expect(scheduler.waitsFor == nil)
            let turn = scheduler.next()
            if slot != 0 { scheduler.commit(slot: turn.slot, result: SlotResult(features: [2])) }
        }
        #expect(scheduler.waitsFor == 0)
        _ = scheduler.next()
        #expect(scheduler.late == 1 && !scheduler.isRepeatable && scheduler.map.count == 0)
        scheduler.commit(slot: 0, result: SlotResult(features: [4, 6, 9]))
        #expect(scheduler.map.count == 3 && scheduler.map.edges == 1)
        scheduler.commit(slot: 0, result: SlotResult(features: [8]))
        scheduler.commit(slot: 99, result: SlotResult(features: [10]))
        scheduler.finish()
        #expect(scheduler.map.count == 4)
        #expect(scheduler.takeNews().map(\.slot) == [0, 1] && scheduler.takeNews().isEmpty)
    }

    @Test func namesOfExploredCasesAreNeverGivenTwice() {
        var settings = Scheduler.Settings(seed: 9)
        // Everything is new, so that lines of descent become as deep as they may; played again it would be chance.
        settings.reruns = 0
        var scheduler = Scheduler(settings)
        var seen: Set<CaseName> = []
        for slot in 0..<3_000 {
            let turn = scheduler.next()
            if !turn.isRerun { #expect(seen.insert(turn.name).inserted) }
            let result = SlotResult(features: [UInt64(slot) * 2 + 2])
            scheduler.commit(slot: turn.slot, result: result)
        }
        #expect(scheduler.corpus.keepers.count > 1_000)
    }

    @Test func whatIsChanceIsMaskedAndTurnsFeedbackOff() {
        var map = FeatureMap()
        #expect(map.stability == nil && map.add([2, 4, 6]) == 3 && map.add([2, 4]) == 0)
        #expect(map.runs(of: 2) == 2 && map.rarity(6) == 1 << 20 && map.rarity(2) == 1 << 19)
        #expect(map.compare(first: [2, 4, 6], again: [2, 4]) > 66)
        #expect(map.knows(6))
        map.compare(first: [2, 4, 6], again: [2, 4])
        #expect(!map.knows(6) && map.rarity(6) == 0 && map.count == 2 && map.masked == 1)
        #expect(map.trust == .good)
        for _ in 0..<20 { map.compare(first: [8], again: [10]) }
        #expect(map.trust == .off && !map.isStable)
        for _ in 0..<200 { map.compare(first: [2, 4], again: [2, 4]) }
        #expect(map.trust == .good)
    }

    @Test func aFullCorpusKeepsItsFavourites() {
        var bounds = Corpus.Bounds()
        bounds.keepers = 100
        var map = FeatureMap()
        var corpus = Corpus(bounds: bounds)
        for index in 0..<1_000 {
            let features = index < 50 ? [UInt64(index) * 2 + 2] : [2, UInt64(10_000 + index * 2)]
            let (all, fresh) = map.take(features)
            corpus.keep(
                Keeper(name: CaseName(UInt32(index)), fresh: fresh.count, size: 3), all: all, new: fresh, map: map)
            #expect(corpus.keepers.count <= 100)
        }
        #expect(corpus.evicted >= 900)
        var dice = CaseName(1).dice(seed: 1, "pick")
        var fresh = 0
        for _ in 0..<1_000 where corpus.pick(&dice, map: map) == .fresh { fresh += 1 }
        #expect((50...160).contains(fresh))
    }

    // MARK: Derivation

    private struct Append: Mutator {
        static let name = "append"
        static let level = MutatorLevel.message
        static let summary = "Adds a message."
        func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
            var plan = plan
            plan.steps.append(
                Plan.Step(number: plan.steps.count + 1, user: "alice", verb: .sendText("\(dice.below(1 << 30))")))
            return plan
        }
    }
    private struct Never: Mutator {
        static let name = "never"
        static let level = MutatorLevel.session
        static let summary = "Changes nothing."
        func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? { nil }
    }

    private static func derivation(seed: UInt64 = 1, cached: Int = 512) -> Derivation {
        var bounds = Derivation.Bounds()
        bounds.cached = cached
        bounds.steps = 40
        let workshop = Workshop(contract: Contract(name: "none"), users: ["alice"])
        return Derivation(seed: seed, workshop: workshop, mutators: [Append.self, Never.self], bounds: bounds) { dice in
            var plan = Plan()
            plan.users = [Plan.User(name: "alice", credential: "none")]
            plan.steps = [Plan.Step(number: 1, user: "alice", verb: .connect(path: "/\(dice.below(9))", as: nil, headers: []))]
            return plan
        }
    }

    @Test func aNameMeansTheSameWhateverWasDerivedBefore() {
        var names: [CaseName] = (0..<60).map { CaseName($0) }
        for index in 0..<300 { names.append(names[(index * 7) % names.count].child(UInt32(index % 5))) }
        var warm = Self.derivation()
        let first = names.map { warm.plan(for: $0) }
        var small = Self.derivation(cached: 2)
        for index in names.indices.reversed() { #expect(small.plan(for: names[index]) == first[index]) }
        for index in [0, 70, 359] {
            var cold = Self.derivation()
            #expect(cold.plan(for: names[index]) == first[index])
        }
        #expect(first.contains { $0.mutators.isEmpty } && first.contains { $0.mutators.count > 2 })
        #expect(first.allSatisfy { $0.plan.steps.count <= 40 && $0.mutators.count <= 4 })
        var other = Self.derivation(seed: 2)
        #expect(names.map { other.plan(for: $0) } != first)
    }

    @Test func energiesKeepTheirFloor() {
        #expect(Energies.initial.percents.map(\.1).reduce(0, +) == 100)
        #expect(Energies.initial.perMille(.message) > Energies.initial.perMille(.handshake))
        let lame = Energies([.frame: 1])
        #expect(MutatorLevel.allCases.allSatisfy { lame.perMille($0) >= 30 } && lame.perMille(.frame) == 880)
        var dice = CaseName(1).dice(seed: 1, "energy")
        #expect((0..<50).allSatisfy { _ in lame.draw(&dice, among: [.handshake]) == .handshake })
        #expect(lame.draw(&dice, among: []) == nil)
    }
}
