import Oracles
import Peers
import Plans
import ReferenceBackend
import Testing

@testable import Fuzzing

/// Plans as large and noisy as the demo's are brought down to what shows the bug.
@Suite struct ConfirmShrinkTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var bug: BackendBug
        var property: String
        var plan: String
        var users = 1
        var testDescription: String { "\(bug.rawValue) from \(plan)" }
    }

    static let cases = [
        Case(bug: .lostGreetingDuringAccept, property: "H1", plan: "delayed-accept"),
        Case(bug: .greetingDroppedBehind101, property: "H1", plan: "transparent"),
        Case(bug: .completionMissingAfterToolError, property: "E1", plan: "crossed-streams"),
        Case(bug: .malformedSwallowed, property: "E3", plan: "mutated-requests"),
        Case(bug: .successWithoutUser, property: "E4", plan: "mutated-requests"),
        Case(bug: .errorToLastConnected, property: "I2", plan: "mutated-requests", users: 2),
        Case(bug: .foreignThreadAccepted, property: "I2", plan: "mutated-requests", users: 2),
        Case(bug: .badTokenSilence, property: "A1", plan: "crossed-streams"),
        Case(bug: .bareError, property: "E5", plan: "mutated-requests"),
    ]

    @Test(arguments: cases) func aBigPlanBecomesSmall(_ planted: Case) async throws {
        var plan = try #require(PlanLibrary.plan(planted.plan))
        if planted.bug == .lostGreetingDuringAccept {
            plan.faults = [
                Plan.FaultLine(id: "f1", kind: "accept-delay", words: ["stage", "upgrade-response", "delay", "5ms"]),
                Plan.FaultLine(id: "f2", kind: "accept-delay", words: ["stage", "upgrade-request", "delay", "150ms"]),
            ]
        }
        let runner = try SimulatedRunner([planted.bug])
        let run = await runner.run(plan, CaseOptions())
        let finding = try #require(run.judgement.findings.first { $0.property == planted.property })
        let confirmer = Confirmer(runner: runner, contract: runner.contract, quiet: Quiet(isolated: false))
        let confirmed = await confirmer.confirm(
            finding, plan: plan, seenIn: run, name: CaseName(1), executions: 1, within: ConfirmBudget(executions: 200))
        guard case .finding(let outcome) = confirmed else {
            Issue.record("\(confirmed)")
            return
        }
        let text = PlanText.print(outcome.plan)
        print("\(planted): \(plan.steps.count) → \(outcome.plan.steps.count) steps,", "\(outcome.plan.users.count) users,", "\(outcome.reruns) reruns\n\(text)")
        #expect(outcome.plan.steps.count <= 6)
        #expect(outcome.plan.users.count == planted.users)
        #expect(outcome.finding.id == finding.id)
        #expect(outcome.reruns <= 200)
        #expect(outcome.plan.steps.map(\.number) == Array(1...outcome.plan.steps.count))
        #expect(outcome.plan.users.map(\.name) == Array(Cast.names.prefix(planted.users)))
        #expect(outcome.plan.steps.count { $0.comment?.hasPrefix("fails here: ") == true } == 1)
        #expect(try PlanText.parse(text) == outcome.plan)
        if planted.bug == .lostGreetingDuringAccept {
            #expect(outcome.finding.attribution == .faultExposed(["f2"], failed: 5, of: 5))
        } else {
            #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
            #expect(outcome.plan.faults == [])
        }
    }

    /// What could not be tried is left out first: on a sound server it would keep the plan from being replayed.
    @Test func stepsThatCouldNotBeTriedGoFirst() async throws {
        var plan = try #require(PlanLibrary.plan("mutated-requests"))
        let user = try #require(plan.users.first?.name)
        let place = try #require(plan.steps.firstIndex { $0.user == user && !$0.verb.isGuard && !$0.verb.opens })
        plan.steps.insert(Plan.Step(number: 900, user: user, verb: .send(#"{"type":"cancel","run_id":$run9.run_id}"#)), at: place)
        let runner = try SimulatedRunner([.malformedSwallowed])
        let run = await runner.run(plan, CaseOptions())
        let finding = try #require(run.judgement.findings.first { $0.property == "E3" })
        let confirmer = Confirmer(runner: runner, contract: runner.contract, quiet: Quiet(isolated: false))
        let confirmed = await confirmer.confirm(
            finding, plan: plan, seenIn: run, name: CaseName(1), executions: 1, within: ConfirmBudget(executions: 22))
        guard case .finding(let outcome) = confirmed else {
            Issue.record("\(confirmed)")
            return
        }
        #expect(outcome.plan.steps.count < plan.steps.count)
        #expect(!PlanText.print(outcome.plan).contains("run9"))
    }
}
