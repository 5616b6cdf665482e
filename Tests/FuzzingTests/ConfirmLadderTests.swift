import Contracts
import Oracles
import Peers
import Plans
import Profiles
import ReferenceBackend
import Synchronization
import Testing

@testable import Fuzzing

/// What reruns say, one after the other, and what is made of it.
@Suite struct ConfirmLadderTests {
    private static let steps = """
        miswire plan 1
        ---
        user alice credential header
        4 alice connect /ws
        6 alice until open within 2s
        9 alice send text "{"
        """
    private static func plan(_ faults: String = "faults none") throws -> Plan {
        try PlanText.parse(steps + "\n" + faults + "\n")
    }
    private static let target = ScriptedRunner.finding("E3")

    private static func confirm(
        _ runner: some CaseRunner, plan: Plan? = nil, seen: [Finding] = [target], isolated: Bool = false,
        budget: ConfirmBudget = ConfirmBudget(time: .seconds(3_600), shrinks: false)
    ) async throws -> Confirmed {
        let contract = try ContractLoader().load("demo")
        let confirmer = Confirmer(runner: runner, contract: contract, quiet: Quiet(isolated: isolated, lanes: 3))
        return await confirmer.confirm(
            target, plan: try plan ?? Self.plan(), seenIn: ScriptedRunner.run(.init(findings: seen)),
            name: CaseName(7), executions: 70, within: budget)
    }

