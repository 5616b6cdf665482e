import Contracts
import Journaling
import Plans
import Profiles
import Testing
import Wire

@testable import Fuzzing

@Suite struct MessageMutatorTests {
    private func seeds(_ name: String) throws -> [Plan] {
        let plans = ContractPlans(try workshop(name))
        let shipped = PlanLibrary.names.prefix(6).compactMap { PlanLibrary.plan($0) }
        return (name == "echo" ? [] : shipped) + (0..<min(12, plans.boundaries.count)).map { plans.boundaries[$0] }
            + (0..<plans.flows.count).map { plans.flows[$0] } + (0..<plans.isolation.count).map { plans.isolation[$0] }
    }

    private func mutant(_ type: any Mutator.Type, _ plan: Plan, _ workshop: Workshop, _ dice: inout Dice) -> Plan? {
        let mutator: any Mutator = type.init()
        return mutator.mutate(plan, in: workshop, dice: &dice)
    }

    @Test(arguments: ["agent-chat", "echo"])
    func resultsAreAlwaysPlans(name: String) throws {
        let seeds = try seeds(name)
        let workshop = try workshop(name, seeds: seeds)
        var applied: [String: Int] = [:]
        let draws = 25
        for type in MutatorRegistry.all where type.level == .message {
            for number in 0..<draws {
                var dice = CaseName(UInt32(number)).dice(seed: 3, type.name)
                var same = dice
                let seed = seeds[dice.below(seeds.count)]
                _ = same.below(seeds.count)
                guard let plan = mutant(type, seed, workshop, &dice) else { continue }
                applied[type.name, default: 0] += 1
                #expect(plan != seed)
                if number < 5 {
                    let again = mutant(type, seed, workshop, &same)
                    #expect(plan == again)
                }
                expectSound(plan, "\(type.name) \(number)")
            }
        }
        let names = MutatorRegistry.all.filter { $0.level == .message }.map { $0.name }
        #expect(Set(names).count == names.count)
        if name == "agent-chat" {
            for name in names { #expect(applied[name, default: 0] > draws / 10, "\(name) \(applied[name] ?? 0)") }
        } else {
            for name in ["message-unicode", "message-oversize", "message-as-bytes", "message-truncate"] {
                #expect(applied[name, default: 0] > 0)
            }
        }
    }

    @Test func mutantsOfMutantsStayPlans() throws {
        let seeds = try seeds("agent-chat")
        let workshop = try workshop("agent-chat", seeds: seeds)
        let types = MutatorRegistry.all.filter { $0.level == .message }
        for number in 0..<30 {
            var plan = seeds[number % seeds.count]
            var dice = CaseName(UInt32(number)).dice(seed: 5, "chain")
            for _ in 0..<8 {
                let type = types[dice.below(types.count)]
                plan = mutant(type, plan, workshop, &dice) ?? plan
            }
            expectSound(plan, "chain \(number)")
        }
    }

    @Test func mustRejectIsWhatItSays() throws {
        let workshop = try workshop("agent-chat")
        let labels = StaticLabels(workshop)
        let seed = ContractPlans(workshop).flows[0]
        var rules: Set<Int> = []
        for number in 0..<200 {
            var dice = CaseName(UInt32(number)).dice(seed: 9, "reject")
            guard let plan = MustReject().mutate(seed, in: workshop, dice: &dice) else { continue }
            guard let place = plan.steps.firstIndex(where: \.verb.sends),
                case .mustReject(let rule, _) = labels.label(plan.steps[place].verb)
            else {
                Issue.record("not refused: \(PlanText.print(plan))")
                continue
            }
            rules.insert(rule)
            #expect(plan.steps[place + 1].verb == .until(["agent_completed|error|closed"], within: .seconds(1)))
        }
        #expect(rules.isSuperset(of: [0, 1, 2, 3, 4, 6]))
    }

    /// A contract reaches what only a word of its dictionary opens.
    @Test func wordsGoIntoMessages() throws {
        let workshop = try workshop("agent-chat")
        let seed = ContractPlans(workshop).flows[0]
        let texts = (0..<300).compactMap { number -> String? in
            var dice = CaseName(UInt32(number)).dice(seed: 2, "word")
            return DictionaryWord().mutate(seed, in: workshop, dice: &dice).map { PlanText.print($0) }
        }
        #expect(texts.contains { $0.contains(#""agent_name":"tooluser""#) })
        #expect(texts.contains { $0.contains("say {canary} please fail") })
        #expect(texts.contains { $0.contains(#""user_id":"researcher""#) })
    }
}
