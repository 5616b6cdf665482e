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
            #expect(outcome.finding.attribution == .faultExposed(["f2"], failed: 5, of: 5, without: 5))
        } else {
            #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
            #expect(outcome.plan.faults == [])
        }
    }

    /// What could not be tried, and what is waited for in vain, is left out first: on a sound server it would keep the plan
    /// from being replayed, and each play takes longer for it.
    @Test func stepsThatCouldNotBeTriedGoFirst() async throws {
        var plan = try #require(PlanLibrary.plan("mutated-requests"))
        let user = try #require(plan.users.first?.name)
        let place = try #require(plan.steps.firstIndex { $0.user == user && !$0.verb.isGuard && !$0.verb.opens })
        plan.steps.insert(Plan.Step(number: 900, user: user, verb: .send(#"{"type":"cancel","run_id":$run9.run_id}"#)), at: place)
        plan.steps.insert(Plan.Step(number: 901, user: user, verb: .until(["never_said"], within: .milliseconds(50))), at: place)
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
        #expect(!PlanText.print(outcome.plan).contains("run9") && !PlanText.print(outcome.plan).contains("never_said"))
    }

    /// How long a connection is held back is drawn anew for each: with fewer of them it might not show.
    @Test func whatIsDrawnIsMadeCertainFirst() async throws {
        let plan = try PlanText.parse(
            """
            miswire plan 1
            ---
            user alice credential subprotocol
            1 alice connect /ws
            2 alice send {"type":"agent_started","agent_name":"assistant","user_id":"{user}","message":"say {canary}"}
            3 alice until agent_completed within 1s
            4 alice frames fin=0 op=f "x"
            5 alice until closed within 2s
            6 alice reconnect
            7 alice until open within 2s
            8 alice send {"type":"agent_started","agent_name":"assistant","user_id":"{user}","message":"say {canary}"}
            9 alice until agent_completed and agent_completed and agent_completed within 2s
            faults
            f1 accept-delay stage upgrade-request delay 20ms jitter 200ms
            """)
        let runner = try SimulatedRunner([.lostGreetingDuringAccept])
        let confirmer = Confirmer(runner: runner, contract: runner.contract, quiet: Quiet(isolated: false))
        for number: UInt32 in 1...20 {
            let run = await runner.run(plan, CaseOptions())
            guard let finding = run.judgement.findings.first(where: { $0.property == "H1" }) else { continue }
            let confirmed = await confirmer.confirm(
                finding, plan: plan, seenIn: run, name: CaseName(number), executions: 1, within: ConfirmBudget(executions: 200))
            // The draws of the reruns may all have been kind.
            guard case .finding(let outcome) = confirmed else { continue }
            let words = outcome.plan.steps.map { PlanText.words(of: $0.verb) }
            #expect(words == ["connect /ws", "until connected within 600ms"])
            #expect(outcome.plan.faults.map(\.words) == [["stage", "upgrade-request", "delay", "220ms"]])
            #expect(outcome.finding.attribution == .faultExposed(["f1"], failed: 5, of: 5, without: 5))
            return
        }
        Issue.record("no run shows it")
    }
}
