import Testing

@testable import Plans

@Suite struct PlanShrinkerTests {
    private static let large = """
        miswire plan 1
        ---
        user alice credential header
        user bob credential query
        user carol credential cookie
        1 alice connect /ws?a=b header Origin: http://a header X-Y: z
        2 bob connect /ws
        3 carol connect /ws as phone
        4 alice until open and connected within 2s
        5 bob until open within 2s
        6 carol.phone send {"carol":1}
        7 alice send {"type":"start","a":[1,2,{"deep":$alice.id,"x":"long text here"}],"ref":$bob.run1.id,"n":12345}
        8 bob send text "hello world"
        9 alice until done within 10s
        10 bob send {"type":"cross","thread":$alice.run1.thread_id,"more":{"a":null}}
        11 carol.phone frames fin=0 op=1 mask=none len=7:9 "abcdef" ; op=0 hex 00 01 02 03
        12 together 7,8
        13 bob send bytes 81 00 ff
        14 bob quiet for 2s
        15 alice close 1000 "bye"
        faults
        f1 accept-delay delay 400ms user alice
        f2 cut-connection how reset user bob
        """

    /// Shrinks with that predicate; every proposal must be a plan, smaller than the best so far, and new.
    private func shrink(
        _ text: String, witnesses: [String] = [], upTo last: Int? = nil, _ shows: (Plan) -> Bool
    ) throws -> PlanShrinker {
        let plan = try PlanText.parse(text)
        #expect(shows(plan))
        var shrinker = PlanShrinker(plan, witnesses: witnesses, upTo: last)
        var seen: Set<String> = []
        while let candidate = shrinker.next() {
            let text = PlanText.print(candidate)
            #expect(seen.insert(text).inserted)
            #expect(try PlanText.parse(text) == candidate)
            #expect(PlanWeight.of(candidate) < PlanWeight.of(shrinker.best))
            shrinker.answer(shows(candidate))
            if seen.count > PlanShrinker.mostQuestions { break }
        }
        #expect(shows(shrinker.best))
        return shrinker
    }

    private func words(_ plan: Plan) -> [String] {
        plan.steps.map { ($0.user ?? "-") + ($0.connection.map { "." + $0 } ?? "") + " " + PlanText.words(of: $0.verb) }
    }

    private func has(_ plan: Plan, _ part: String) -> Bool { words(plan).contains { $0.contains(part) } }

    private func start() throws -> String {
        // Whatever kinds of faults there are: these tests are about their number.
        let lines = Self.large.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        return lines.filter { !$0.hasPrefix("f2 ") }.joined(separator: "\n") + "\nf2 accept-delay delay 1s user bob"
    }

    @Test func endsAtExactlyTheTwoStepsThatMatter() throws {
        let shrinker = try shrink(try start(), witnesses: ["alice"]) {
            has($0, "alice send") && has($0, "bob send bytes")
        }
        #expect(words(shrinker.best) == ["alice send {}", "bob send bytes 81"] || words(shrinker.best).count == 2)
        #expect(shrinker.best.users.map(\.name) == ["alice", "bob"])
        #expect(shrinker.best.faults.isEmpty)
        #expect(shrinker.questions < 200)
    }

    @Test func keepsTheFaultTheHeaderAndTheMemberThatMatter() throws {
        let shrinker = try shrink(try start()) {
            $0.faults.contains { $0.id == "f2" } && has($0, "header X-Y: z") && has($0, #""deep":$alice.id"#)
        }
        #expect(shrinker.best.faults.map(\.id) == ["f2"])
        #expect(shrinker.best.users.map(\.name) == ["alice"])
        #expect(words(shrinker.best) == ["alice connect /ws header X-Y: z", #"alice send {"a":[{"deep":$alice.id}]}"#])
    }

    @Test func framesBytesGuardsAndDelaysShrink() throws {
        let shrinker = try shrink(try start()) {
            has($0, "len=7:9") && has($0, "until done") && has($0, "quiet") && has($0, "connected within")
        }
        let best = words(shrinker.best)
        #expect(best.contains("carol frames op=1 len=7:9"))
        #expect(best.contains("alice until done within 2500ms"))
        #expect(best.contains { $0.hasPrefix("alice until connected within ") })
        #expect(best.contains { $0.hasPrefix("bob quiet for 1") || $0.hasPrefix("bob quiet for 2") })
        #expect(best.count == 4)
        #expect(shrinker.questions < 400)
    }

    @Test func aNameGoesWhereThereIsOneConnectionOnly() throws {
        let one = """
            miswire plan 1
            ---
            user alice credential header
            1 alice connect /ws as probe
            2 alice.probe until refused within 1s
            faults none
            """
        let named = try shrink(one) { $0.steps.count == 2 && has($0, "connect /ws") && has($0, "until refused") }
        #expect(words(named.best) == ["alice connect /ws", "alice until refused within 1s"])
        let two = one.replacing("faults none", with: "3 alice connect /ws\n4 alice send {}\nfaults none")
        let both = try shrink(two) { $0.steps.count == 4 }
        #expect(words(both.best).contains("alice connect /ws as probe"))
    }

    @Test func usersAreMadeToActOneAfterTheOtherWhenThatStillShows() throws {
        let text = """
            miswire plan 1
            ---
            user a credential none
            user b credential none
            1 a connect /1
            2 b connect /2
            3 a send 1
            4 b send 2
            5 together 3,4
            faults none
            """
        let any = try shrink(text) { has($0, "/1") && has($0, "/2") && has($0, "a send") && has($0, "b send") }
        #expect(
            words(any.best) == ["a connect /1", "a send 0", "b connect /2", "b send 0"]
                || words(any.best) == ["a connect /1", "a send 1", "b connect /2", "b send 2"])
        let ordered = try shrink(text) { words($0).contains("- together 3,4") }
        #expect(words(ordered.best).count == 3)
    }

