import Oracles
import Peers
import Plans
import ReferenceBackend
import Testing

@testable import Fuzzing

/// What decks from the contract alone show on a server that they know nothing of.
@Suite struct GenerateOnBackendTests {
    /// A sound server is blamed for nothing.
    @Test func soundServerIsBlamedForNothing() async throws {
        let plans = ContractPlans(try workshop("demo"))
        let runner = try SimulatedRunner([])
        for (deck, stride) in [(plans.flows, 1), (plans.boundaries, 5), (plans.isolation, 4)] {
            for index in Swift.stride(from: 0, to: deck.count, by: stride) {
                let run = await runner.run(deck[index], CaseOptions())
                #expect(run.judgement.findings == [], "\(deck[index].head.comments)")
            }
        }
        var dice = CaseName(1).dice(seed: 11, "fresh")
        for _ in 0..<20 {
            let plan = plans.fresh(&dice)
            let run = await runner.run(plan, CaseOptions())
            #expect(run.judgement.findings == [], "\(PlanText.print(plan))")
        }
    }

    /// Each defect that needs no fault is shown under the right name within the first plans of a deck.
    @Test(arguments: [
        ("B02", "H1", "flows", 1), ("B03", "E1", "boundaries", 12), ("B08", "E3", "boundaries", 6),
        ("B09", "E4", "boundaries", 6), ("B10", "I2", "isolation", 2), ("B12", "I2", "isolation", 12),
        ("B15", "A1", "isolation", 12), ("B28", "E5", "boundaries", 2),
    ])
    func defectsAreShown(bug: String, property: String, deckName: String, within: Int) async throws {
        let plans = ContractPlans(try workshop("demo"))
        let runner = try SimulatedRunner(BackendBug.list(bug))
        let deck = deckName == "flows" ? plans.flows : deckName == "boundaries" ? plans.boundaries : plans.isolation
        var shown: [String] = []
        for index in 0..<min(within, deck.count) where !shown.contains(property) {
            shown += await runner.run(deck[index], CaseOptions()).judgement.findings.map(\.property)
        }
        #expect(shown.contains(property))
        #expect(shown.first == property)
    }
}
