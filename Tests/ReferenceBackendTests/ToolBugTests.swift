import Journaling
import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// Bugs of tools, ends and names: each does what its row says, marks it, and does nothing else.
@Suite struct ToolBugTests {
    private func start(_ agent: String, _ more: String = "", user: String = "alice") -> String {
        #"{"type":"agent_started","user_id":"\#(user)","agent_name":"\#(agent)"\#(more)}"#
    }

    /// Which calls began and ended, in order: `+call_3 -call_3`.
    private func calls(_ events: [JSON]) -> [String] {
        events.compactMap { event in
            let id = event["tool_call_id"]?.string ?? ""
            switch event["type"]?.string {
            case "tool_executing": return "+" + id
            case "tool_completed": return "-" + id
            default: return nil
            }
        }
    }

    @Test func b04CompletesAFailedRunThatIsCancelledJustThen() {
        for bugs in [[], [BackendBug.completedAfterError]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let id = stage.connect("alice")
            stage.say(start("fragile", #","request_id":"q1""#), on: id)
            stage.pass(.milliseconds(50))
            let error = stage.events(id).last
            #expect(error?["error"] == "tool_execution_error" && stage.types(id).last == "error")
            let run = error?["run_id"]?.string ?? ""
            stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
            #expect(stage.types(id).last == (bugs.isEmpty ? "error" : "agent_completed"))
            #expect(stage.events(id).last?["run_id"]?.string == (bugs.isEmpty ? nil : run))
            #expect(stage.triggered(.completedAfterError).map { $0.request } == (bugs.isEmpty ? [] : ["q1"]))
            stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
            #expect(stage.types(id).last == "error", "once")
        }
    }

    @Test func b04IsAMatterOfTwoSeconds() {
        var stage = Stage(bugs: [.completedAfterError])
        let id = stage.connect("alice")
        stage.say(start("fragile"), on: id)
        stage.pass(.seconds(3))
        let run = stage.events(id).last?["run_id"]?.string ?? ""
        stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
        #expect(stage.types(id).last == "error")
        #expect(stage.triggered(.completedAfterError).isEmpty)
    }

    @Test func b05LeavesAFailedTryOpen() {
        for bugs in [[], [BackendBug.failedTryWithoutEnd]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let id = stage.connect("alice")
            stage.say(start("retrier", #","request_id":"q1""#), on: id)
            stage.pass(.milliseconds(100))
            #expect(stage.types(id).last == "agent_completed")
            let calls = calls(stage.events(id))
            let begun = calls.filter { $0.hasPrefix("+") }.count
            #expect(begun >= 2, "the tool is tried again, each time as a call of its own")
            #expect(Set(calls).count == calls.count)
            #expect(calls.count - begun == (bugs.isEmpty ? begun : 1))
            #expect(stage.triggered(.failedTryWithoutEnd).count == (bugs.isEmpty ? 0 : begun - 1))
        }
    }

    @Test func b06EndsTheOtherCall() {
        var stage = Stage(bugs: [.exchangedCallIDs])
        let id = stage.connect("alice")
        stage.say(start("researcher", #","request_id":"q1""#), on: id)
        stage.pass(.milliseconds(100))
        let said = calls(stage.events(id))
        #expect(said.count == 4 && said[2] == said[3])
        #expect(said[2].dropFirst() == said[0].dropFirst())
        #expect(stage.triggered(.exchangedCallIDs).map { $0.request } == ["q1"])
        stage.say(start("assistant"), on: id)
        stage.pass(.milliseconds(100))
        #expect(stage.triggered(.exchangedCallIDs).count == 1, "a tool alone ends as itself")
    }

    @Test(arguments: [20, 150]) func b07EndsALongToolBehindItsRun(after: Int) {
        for bugs in [[], [BackendBug.lateTool]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let id = stage.connect("alice")
            stage.say(start("patient"), on: id)
            stage.pass(.milliseconds(after))
            #expect(stage.types(id).last == "tool_executing")
            let run = stage.events(id).last?["run_id"]?.string ?? ""
            stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
            #expect(stage.types(id).last == "agent_completed")
            stage.pass(.seconds(1))
            let isLate = after > 100 && !bugs.isEmpty
            #expect(stage.types(id).suffix(2) == (isLate ? ["agent_completed", "tool_completed"] : ["tool_completed", "agent_completed"]))
            #expect(stage.triggered(.lateTool).count == (isLate ? 1 : 0))
        }
    }

    @Test func b13SendsRunsToANamesake() {
        var stage = Stage(bugs: [.foldedUserNames])
        let alice = stage.connect("alice")
        stage.say(start("assistant"), on: alice)
        stage.pass(.milliseconds(50))
        #expect(stage.types(alice).last == "agent_completed", "alone she gets what is hers")
        let other = stage.connect("Alice")
        stage.say(start("assistant", #","request_id":"q2""#), on: alice)
        stage.pass(.milliseconds(50))
        #expect(stage.types(other).last == "agent_completed")
        #expect(stage.events(other).dropFirst().allSatisfy { $0["user_id"] == "alice" && $0["request_id"] == "q2" })
        #expect(stage.triggered(.foldedUserNames).first?.request == "q2")
        stage.handle(.ended(other))
        stage.say(start("assistant"), on: alice)
        stage.pass(.milliseconds(50))
        #expect(stage.types(alice).last == "agent_completed")
    }

    @Test func b27MakesRunIDsElsewhere() {
        for bugs in [[], [BackendBug.twoGenerators]] as [Set<BackendBug>] {
            var stage = Stage(bugs: bugs)
            let id = stage.connect("alice")
            stage.say(start("assistant", #","request_id":"q1""#), on: id)
            let event = stage.events(id).last
            func stem(_ name: String, _ pieces: Range<Int>) -> ArraySlice<Substring> {
                (event?[name]?.string ?? "").split(separator: "_")[pieces]
            }
            #expect((stem("thread_id", 1..<3) == stem("run_id", 1..<3)) == bugs.isEmpty)
            #expect(stage.triggered(.twoGenerators).map { $0.request } == (bugs.isEmpty ? [] : ["q1"]))
        }
    }

    @Test func connectionIDsStayOnOneLine() {
        var stage = Stage()
        let id = stage.connect("al\nice")
        let name = stage.events(id).first?["connection_id"]?.string ?? ""
        #expect(name.hasPrefix("ws_al-ice_"))
    }
}