    @Test func whatShowsEveryTimeIsIntrinsicAfterFiveReruns() async throws {
        let runner = ScriptedRunner { _, _ in .init(findings: [Self.target]) }
        let confirmed = try await Self.confirm(runner)
        guard case .finding(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        #expect(outcome.reruns == 5)
        #expect(outcome.name == CaseName(7))
        #expect(outcome.executions == 70)
        #expect(runner.most == 1)
    }

    @Test func isolatedRerunsOverlapAndCountTheSame() async throws {
        let runner = ScriptedRunner { _, _ in
            for _ in 0..<50 { await Task.yield() }
            return .init(findings: [Self.target])
        }
        let outcome = try await Self.confirm(runner, isolated: true).outcome
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        #expect(runner.plans.count == 5)
        #expect(runner.most <= 3)
    }

    /// Three times nothing alone, three times with a bystander, three times with one that does something: enough.
    @Test func whatNeverShowsAgainIsFlaky() async throws {
        let runner = ScriptedRunner { _, _ in .init() }
        let confirmed = try await Self.confirm(runner)
        guard case .flaky(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .flaky(failed: 1, of: 10))
        #expect(outcome.reason == nil)
        #expect(outcome.plan == (try Self.plan()))
        #expect(runner.plans.map(\.users.count) == [1, 1, 1, 2, 2, 2, 2, 2, 2])
    }

    @Test(arguments: [[1, 3], [2, 4]]) func whatShowsSometimesIsFlaky(_ shown: [Int]) async throws {
        let runner = ScriptedRunner { _, number in .init(findings: shown.contains(number) ? [Self.target] : []) }
        let confirmed = try await Self.confirm(runner)
        guard case .flaky(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .flaky(failed: 3, of: 6))
        #expect(runner.plans.count == 5)
    }

    @Test func whatMostlyShowsIsFlakyUnlessASmallerPlanAlwaysDoes() async throws {
        let runner = ScriptedRunner { plan, number in
            .init(findings: plan.steps.count < 3 || number != 2 ? [Self.target] : [])
        }
        let large = try await Self.confirm(runner)
        guard case .flaky(let outcome) = large else { return #expect(Bool(false), "\(large)") }
        #expect(outcome.finding.attribution == .flaky(failed: 4, of: 5))
        let again = ScriptedRunner { plan, number in
            .init(findings: plan.steps.count < 3 || number != 2 ? [Self.target] : [])
        }
        let small = try await Self.confirm(again, budget: ConfirmBudget())
        #expect(small.outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
    }

    // MARK: Undecided

    @Test(arguments: [0, 1, 2]) func anUndecidedRerunIsRepeated(_ kind: Int) async throws {
        let undecided = Self.undecided[kind]
        let runner = ScriptedRunner { _, number in number.isMultiple(of: 2) ? undecided : .init(findings: [Self.target]) }
        let confirmed = try await Self.confirm(runner)
        guard case .finding(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        #expect(runner.plans.count == 9)
    }
    private static let undecided: [ScriptedRunner.Play] = [
        .init(undecided: "E3"), .init(isCut: true), .init(unreachable: ["connection refused"]),
    ]

    @Test func whatCanNeverBeDecidedIsFlakyAndSaysWhy() async throws {
        let runner = ScriptedRunner { _, _ in .init(undecided: "E3") }
        let confirmed = try await Self.confirm(runner)
        guard case .flaky(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .flaky(failed: 1, of: 1))
        #expect(outcome.reason == "6 of 6 reruns could not be decided: E3 is still open")
        #expect(runner.plans.count == 6)
    }

    @Test func anotherPropertyLeftOpenSaysNothing() async throws {
        let runner = ScriptedRunner { _, _ in .init(undecided: "E1") }
        let confirmed = try await Self.confirm(runner)
        #expect(confirmed.outcome.reason == nil)
        #expect(confirmed.outcome.finding.attribution == .flaky(failed: 1, of: 10))
    }

    // MARK: Slips

    @Test func whatShowsInItsPlaceIsConfirmedInstead() async throws {
        let other = ScriptedRunner.finding("E1", "0a0b0c")
        let runner = ScriptedRunner { _, _ in .init(findings: [other]) }
        let confirmed = try await Self.confirm(runner)
        guard case .slipped(let shown, let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(shown.id != "E1-0a0b0c" && outcome.seenAs == shown.id)
        #expect(outcome.finding.id == "E1-0a0b0c")
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        #expect(runner.plans.allSatisfy { $0.users.count == 1 })
    }

    /// It stands beside the finding in the case's own run: somebody else confirms it.
    @Test func whatWasThereBeforeIsNoSlip() async throws {
        let other = ScriptedRunner.finding("E1", "0a0b0c")
        let runner = ScriptedRunner { _, _ in .init(findings: [other]) }
        let confirmed = try await Self.confirm(runner, seen: [Self.target, other])
        guard case .flaky = confirmed else { return #expect(Bool(false), "\(confirmed)") }
    }

    @Test func somethingElseOnceIsToldButNoSlip() async throws {
        let other = ScriptedRunner.finding("E1", "0a0b0c")
        let runner = ScriptedRunner { _, number in .init(findings: number == 2 ? [other] : []) }
        let told = Mutex<[String]>([])
        var confirmer = Confirmer(
            runner: runner, contract: try ContractLoader().load("demo"), quiet: Quiet(isolated: false))
        confirmer.onSlip = { finding, _, _ in told.withLock { $0.append(finding.id) } }
        let confirmed = await confirmer.confirm(
            Self.target, plan: try Self.plan(), seenIn: ScriptedRunner.run(.init(findings: [Self.target])),
            name: CaseName(1), executions: 1)
        guard case .flaky = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(told.withLock { $0 } == ["E1-0a0b0c"])
    }

    // MARK: Company

    /// B10 on a plan of one user: its error goes to whoever connected last, and alone that is the user itself.
    @Test func whatNeedsSomebodyElseIsShownInCompany() async throws {
        let plan = try PlanText.parse(
            Self.steps + "\n10 alice until error within 500ms\nfaults none\n")
        let runner = try SimulatedRunner([.errorToLastConnected])
        let crowd = Company.variants(of: plan, contract: runner.contract, names: Cast.names)
        #expect(crowd.map(\.users.count) == [2, 2])
        #expect(crowd[0].steps.map { $0.user ?? "" } == ["alice", "alice", "bob", "bob", "alice", "alice"])
        let run = await runner.run(crowd[0], CaseOptions())
        let finding = try #require(run.judgement.findings.first { $0.property == "I2" })
        let confirmer = Confirmer(runner: runner, contract: runner.contract, quiet: Quiet(isolated: false))
        let confirmed = await confirmer.confirm(
            finding, plan: plan, seenIn: run, name: CaseName(1), executions: 1)
        guard case .finding(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        #expect(outcome.plan.users.map(\.name) == ["alice", "bob"])
        #expect(outcome.plan.steps.count <= 6)
    }

    /// Seen as a missing error while another case was played beside it; in company it is what it is.
    @Test func inCompanyItMaySlip() async throws {
        let misrouted = ScriptedRunner.finding("I2", "0a0b0c", users: ["alice", "bob"])
        let runner = ScriptedRunner { plan, _ in .init(findings: plan.users.count > 1 ? [misrouted] : []) }
        let confirmed = try await Self.confirm(runner)
        guard case .slipped(let shown, let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(shown.id != "I2-0a0b0c" && outcome.finding.id == "I2-0a0b0c" && outcome.seenAs == shown.id)
        #expect(outcome.plan.users.count == 2)
    }

    // MARK: Faults

    private static let two = "faults\na accept-delay delay 1ms\nb accept-delay delay 2ms\nc accept-delay delay 3ms\nd accept-delay delay 4ms"

    @Test(arguments: [["b"], ["a", "c"], ["a", "b", "d"], []]) func theFewestFaultsAreNamed(_ needed: [String]) async throws {
        let runner = ScriptedRunner { plan, _ in
            .init(findings: Set(needed).isSubset(of: plan.faults.map(\.id)) ? [Self.target] : [])
        }
        let outcome = try await Self.confirm(runner, plan: Self.plan(Self.two)).outcome
        #expect(outcome.plan.faults.map(\.id) == needed)
        #expect(
            outcome.finding.attribution
                == (needed.isEmpty ? .intrinsic(failed: 5, of: 5) : .faultExposed(needed, failed: 5, of: 5, without: 5)))
    }

    // MARK: Ends

    @Test func aBudgetThatEndsEarlyLeavesTheBestSoFar() async throws {
        let plan = try #require(PlanLibrary.plan("mutated-requests"))
        let runner = ScriptedRunner { plan, _ in
            .init(findings: plan.steps.contains { $0.verb == .sendText(#"{"type":"agent_started","#) } ? [Self.target] : [])
        }
        let outcome = try await Self.confirm(runner, plan: plan, budget: ConfirmBudget(executions: 25)).outcome
        #expect((20...25).contains(outcome.reruns))
        #expect(outcome.plan.steps.count < plan.steps.count)
        #expect(outcome.finding.attribution == .intrinsic(failed: 5, of: 5))
        let less = try await Self.confirm(runner, plan: plan, budget: ConfirmBudget(executions: 2)).outcome
        #expect(less.finding.attribution == .intrinsic(failed: 2, of: 2))
        let nothing = try await Self.confirm(runner, plan: plan, budget: ConfirmBudget(executions: 0)).outcome
        #expect(nothing.finding.attribution == .unattributed)
        #expect(nothing.reason == "there was no time to run it again")
        #expect(nothing.plan == plan)
    }

    @Test func timeThatIsUpLeavesTheBestSoFar() async throws {
        let runner = ScriptedRunner { _, _ in .init(findings: [Self.target]) }
        let outcome = try await Self.confirm(runner, budget: ConfirmBudget(time: .zero)).outcome
        #expect(outcome.reruns == 0)
        #expect(outcome.finding.attribution == .unattributed)
    }

    @Test(.timeLimit(.minutes(1))) func cancelledItReturnsWhatIsKnown() async throws {
        let (reached, signal) = AsyncStream<Void>.makeStream()
        let runner = ScriptedRunner { _, number in
            if number == 4 {
                signal.yield()
                // As a play would that somebody ends.
                while !Task.isCancelled { await Task.yield() }
                return .init()
            }
            return .init(findings: [Self.target])
        }
        let task = Task { try await Self.confirm(runner) }
        for await _ in reached { break }
        task.cancel()
        let confirmed = try await task.value
        guard case .finding(let outcome) = confirmed else { return #expect(Bool(false), "\(confirmed)") }
        #expect(outcome.finding.attribution == .intrinsic(failed: 3, of: 3))
        #expect(runner.plans.count == 4)
    }
}
