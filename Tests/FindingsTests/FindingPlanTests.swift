import Journaling
import Oracles
import Plans
import Testing

@testable import Findings

@Suite struct FindingPlanTests {
    @Test(arguments: [("I2-7c1e44", "I2-7c1e44.plan"), ("../../etc/x", "etcx.plan"), ("a\0b/é", "ab.plan")])
    func noInputBecomesAPath(id: String, name: String) { #expect(FindingPlan.fileName(id) == name) }

    @Test func theFileIsThePlanWithAHeadThatReadsBack() throws {
        let finding = Finding(
            property: "I2", also: ["E3"], fingerprint: "7c1e44", sentence: "alice's error is delivered to bob",
            requirement: "", expected: "", found: "", offending: nil, witness: [], sessions: [], users: ["alice"],
            instant: .zero, faults: [], contractFile: "", contractLine: 0)
        var plan = Plan()
        plan.users = [.init(name: "alice", credential: "header")]
        plan.steps = [.init(number: 1, user: "alice", verb: .connect(path: "/ws", as: nil, headers: []))]
        let file = FindingPlan(
            finding, steps: plan, origin: "demo, seed 1, miswire 0.1.0, profile none, contract demo 3f9c21",
            attribution: "intrinsic, 5 of 5")
        let text = PlanText.print(file.plan)
        let read = try PlanText.parse(text)
        #expect(read.head.finding == "I2-7c1e44" && read.head.also == ["E3"])
        #expect(read.steps == plan.steps && PlanText.print(read) == text)
    }
}
