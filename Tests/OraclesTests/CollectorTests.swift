import Journaling
import Testing

@testable import Oracles

/// Violations of one cause become one finding.
@Suite struct CollectorTests {
    private static func item(_ property: String, _ causes: [Evidence.Cause], _ what: String) -> Collector.Item {
        let evidence = Evidence(
            causes: causes, offending: nil, witness: [], sessions: [], users: [], instant: .zero, faults: [])
        return Collector.Item(
            property: property, requirement: "",
            violation: Violation(edge: what, types: [], sentence: what, expected: "", found: "", evidence: evidence, line: 0))
    }

    /// A group that turns out to be another's gives up its place with all its causes, also where it was the last one.
    @Test func causesGoWithTheGroupThatGivesWay() {
        var collector = Collector(contractFile: "x")
        collector.add([Self.item("I2", [.run(1)], "leak")])
        collector.add([Self.item("E4", [.request(3), .run(7)], "success")])
        #expect(collector.findings.map(\.property) == ["I2", "E4"])
        collector.add([Self.item("I2", [.run(7)], "leak")])
        #expect(collector.findings.map(\.property) == ["I2"])
        collector.add([Self.item("E4", [.request(3)], "success")])
        #expect(collector.findings.map(\.property) == ["I2"])
        #expect(collector.findings.first?.also == ["E4"])
    }

    @Test func theOthersKeepTheirCauses() {
        var collector = Collector(contractFile: "x")
        collector.add([Self.item("I2", [.run(1)], "leak")])
        collector.add([Self.item("E4", [.request(3), .run(7)], "success")])
        collector.add([Self.item("E3", [.request(9)], "silence")])
        collector.add([Self.item("I2", [.run(7)], "leak")])
        collector.add([Self.item("E5", [.request(9)], "form")])
        #expect(collector.findings.map(\.property) == ["I2", "E3"])
        #expect(collector.findings.last?.also == ["E5"])
    }
}
