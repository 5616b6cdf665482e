import Journaling
import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// What looks like a defect and is none.
@Suite struct DecoyTests {
    private func start(_ agent: String, _ more: String = "", user: String = "alice") -> String {
        #"{"type":"agent_started","user_id":"\#(user)","agent_name":"\#(agent)"\#(more)}"#
    }

    @Test func w1WhatIsSaidInARoomGoesToAllWhoAreInIt() {
        var stage = Stage(decoys: [.sharedRoom])
        let (alice, bob, carol) = (stage.connect("alice"), stage.connect("bob"), stage.connect("carol"))
        for id in [alice, bob] { stage.say(#"{"type":"join_room","room_id":"den","request_id":"q1"}"#, on: id) }
        #expect(stage.types(bob).last == "room_joined" && stage.events(bob).last?["request_id"] == "q1")
        stage.say(#"{"type":"room_message","room_id":"den","message":"mwc-abcdefghijkl"}"#, on: alice)
        for id in [alice, bob] {
            #expect(stage.events(id).last?["message"] == "mwc-abcdefghijkl" && stage.events(id).last?["user_id"] == "alice")
        }
        stage.say(start("assistant", #","room_id":"den","request_id":"q2""#), on: alice)
        stage.pass(.milliseconds(50))
        for id in [alice, bob] { #expect(stage.types(id).count { $0 == "agent_completed" } == 1) }
        #expect(stage.types(carol) == ["connected"], "nobody else hears of it")
        stage.say(#"{"type":"leave_room","room_id":"den"}"#, on: bob)
        stage.say(#"{"type":"room_message","room_id":"den","message":"alone"}"#, on: alice)
        #expect(stage.types(bob).last == "room_left")
        #expect(stage.triggered(.sharedRoom).isEmpty == false)
    }

    @Test func w1StrangersAreRefused() {
        var stage = Stage(decoys: [.sharedRoom])
        let alice = stage.connect("alice")
        stage.say(#"{"type":"room_message","room_id":"den","message":"hi"}"#, on: alice)
        stage.say(start("assistant", #","room_id":"den""#), on: alice)
        stage.say(#"{"type":"join_room"}"#, on: alice)
        #expect(stage.errors(alice) == ["authentication_error", "authentication_error", "message_processing_error"])
    }

    @Test func withoutTheDecoyThereAreNoRooms() {
        var stage = Stage()
        let alice = stage.connect("alice")
        stage.say(#"{"type":"join_room","room_id":"den"}"#, on: alice)
        #expect(stage.errors(alice) == ["message_processing_error"])
        stage.say(start("assistant", #","room_id":"den""#), on: alice)
        #expect(stage.types(alice).last == "agent_started" && stage.events(alice).last?["room_id"] == nil)
    }

    @Test func w3ToolsTakeTheirTime() {
        var stage = Stage(decoys: [.slowTool])
        let alice = stage.connect("alice")
        stage.say(start("assistant"), on: alice)
        stage.pass(.milliseconds(400))
        #expect(stage.types(alice).last == "tool_executing")
        stage.pass(.milliseconds(50))
        #expect(stage.types(alice).last == "agent_completed")
        #expect(stage.triggered(.slowTool).count == 1)
    }

    @Test func w5RunsOvertakeEachOtherAndKeepTheirOwnOrder() {
        func order(_ decoys: Set<BackendDecoy>) -> [String] {
            var stage = Stage(decoys: decoys)
            let alice = stage.connect("alice")
            for number in 1...3 { stage.say(start("researcher", #","request_id":"q\#(number)""#), on: alice) }
            stage.pass(.milliseconds(200))
            #expect(stage.triggered(.mixedRuns).isEmpty == decoys.isEmpty)
            let events = stage.events(alice).dropFirst()
            for number in 1...3 {
                let own = events.filter { $0["request_id"]?.string == "q\(number)" }
                #expect(own.compactMap { $0["seq"]?.integer } == Array(1...own.count))
                #expect(own.last?["type"] == "agent_completed")
            }
            return events.compactMap { $0["request_id"]?.string }
        }
        #expect(order([]) != order([.mixedRuns]))
    }

    @Test func namesAreReadLeniently() throws {
        #expect(try BackendDecoy.list("w1, W5,,") == [.sharedRoom, .mixedRuns])
        #expect(throws: UnknownDecoy.self) { try BackendDecoy.list("W9") }
    }
}