    @Test func witnessesStayAndThePlanIsCutBehindTheLastStep() throws {
        let shrinker = try shrink(try start(), witnesses: ["bob"], upTo: 10) { $0.steps.contains { $0.number == 10 } }
        #expect(shrinker.best.steps.map(\.number) == [10])
        #expect(shrinker.best.users.contains { $0.name == "bob" })
    }

    @Test func whatNeverShowsAgainEndsAndChangesNothing() throws {
        let plan = try PlanText.parse(try start())
        var shrinker = PlanShrinker(plan, witnesses: [], upTo: nil)
        while shrinker.next() != nil { shrinker.answer(false) }
        #expect(shrinker.best == plan)
        #expect(shrinker.questions < 300)
        #expect(shrinker.next() == nil)
        var silent = PlanShrinker(plan, witnesses: [], upTo: nil)
        while silent.next() != nil {}
        #expect(silent.questions == shrinker.questions)
    }

    @Test func aLongPlanTakesFewQuestions() throws {
        var text = "miswire plan 1\n---\nuser a credential none\nuser b credential none\n"
        for number in 1...400 { text += "\(number) \(number % 3 == 0 ? "a" : "b") send {\"n\":\(number)}\n" }
        let shrinker = try shrink(text + "faults none\n") { plan in
            [123, 300, 301].allSatisfy { wanted in plan.steps.contains { $0.number == wanted } }
        }
        #expect(shrinker.best.steps.map(\.number) == [123, 300, 301])
        #expect(shrinker.questions < 250)
    }

    @Test func everythingThatShowsShrinksToOneStep() throws {
        let shrinker = try shrink(try start()) { _ in true }
        #expect(shrinker.best.steps.count == 1)
        #expect(shrinker.best.users.count == 1)
    }

    @Test func faultsKeepOnlyTheWordsThatMatter() throws {
        let plan = try start().replacing(
            "f1 accept-delay delay 400ms user alice",
            with: "f1 accept-delay stage upgrade-request delay 20ms jitter 200ms user alice connection nth 2")
        let shrinker = try shrink(plan) { plan in
            // Shows with certainty, or when the draw is kind.
            plan.faults.contains { $0.words.starts(with: ["stage", "upgrade-request"]) && $0.words.contains("delay") }
        }
        #expect(shrinker.best.faults.map(\.words) == [["stage", "upgrade-request", "delay", "220ms"]])
    }

    @Test(arguments: [
        ("delay 20ms jitter 200ms", "delay 220ms"), ("jitter 100ms", "delay 500ms"), ("delay 20ms", "delay 20ms"),
        ("jitter 1.5s user bob", "delay 1900ms user bob"), ("jitter", "jitter"),
        ("delay 24h jitter 1h connection nth 1", "delay 86400s connection nth 1"),
    ])
    func aDelayThatIsDrawnTakesTheLongestItMay(_ words: String, _ certain: String) throws {
        var plan = Plan()
        plan.faults = [Plan.FaultLine(id: "f1", kind: "accept-delay", words: words.split(separator: " ").map { String($0) })]
        #expect(FaultShrink.certain(plan).faults.first?.words.joined(separator: " ") == certain)
    }

    @Test func faultsHoldSoLongTogether() {
        var plan = Plan()
        #expect(plan.longestHold == .zero)
        for (kind, words) in [("accept-delay", "delay 20ms jitter 200ms"), ("accept-delay", ""), ("drop", ""), ("no-such", "delay 1s")] {
            plan.faults.append(Plan.FaultLine(id: "f1", kind: kind, words: words.split(separator: " ").map { String($0) }))
        }
        #expect(plan.longestHold == .milliseconds(220 + 400))
        plan.faults.append(Plan.FaultLine(id: "f2", kind: "accept-delay", words: ["delay", "24h", "jitter", "24h"]))
        #expect(plan.longestHold == PlanDuration.longest)
    }
}
