import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// Each bug does what its row says, marks it, and does nothing else.
@Suite struct BugTests {
    private func start(_ user: String, _ more: String = "") -> String {
        #"{"type":"agent_started","user_id":"\#(user)"\#(more)}"#
    }

    @Test func b01LosesTheGreetingOfASlowUpgrade() {
        for bugs in [[], [BackendBug.lostGreetingDuringAccept]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            for (pause, order) in [(Duration.milliseconds(5), 0), (.milliseconds(60), 1), (.milliseconds(60), 2)] {
                let id = stage.dial()
                stage.pass(pause)
                stage.receive(Stage.head("/ws?token=\(Stage.token("alice"))"), on: id)
                stage.pass(.seconds(3))
                let lost = order > 0 && !bugs.isEmpty
                #expect(stage.types(id) == (lost ? [] : ["connected"]))
                stage.say(start("alice"), on: id)
                #expect(stage.types(id).last == "agent_started", "the connection works all the same")
            }
            #expect(stage.triggered(.lostGreetingDuringAccept).count == (bugs.isEmpty ? 0 : 2))
        }
    }

    @Test func b02DropsTheGreetingBehindThe101() {
        var stage = Stage(bugs: [.greetingDroppedBehind101])
        let first = stage.connect("alice")
        let second = stage.connect("bob")
        stage.pass(.seconds(3))
        #expect(stage.types(first) == [] && stage.types(second) == [])
        #expect(stage.triggered(.greetingDroppedBehind101).map { $0.user } == ["alice", "bob"])
    }

    @Test func b03ForgetsTheEndOfARunWhoseToolRaised() {
        var stage = Stage(bugs: [.completionMissingAfterToolError])
        let id = stage.connect("alice")
        stage.say(start("alice", #","agent_name":"tooluser","message":"all is well""#), on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.types(id).last == "agent_completed")
        stage.say(start("alice", #","agent_name":"tooluser","message":"fail","request_id":"q2""#), on: id)
        stage.pass(.seconds(5))
        #expect(stage.types(id).last == "tool_completed")
        #expect(
            stage.triggered(.completionMissingAfterToolError).map { $0.line } == [
                #"{"bug":"B03","mark":"TRIGGERED","user":"alice","request_id":"q2","connection_id":"#
                    + "\"\(stage.events(id)[0]["connection_id"]?.string ?? "")\"" + #","type":"agent_completed"}"#
            ])
    }

    @Test func b08SwallowsMalformedJSON() {
        var stage = Stage(bugs: [.malformedSwallowed])
        let id = stage.connect("alice")
        stage.say("{\"type\":", on: id)
        stage.say("[]", on: id)
        #expect(stage.errors(id) == ["message_processing_error"], "what is JSON still gets its error")
        #expect(stage.triggered(.malformedSwallowed).count == 1)
    }

    @Test func b09AnswersARequestWithoutUser() {
        var stage = Stage(bugs: [.successWithoutUser])
        let id = stage.connect("alice")
        stage.say(#"{"type":"agent_started","request_id":"q1"}"#, on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.types(id).suffix(5).first == "agent_started" && stage.types(id).last == "agent_completed")
        #expect(stage.errors(id).isEmpty)
        stage.say(#"{"type":"agent_started","agent_name":"non_existent_agent"}"#, on: id)
        #expect(stage.errors(id) == ["agent_execution_error"])
        stage.say(start("alice"), on: id)
        #expect(stage.triggered(.successWithoutUser).map { $0.request } == ["q1"])
    }

    @Test func b10SendsTheErrorToWhoConnectedLast() {
        var stage = Stage(bugs: [.errorToLastConnected])
        let alice = stage.connect("alice")
        stage.say(#"{"type":"invalid_type","request_id":"q0"}"#, on: alice)
        #expect(stage.errors(alice).count == 1, "alone, alice gets her own errors")
        let bob = stage.connect("bob")
        stage.say(#"{"type":"invalid_type","request_id":"q1"}"#, on: alice)
        #expect(stage.errors(alice).count == 1)
        #expect(stage.events(bob).last?["user_id"] == "alice")
        #expect(stage.triggered(.errorToLastConnected).map { $0.request } == ["q1"])
        stage.handle(.ended(bob))
        stage.say("{", on: alice)
        #expect(stage.errors(alice).count == 2)
    }

    @Test func b12AcceptsTheThreadOfAnotherUser() {
        var stage = Stage(bugs: [.foreignThreadAccepted])
        let alice = stage.connect("alice")
        let bob = stage.connect("bob")
        stage.say(start("alice"), on: alice)
        let thread = stage.events(alice)[1]["thread_id"]?.string ?? ""
        stage.pass(.milliseconds(50))
        stage.say(start("bob", #","thread_id":"\#(thread)""#), on: bob)
        stage.pass(.milliseconds(50))
        #expect(stage.types(bob).last == "agent_completed")
        #expect(stage.events(bob).last?["thread_id"]?.string == thread)
        #expect(stage.triggered(.foreignThreadAccepted).map { $0.user } == ["bob"])
        stage.say(start("bob", #","thread_id":"unknown""#), on: bob)
        #expect(stage.errors(bob) == ["authentication_error"])
    }

    @Test(arguments: ["/ws", "/ws/late?token=bad"])
    func b15MeetsABadTokenWithSilence(path: String) {
        var stage = Stage(bugs: [.badTokenSilence])
        let id = stage.dial()
        stage.receive(
            Stage.head(path, path == "/ws" ? ["Authorization: Bearer \(Stage.token("alice", key: "x"))"] : []), on: id)
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 101 "))
        stage.say("{", on: id)
        stage.say(start("alice"), on: id)
        stage.pass(.seconds(10))
        #expect(stage.frames(id).isEmpty)
        #expect(!stage.isReleased(id))
        #expect(stage.triggered(.badTokenSilence).map { $0.user } == [path == "/ws" ? "alice" : nil])
        stage.handle(.received(id, Stage.masked(.ping, "p")))
        #expect(stage.frames(id).map { $0.opcode } == [.pong], "the protocol itself is kept")
    }

    @Test func b28LeavesTheErrorBare() {
        var stage = Stage(bugs: [.bareError])
        let id = stage.connect("alice")
        stage.say(#"{"type":"invalid_type","request_id":"q1"}"#, on: id)
        #expect(
            stage.events(id).last
                == ["type": "error", "error": "message_processing_error", "user_id": "alice", "request_id": "q1"])
        #expect(stage.triggered(.bareError).map { $0.request } == ["q1"])
    }

    @Test func reachedIsMarkedOnce() {
        var stage = Stage(bugs: Set(BackendBug.allCases))
        let id = stage.connect("alice")
        for _ in 1...3 { stage.say(#"{"type":"invalid_type"}"#, on: id) }
        let reached = stage.marks.filter { $0.stage == .reached }.map { $0.bug }
        #expect(Set(reached).count == reached.count)
        #expect(reached.contains(.bareError))
    }

    @Test func namesAreReadLeniently() throws {
        #expect(try BackendBug.list("B08, b15,,") == [.malformedSwallowed, .badTokenSilence])
        #expect(try BackendBug.list("") == [])
        #expect(throws: UnknownBug.self) { try BackendBug.list("B08,B99") }
    }
}
