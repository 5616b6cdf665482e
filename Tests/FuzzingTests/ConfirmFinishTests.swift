import Contracts
import Oracles
import Peers
import Plans
import Profiles
import Testing

@testable import Fuzzing

/// How a plan is written for people.
@Suite struct ConfirmFinishTests {
    private static func plan(_ lines: String, _ faults: String = "faults none") throws -> Plan {
        try PlanText.parse("miswire plan 1\n---\n\(lines)\n\(faults)\n")
    }

    @Test func stepsAreNumberedAndBarriersFollow() throws {
        let plan = try Self.plan(
            """
            user alice credential header
            user bob credential header
            3 alice connect /ws
            7 bob connect /ws # late
            # Both at once.
            20 together 3,7
            """)
        let finished = Finish.numbered(plan)
        #expect(finished.steps.map(\.number) == [1, 2, 3])
        #expect(finished.steps[2].verb == .together([1, 2]))
        #expect(finished.steps[1].comment == "late")
        #expect(finished.steps[2].above == ["Both at once."])
        #expect(try PlanText.parse(PlanText.print(finished)) == finished)
        #expect(Finish.uncommented(finished).steps.map(\.above) == [[], [], []])
        #expect(Finish.uncommented(finished).steps[1].comment == "late")
    }

    @Test func usersAreNamedInOrderOfAppearance() throws {
        let plan = try Self.plan(
            """
            user alice credential header
            user bob credential query
            user dave credential cookie
            1 dave connect /ws?u=$dave.id
            2 bob connect /ws header X-Peer: $dave.id
            3 bob send {"user_id":$bob.id,"thread_id":$dave.run1.thread_id,"name":"dave","text":"dave and bob"}
            4 dave send text "$bob.id $$dave.id"
            """, "faults\nf1 accept-delay delay 5ms user dave")
        let named = Finish.named(plan, Cast.names)
        #expect(named.users.map(\.name) == ["alice", "bob", "carol"])
        #expect(named.users.map(\.credential) == ["cookie", "query", "header"])
        #expect(named.steps.map { $0.user ?? "" } == ["alice", "bob", "bob", "alice"])
        #expect(
            named.steps.map { PlanText.words(of: $0.verb) } == [
                "connect /ws?u=$alice.id", "connect /ws header X-Peer: $alice.id",
                #"send {"user_id":$bob.id,"thread_id":$alice.run1.thread_id,"name":"alice","text":"dave and bob"}"#,
                #"send text "$bob.id $$dave.id""#,
            ])
        #expect(named.faults[0].words == ["delay", "5ms", "user", "alice"])
    }

    /// The reruns of a fuzzer give up sooner than a plan says; whoever replays it shall not wait for what never came.
    @Test func guardsThatWaitedInVainWaitNoLonger() throws {
        let plan = try Self.plan(
            """
            user alice credential header
            1 alice connect /ws
            2 alice until agent_completed within 30s
            3 alice until error within 200ms
            4 alice until agent_started|closed within 20s
            5 alice until connected within 10s
            """)
        func result(_ number: Int, _ outcome: StepResult.Outcome, _ took: Duration) -> StepResult {
            StepResult(number: number, outcome: outcome, started: .zero, took: took)
        }
        let results = [
            result(2, .failed("got connected"), .microseconds(2_000_150)), result(3, .failed("got nothing"), .seconds(1)),
            result(4, .failed("the server ended the connection"), .milliseconds(3)), result(5, .ok, .seconds(3)),
        ]
        let words = { (plan: Plan) in plan.steps.dropFirst().map { PlanText.words(of: $0.verb) } }
        #expect(
            words(Finish.hurried(plan, results)) == [
                "until agent_completed within 2s", "until error within 200ms", "until agent_started|closed within 20s",
                "until connected within 10s",
            ])
        #expect(Finish.hurried(plan, results, before: 1) == plan)
    }

    @Test func moreUsersThanNamesKeepTheirs() throws {
        let plan = try Self.plan("user x credential none\nuser y credential none\n1 y connect /ws")
        #expect(Finish.named(plan, ["alice"]) == plan)
    }

    @Test func theGuardBehindTheOffenceSaysWhatWasExpected() throws {
        let contract = try ContractLoader().load("demo")
        let lines = """
            user alice credential header
            1 alice connect /ws
            2 alice until open within 2s
            3 alice send text "{"
            """
        let finding = ScriptedRunner.finding("E3")
        let bare = Finish.expecting(try Self.plan(lines), finding, contract)
        #expect(PlanText.words(of: bare.steps[3].verb) == "until error within 500ms")
        let vague = try Self.plan(lines + "\n4 alice until agent_completed|error within 9s")
        #expect(Finish.expecting(vague, finding, contract).steps.map(\.verb) == bare.steps.map(\.verb))
        let results = [StepResult(number: 4, outcome: .failed("bob got error at 6 ms"), started: .zero, took: .zero)]
        #expect(Finish.commented(bare, finding, results).steps[3].comment == "fails here: bob got error")
        let early = [StepResult(number: 4, outcome: .failed("got connected"), started: .zero, took: .zero)]
        #expect(Finish.commented(bare, finding, early).steps[3].comment == "fails here: nothing for alice")
        #expect(Finish.commented(bare, finding, []).steps[3].comment == "fails here: nothing for alice")
    }

    @Test func aGuardWatchesTheConnectionThatWasOpened() throws {
        let contract = try ContractLoader().load("demo")
        let plan = try Self.plan("user alice credential header corrupt\n1 alice connect /ws as probe")
        let finding = ScriptedRunner.finding("A1")
        let expecting = Finish.expecting(plan, finding, contract)
        #expect(expecting.steps.last?.connection == "probe")
        #expect(Finish.expecting(expecting, finding, contract) == expecting)
    }

    @Test func aGuardNeverStandsInABarrier() throws {
        let contract = try ContractLoader().load("demo")
        let plan = try Self.plan(
            """
            user alice credential header
            user bob credential header
            1 alice send text "{"
            2 bob send text "{"
            3 together 1,2
            """)
        let expecting = Finish.expecting(plan, ScriptedRunner.finding("E3"), contract)
        #expect(expecting.steps.map(\.number) == [1, 2, 4, 3])
        #expect(try PlanText.parse(PlanText.print(Finish.numbered(expecting))).steps.count == 4)
    }
}
