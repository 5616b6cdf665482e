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

    /// Whoever the witnesses are and wherever it was seen: each candidate is a plan of its own, none is larger than the
    /// next, none comes twice, and the plan itself is the last.
    @Test(arguments: [["alice"], ["bob"], ["carol"], ["alice", "bob", "carol"], [], ["nobody"]], [nil, 1, 6, 9, 12, 13, 99])
    func candidatesGrow(_ witnesses: [String], _ last: Int?) throws {
        let plan = try #require(plan)
        let candidates = PlanReducer.candidates(plan, witnesses: witnesses, upTo: last)
        #expect(candidates.last == plan)
        let sizes = candidates.map(\.steps.count)
        #expect(sizes == sizes.sorted())
        for (index, candidate) in candidates.enumerated() {
            #expect(try PlanText.parse(PlanText.print(candidate)) == candidate)
            #expect(!candidates.dropFirst(index + 1).contains { $0.steps == candidate.steps })
            let labels = candidate.steps.map(\.number)
            #expect(labels == labels.sorted() && Set(labels).isSubset(of: plan.steps.map(\.number)))
        }
    }

    @Test(arguments: 1...9) func theBoundKeepsThePlanItself(_ bound: Int) throws {
        let plan = try #require(plan)
        let candidates = PlanReducer.candidates(plan, witnesses: ["alice"], upTo: 10, bound: bound)
        #expect(candidates.count <= bound)
        #expect(candidates.last == plan)
    }

    @Test func barriersNameWhatIsLeft() throws {
        let text = """
            miswire plan 1
            ---
            user a credential none
            user b credential none
            user c credential none
            1 a connect /ws
            2 b connect /ws
            3 c connect /ws
            4 together 1,2,3
            5 a send {"n":1}
            faults none
            """
        let plan = try PlanText.parse(text)
        #expect(PlanReducer.keeping(["a", "b"], in: plan).steps.last { $0.user == nil }?.verb == .together([1, 2]))
        #expect(PlanReducer.keeping(["a"], in: plan).steps.map(\.number) == [1, 5])
        #expect(PlanReducer.keeping(["nobody"], in: plan) == plan)
    }

    /// Regression: a plan without the user whose values it wants could not be read again.
    @Test(arguments: [
        "alice send {\"to\":$bob.id}", "alice send text \"for $bob.run1.thread_id\"", "alice connect /ws?of=$bob.id",
        "alice connect /ws header X-Of: $bob.id", "alice reconnect cursor $bob.cursor",
    ])
    func whoIsNamedStaysDeclared(_ step: String) throws {
        let text = """
            miswire plan 1
            ---
            user alice credential none
            user bob credential none
            1 bob connect /ws
            2 alice connect /ws
            3 \(step)
            faults none
            """
        let plan = try PlanText.parse(text)
        let smaller = PlanReducer.keeping(["alice"], in: plan)
        #expect(smaller.steps.map(\.number) == [2, 3])
        #expect(smaller.users == plan.users)
        #expect(try PlanText.parse(PlanText.print(smaller)) == smaller)
    }

    /// Whatever the failure needs, it is kept, what stays is a plan, and one more step would lose it.
    @Test(arguments: 0..<40) func reducesToAMinimum(_ number: Int) async throws {
        let plan = try #require(plan)
        let labels = plan.steps.filter { $0.user != nil }.map(\.number)
        let needed: Set<Int> = [labels[number % labels.count], labels[(number * 7 + 3) % labels.count]]
        var asked = 0
        let (small, spent) = await PlanReducer.reduce(plan, executions: 500) { candidate in
            asked += 1
            return needed.isSubset(of: candidate.steps.map(\.number))
        }
        #expect(spent == asked)
        #expect(spent < 200)
        #expect(Set(small.steps.map(\.number)).subtracting([12]) == needed)
        #expect(try PlanText.parse(PlanText.print(small)) == small)
    }

    @Test(arguments: 0..<30) func neverAsksMoreOftenThanItMay(_ executions: Int) async throws {
        let plan = try #require(plan)
        for answer in [true, false] {
            var asked = 0
            let (_, spent) = await PlanReducer.reduce(plan, executions: executions) { candidate in
                asked += 1
                return answer && candidate.steps.count > 2
            }
            #expect(asked == spent && spent <= executions)
        }
    }
}
