import Testing

@testable import Plans

@Suite struct PlanReducerTests {
    private let plan = try? PlanText.parse(
        """
        miswire plan 1
        ---
        user alice credential header
        user bob credential header
        user carol credential header
        1 alice connect /ws
        2 alice until open within 1s
        3 bob connect /ws
        4 bob until open within 1s
        5 carol connect /ws
        6 alice send {"n":1}
        7 alice until answer within 1s
        8 bob send {"n":2}
        9 bob until answer within 1s
        10 alice send {"n":3}
        11 alice until error within 1s
        12 together 8,10
        13 carol send {"n":4}
        faults none
        """)

    @Test func candidatesAreValidAndEndWithThePlanItself() throws {
        let plan = try #require(plan)
        let candidates = PlanReducer.candidates(plan, witnesses: ["alice", "bob"], upTo: 10)
        #expect(candidates.last == plan)
        #expect(candidates.first?.steps.map(\.number) == [1, 2, 3, 4, 10, 11])
        for candidate in candidates { #expect(try PlanText.parse(PlanText.print(candidate)) == candidate) }
    }

    @Test func reducesToWhatTheFailureNeeds() async throws {
        let plan = try #require(plan)
        let (small, spent) = await PlanReducer.reduce(plan, executions: 200) { candidate in
            candidate.steps.contains { $0.number == 10 } && candidate.steps.contains { $0.number == 3 }
        }
        #expect(small.steps.map(\.number) == [3, 10])
        #expect(small.users.map(\.name) == ["alice", "bob"])
        #expect(spent <= 200)
    }

    @Test func asksNoMoreOftenThanItMay() async throws {
        let plan = try #require(plan)
        var asked = 0
        let (small, spent) = await PlanReducer.reduce(plan, executions: 3) { _ in
            asked += 1
            return false
        }
        #expect(small == plan)
        #expect(asked == 3 && spent == 3)
    }
}
