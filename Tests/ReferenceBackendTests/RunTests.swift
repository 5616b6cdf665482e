import Journaling
import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

@Suite struct RunTests {
    private func start(_ agent: String?, _ more: String = "", user: String = "alice") -> String {
        let name = agent.map { #","agent_name":"\#($0)""# } ?? ""
        return #"{"type":"agent_started","user_id":"\#(user)"\#(name)\#(more)}"#
    }

    @Test func assistantAnswersWithTheFiveNormalEvents() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start(nil, #","message":"say mwc-a1b2c3d4e5f6","request_id":"q1""#), on: id)
        #expect(stage.types(id) == ["connected", "agent_started"], "the start is answered at once")
        stage.pass(.milliseconds(50))
        let events = Array(stage.events(id).dropFirst())
        #expect(
            events.map { $0["type"]?.string } == [
                "agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed",
            ])
        for (number, event) in events.enumerated() {
            #expect(event["user_id"] == "alice")
            #expect(event["thread_id"] == events[0]["thread_id"])
            #expect(event["run_id"] == events[0]["run_id"])
            #expect(event["request_id"] == "q1")
            #expect(event["seq"]?.integer == number + 1)
            #expect((event["timestamp"]?.double ?? 0) >= 1_757_371_363.786)
        }
        #expect(events[2]["tool_call_id"] == events[3]["tool_call_id"])
        #expect(events[4]["result"] == "You said: say mwc-a1b2c3d4e5f6")
    }

