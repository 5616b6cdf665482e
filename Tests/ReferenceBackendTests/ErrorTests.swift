import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

@Suite struct ErrorTests {
    /// The request and the kind of error that must answer it; the first reason that applies decides.
    @Test(arguments: [
        (#"{"type":"connection_test","action":"force_disconnect"}"#, "connection_error"),
        (#"{"type":"connection_test","action":"other"}"#, "message_processing_error"),
        (#"{"type":"connection_test"}"#, "message_processing_error"),
        (#"{"type":"invalid_type"}"#, "message_processing_error"),
        (#"{"type":"invalid_operation"}"#, "message_processing_error"),
        (#"{"type":"invalid_operation","thread_id":"thread_made_1_1_ab"}"#, "message_processing_error"),
        (#"{"type":"agent_started","agent_name":"non_existent_agent"}"#, "agent_execution_error"),
        (
            #"{"type":"agent_started","agent_name":"nonexistent_agent","user_id":null,"x":null}"#,
            "agent_execution_error"
        ),
        (#"{"type":"agent_started","agent_name":"unheard_of"}"#, "authentication_error"),
        (#"{"type":"agent_started","agent_name":"unheard_of","user_id":"alice"}"#, "agent_execution_error"),
        (#"{"type":"tool_executing","tool_name":"invalid_tool"}"#, "tool_execution_error"),
        (#"{"type":"tool_executing","tool_name":"search"}"#, "message_processing_error"),
        (#"{"type":"tool_executing"}"#, "message_processing_error"),
        (#"{"type":"agent_started"}"#, "authentication_error"),
        (#"{"type":"agent_started","user_id":null,"agent_name":7}"#, "authentication_error"),
        (#"{"type":"agent_started","user_id":"bob"}"#, "authentication_error"),
        (#"{"type":"agent_started","user_id":"bob","message":7}"#, "authentication_error"),
        (#"{"type":"agent_started","user_id":""}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":7}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":["alice"]}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","agent_name":null}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","agent_name":""}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","message":null}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","thread_id":5}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","request_id":{}}"#, "message_processing_error"),
        (#"{"type":"agent_started","user_id":"alice","thread_id":"thread_made_1_1_ab"}"#, "authentication_error"),
        (#"{"type":"cancel"}"#, "message_processing_error"),
        (#"{"type":"cancel","run_id":"r"}"#, "message_processing_error"),
        (#"{"type":"auth"}"#, "message_processing_error"), (#"{"user_id":"alice"}"#, "message_processing_error"),
        (#"{"type":7}"#, "message_processing_error"), ("[]", "message_processing_error"),
        ("7", "message_processing_error"),
        ("", "message_processing_error"), ("{", "message_processing_error"), (#"{"type":"#, "message_processing_error"),
    ])
    func requestGetsItsError(request: String, kind: String) {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(request, on: id)
        #expect(stage.errors(id) == [kind])
        let error = stage.events(id).last ?? .null
        #expect(error["message"]?.isText == true)
        #expect(error["timestamp"]?.double != nil)
        #expect(error["run_id"] == nil)
        stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.types(id).last == "agent_completed", "the connection is usable afterwards")
        #expect(stage.errors(id).count == 1)
    }

    @Test func errorsComeInRequestOrder() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: id)
        for request in [
            #"{"type":"invalid_type"}"#, #"{"type":"connection_test","action":"force_disconnect"}"#, "{",
            #"{"type":"agent_started"}"#, #"{"type":"tool_executing","tool_name":"invalid_tool"}"#,
            #"{"type":"agent_started","agent_name":"non_existent_agent"}"#,
        ] { stage.say(request, on: id) }
        #expect(
            stage.errors(id) == [
                "message_processing_error", "connection_error", "message_processing_error", "authentication_error",
                "tool_execution_error", "agent_execution_error",
            ])
    }

    @Test func contextOfTheRequestIsRepeatedAsItWas() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(#"{"type":"nonsense","user_id":7,"thread_id":[1],"request_id":"q","run_id":"r"}"#, on: id)
        let error = stage.events(id).last ?? .null
        #expect(error["user_id"] == .number("7"))
        #expect(error["thread_id"] == .array([.number("1")]))
        #expect(error["request_id"] == "q")
        stage.say(#"{"type":"nonsense","user_id":null}"#, on: id)
        #expect(stage.events(id).last?["user_id"] == "alice")
    }

    @Test func foreignThreadIsRefusedInEveryRequest() {
        var stage = Stage()
        let alice = stage.connect("alice")
        let bob = stage.connect("bob")
        stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: alice)
        let thread = stage.events(alice)[1]["thread_id"]?.string ?? ""
        for type in [#""agent_started","user_id":"bob""#, #""cancel","run_id":"r""#, #""auth","token":"t""#, #""x""#] {
            stage.say(#"{"type":\#(type),"thread_id":"\#(thread)"}"#, on: bob)
        }
        #expect(stage.errors(bob) == Array(repeating: "authentication_error", count: 4))
        #expect(stage.types(bob).allSatisfy { $0 == "connected" || $0 == "error" })
    }

    @Test func userNamesAreComparedByTheirBytes() {
        var stage = Stage()
        let id = stage.connect("r\u{e9}mi")
        stage.say("{\"type\":\"agent_started\",\"user_id\":\"re\u{301}mi\"}", on: id)
        #expect(stage.errors(id) == ["authentication_error"])
        stage.say("{\"type\":\"agent_started\",\"user_id\":\"R\u{e9}mi\"}", on: id)
        #expect(stage.errors(id).count == 2)
    }

    @Test func tooManyRunsAreRefused() {
        var stage = Stage()
        let id = stage.connect("alice")
        for _ in 0...BackendMachine.runLimit { stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: id) }
        #expect(stage.types(id).count { $0 == "agent_started" } == BackendMachine.runLimit)
        #expect(stage.errors(id) == ["message_processing_error"])
    }
}
