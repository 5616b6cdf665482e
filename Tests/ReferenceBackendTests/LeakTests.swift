import Testing
import Wire

@testable import ReferenceBackend

/// B11, B14 and B30: what one user said or brought, where it does not belong.
@Suite struct LeakTests {
    private func start(_ user: String, _ text: String, _ agent: String = "assistant") -> String {
        #"{"type":"agent_started","user_id":"\#(user)","agent_name":"\#(agent)","message":"\#(text)","request_id":"\#(user)-1"}"#
    }

    private func holds(_ events: [JSON], _ text: String) -> Bool { events.contains { $0.text.contains(text) } }

    /// A slow tool's answer goes to whoever has a tool at work as well, in his own run and with his own ids.
    @Test(arguments: [true, false]) func b11TellsASlowToolsAnswerToAll(isPlanted: Bool) {
        var stage = Stage(bugs: isPlanted ? [.answerBroadcast] : [])
        let (alice, bob, carol) = (stage.connect("alice"), stage.connect("bob"), stage.connect("carol"))
        stage.say(start("alice", "secret of alice", "researcher"), on: alice)
        stage.pass(.seconds(1))
        #expect(!holds(stage.events(bob), "secret of alice"), "alone, nobody hears it")
        for round in 0..<20 {
            stage.say(start("alice", "alice \(round)", "researcher"), on: alice)
            stage.say(start("bob", "bob \(round)", "researcher"), on: bob)
            stage.pass(.seconds(1))
        }
        let leaks = stage.events(bob).filter { $0.text.contains("alice ") }
        #expect(leaks.isEmpty != isPlanted && holds(stage.events(alice), "bob ") == isPlanted)
        #expect(leaks.allSatisfy { $0["type"] == "partial_result" && $0["user_id"] == "bob" })
        #expect(stage.triggered(.answerBroadcast).contains { $0.user == "bob" } == isPlanted)
        #expect(stage.types(carol) == ["connected"], "who waits for nothing hears nothing")
        #expect(stage.types(bob).last == "agent_completed")
    }

    /// Fifty sessions later somebody finds what a user left who went without a Close.
    @Test(arguments: [true, false]) func b14HandsOnAContext(isPlanted: Bool) {
        var stage = Stage(bugs: isPlanted ? [.contextReused] : [])
        var found: [Int] = []
        for number in 1...160 {
            let user = "user\(number)"
            let id = stage.connect(user)
            for text in ["words", "more"] { stage.say(start(user, "\(text) of \(user)"), on: id) }
            stage.pass(.milliseconds(50))
            for event in stage.events(id) where event["context"] != nil {
                #expect(event["type"] == "agent_started" && event["user_id"] == .string(user))
                #expect(event["context"] == .string("more of user\(number - 50)"))
                found.append(number)
            }
            if number != 7, number != 30, number != 80 { stage.handle(.received(id, Stage.masked(.close, ""))) }
            stage.handle(.ended(id))
        }
        #expect(found == (isPlanted ? [57, 80, 130] : []))
        #expect(stage.triggered(.contextReused).map { $0.user } == found.map { "user\($0)" })
    }

    /// What is one's own is no leak.
    @Test func b14NeedsSomebodyElse() {
        var stage = Stage(bugs: [.contextReused])
        for _ in 1...120 {
            let id = stage.connect("alice")
            stage.say(start("alice", "words"), on: id)
            stage.pass(.milliseconds(50))
            stage.handle(.ended(id))
        }
        #expect(stage.triggered(.contextReused).isEmpty)
    }

    @Test(arguments: [true, false]) func b30RepeatsTheToken(isPlanted: Bool) {
        var stage = Stage(bugs: isPlanted ? [.tokenEchoed] : [])
        let id = stage.connect("alice")
        stage.say("{", on: id)
        stage.say(#"{"type":"agent_started","request_id":"q1"}"#, on: id)
        #expect(stage.errors(id) == ["message_processing_error", "authentication_error"])
        #expect(holds(stage.events(id), Stage.token("alice")) == isPlanted)
        #expect(stage.triggered(.tokenEchoed).map { $0.request } == (isPlanted ? ["q1"] : []))
        let late = stage.dial()
        stage.receive(Stage.head("/ws/late"), on: late)
        stage.say(#"{"type":"auth","token":"\#(Stage.token("bob"))"}"#, on: late)
        stage.say(#"{"type":"agent_started"}"#, on: late)
        #expect(holds(stage.events(late), Stage.token("bob")) == isPlanted)
    }
}