    @Test func identifiersOfARunHaveOneStem() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.pass(.milliseconds(100))
        stage.say(start("assistant"), on: id)
        let event = stage.events(id)[1]
        let thread = event["thread_id"]?.string ?? ""
        let run = event["run_id"]?.string ?? ""
        #expect(thread.hasPrefix("thread_chat_1757371363888_"))
        #expect(run.hasPrefix("run_chat_1757371363888_"))
        let name = stage.events(id)[0]["connection_id"]?.string ?? ""
        #expect(name.hasPrefix("ws_alice_"))
        #expect(name.split(separator: "_").last?.count == 8)
    }

    @Test func researcherUsesTwoToolsAtOnceAndEndsBoth() {
        for seed in 1...20 as ClosedRange<UInt64> {
            var stage = Stage(seed: seed)
            let id = stage.connect("alice")
            stage.say(start("researcher"), on: id)
            stage.pass(.milliseconds(100))
            var open: Set<String> = []
            var most = 0
            for event in stage.events(id) {
                let call = event["tool_call_id"]?.string ?? ""
                if event["type"] == "tool_executing" { open.insert(call) }
                if event["type"] == "tool_completed" { #expect(open.remove(call) != nil) }
                if event["type"] == "agent_completed" { #expect(open.isEmpty) }
                most = max(most, open.count)
            }
            #expect(most == 2)
            #expect(stage.types(id).last == "agent_completed")
            #expect(stage.types(id).contains("final_report"))
        }
    }

    @Test func toolThatRaisesDoesNotKeepTheRunFromEnding() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start("tooluser", #","message":"please fail""#), on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.types(id).last == "agent_completed")
        #expect(stage.events(id).first { $0["type"] == "tool_completed" }?["status"] == "failed")
        #expect(stage.triggered(.completionMissingAfterToolError).isEmpty)
    }

    @Test func slowTakesItsTime() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start("slow"), on: id)
        stage.pass(.milliseconds(190))
        #expect(stage.types(id).last == "agent_thinking")
        stage.pass(.milliseconds(20))
        #expect(stage.types(id).last == "agent_completed")
    }

    @Test func runsInterleaveAndStayApart() {
        var stage = Stage()
        let alice = stage.connect("alice")
        let bob = stage.connect("bob")
        for number in 1...10 {
            stage.say(start("assistant", #","message":"a\#(number)""#), on: alice)
            stage.say(start("researcher", #","message":"b\#(number)""#, user: "bob"), on: bob)
        }
        stage.pass(.milliseconds(100))
        for (id, user) in [(alice, "alice"), (bob, "bob")] {
            #expect(stage.events(id).allSatisfy { $0["user_id"]?.string == user })
            #expect(stage.types(id).count { $0 == "agent_completed" } == 10)
            let runs = Set(stage.events(id).compactMap { $0["run_id"]?.string })
            #expect(runs.count == 10)
            for run in runs {
                #expect(stage.events(id).last { $0["run_id"]?.string == run }?["type"] == "agent_completed")
            }
        }
    }

    @Test func aThreadGoesOnAndCountsOn() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start("assistant"), on: id)
        let thread = stage.events(id)[1]["thread_id"]?.string ?? ""
        stage.pass(.milliseconds(50))
        let second = stage.connect("alice")
        stage.say(start("assistant", #","thread_id":"\#(thread)""#), on: second)
        stage.pass(.milliseconds(50))
        let numbers = (stage.events(id) + stage.events(second)).compactMap { $0["seq"]?.integer }
        #expect(numbers == Array(1...10))
        #expect(stage.events(second).dropFirst().allSatisfy { $0["thread_id"]?.string == thread })
    }

    @Test func cancelEndsWhatIsOpenThenTheRun() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(start("researcher"), on: id)
        let run = stage.events(id)[1]["run_id"]?.string ?? ""
        while stage.types(id).count(where: { $0 == "tool_executing" }) < 2 { stage.pass(.milliseconds(1)) }
        stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
        #expect(stage.types(id).suffix(3) == ["tool_completed", "tool_completed", "agent_completed"])
        #expect(stage.events(id).last?["status"] == "cancelled")
        let count = stage.events(id).count
        stage.pass(.milliseconds(100))
        #expect(stage.events(id).count == count, "nothing behind the end")
        stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: id)
        #expect(stage.errors(id) == ["message_processing_error"])
        #expect(stage.events(id).last?["run_id"] == nil, "an error that ends no run names none")
    }

    @Test func aRunOfAnotherUserCannotBeCancelled() {
        var stage = Stage()
        let alice = stage.connect("alice")
        let bob = stage.connect("bob")
        stage.say(start("slow"), on: alice)
        let run = stage.events(alice)[1]["run_id"]?.string ?? ""
        stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: bob)
        #expect(stage.errors(bob) == ["message_processing_error"])
        stage.pass(.milliseconds(300))
        #expect(stage.events(alice).last?["status"] == "completed")
    }

    @Test func runsOutliveTheirConnectionUnheard() {
        var stage = Stage()
        let id = stage.connect("alice")
        for _ in 1...5 { stage.say(start("slow"), on: id) }
        stage.handle(.ended(id))
        #expect(stage.machine.connections.isEmpty)
        let bytes = stage.bytes(id)
        let other = stage.connect("alice")
        stage.pass(.seconds(1))
        #expect(stage.bytes(id) == bytes)
        #expect(stage.types(other) == ["connected"], "who does not ask to resume hears nothing of them")
        #expect(stage.machine.runs.isEmpty)
    }

    @Test func aRunWithoutConnectionCanBeCancelledFromAnother() {
        var stage = Stage()
        let first = stage.connect("alice")
        stage.say(start("slow"), on: first)
        let run = stage.events(first)[1]["run_id"]?.string ?? ""
        stage.handle(.ended(first))
        let second = stage.connect("alice")
        stage.say(#"{"type":"cancel","run_id":"\#(run)"}"#, on: second)
        #expect(stage.types(second) == ["connected", "agent_completed"])
        #expect(stage.events(second).last?["status"] == "cancelled")
    }

    @Test func tokenInTheMessageIsNotRepeated() {
        var stage = Stage()
        let id = stage.connect("alice")
        let token = Stage.token("alice")
        stage.say(start("assistant", #","message":"mine is \#(token), yes""#), on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.events(id).last?["result"] == "You said: mine is (credential), yes")
    }

    @Test func sameSeedSameBytes() {
        func bytes(_ seed: UInt64) -> ByteBuffer {
            var stage = Stage(seed: seed)
            let id = stage.connect("alice")
            for agent in ["assistant", "researcher", "tooluser", "slow"] { stage.say(start(agent), on: id) }
            stage.pass(.seconds(1))
            return stage.bytes(id)
        }
        #expect(bytes(3) == bytes(3))
        #expect(bytes(3) != bytes(4))
    }

    @Test func nothingStaysOfTenThousandConnections() {
        var stage = Stage()
        for _ in 1...10_000 {
            let id = stage.dial()
            stage.handle(.received(id, ByteBuffer(string: "GET /ws HTTP/1.1\r\n")))
            stage.handle(.ended(id))
        }
        #expect(stage.machine.connections.isEmpty)
        #expect(stage.machine.timers.count < 600)
    }
}
