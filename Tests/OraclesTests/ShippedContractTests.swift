import Contracts
import Profiles
import Testing

@testable import Oracles

/// The contracts that miswire brings, each before servers that keep to it and servers that do not (Tests/OraclesTests/Traces).
@Suite struct ShippedContractTests {
    static let traces = ContractLoader.shipped.flatMap { Trace.all(of: $0) }

    @Test(arguments: traces)
    func findsWhatIsWrongAndNothingElse(trace: Trace) throws {
        let contract = try ContractLoader().load(trace.contract)
        let judgement = judge(contract, until: trace.until) { trace.tell(&$0) }
        #expect(judgement.findings.map(\.property) == trace.finds, "\(judgement.sentences)")
        #expect(judgement.findings.allSatisfy { !$0.witness.isEmpty })
        for id in trace.keeps {
            #expect(judgement.summary(id).passed > 0, "\(id) \(judgement.counts(id)) \(judgement.summary(id).notApplicable ?? "")")
        }
        if trace.finds.isEmpty { #expect(judgement.failed.isEmpty) }
    }

    /// Each shipped contract shows both: what it keeps on good traffic, and what it finds on bad.
    @Test(arguments: ContractLoader.shipped.filter { $0 != "demo" })
    func isShownOnGoodTrafficAndOnBad(name: String) {
        let traces = Self.traces.filter { $0.contract == name }
        #expect(traces.contains { $0.finds.isEmpty && !$0.keeps.isEmpty })
        #expect(traces.contains { !$0.finds.isEmpty })
        #expect(Set(traces.map(\.name)).count == traces.count)
    }
}
