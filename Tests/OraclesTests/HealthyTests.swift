import Journaling
import Testing
import Wire

@testable import Oracles

/// A healthy server passes, and what was not asked is not passed.
@Suite struct HealthyTests {
    @Test func runsAndErrorsOfTwoUsers() {
        let judgement = judge { story in
            for (session, user) in [(1, "alice"), (2, "bob")] {
                story.enter(session, user, at: Double(session))
                story.send(session, Say.start(user, "q1", text: "say mwc-aaaaaaaaaaa\(session)"), at: 10)
                story.wholeRun(session, user, run: "r\(session)", thread: "t\(session)", request: "q1", at: 11)
                story.send(session, "{\"type\":", at: 50)
                story.event(session, Say.error("message_processing_error", user: user), at: 51)
                story.close(session, by: .client, 1000, at: 60)
                story.close(session, by: .server, 1000, at: 61)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.failed.isEmpty && judgement.undecided.isEmpty)
        #expect(judgement.counts("H1") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E4") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E5") == [2, 2, 0, 0, 0])
        #expect(judgement.summary("I1").passed >= 10)
        #expect(judgement.summary("I2").passed == 14)
        #expect(judgement.summary("A1").verdict == nil, "no bad credential: not exercised, never pass")
        #expect(judgement.sessions == 2 && judgement.runs == 2)
    }

    @Test func nothingIsNotAPass() {
        let judgement = judge { _ in }
        #expect(judgement.properties.allSatisfy { $0.verdict == nil && $0.checked == 0 })
        #expect(judgement.properties.map(\.id) == PropertyRegistry.all.map { $0.id })
    }

    @Test func allFiveErrors() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            var at = 10.0
            for (message, kind) in Say.fiveErrors {
                story.send(1, message, at: at)
                story.event(1, Say.error(kind, user: "alice"), at: at + 1)
                at += 10
            }
        }
        #expect(judgement.errorsDelivered == judgement.errorKinds && judgement.errorKinds.count == 5)
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [5, 5, 0, 0, 0])
    }

    @Test func echoAnswersAreE1() {
        let judgement = judge(AgentChat.echo) { story in
            story.open(1, nil, at: 0, state: .absent)
            story.send(1, "hello", at: 10)
            story.send(1, "again", at: 11)
            story.event(1, "again", at: 12)
            story.event(1, "hello", at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0])
        #expect(judgement.summary("E3").notApplicable == "reject")
        #expect(judgement.summary("A1").notApplicable == "identity.credential")
    }

    @Test func missingEchoIsE1() {
        let judgement = judge(AgentChat.echo) { story in
            story.open(1, nil, at: 0, state: .absent)
            story.send(1, "hello", at: 10)
        }
        #expect(judgement.heads == ["E1"])
        #expect(judgement.findings.first?.instant == Transcript.instant(2_010))
    }

    /// Exactly one answer to each request: that said twice may be answered twice.
    @Test(arguments: [1, 2]) func aSecondEcho(asked: Int) {
        let judgement = judge(AgentChat.echo) { story in
            story.open(1, nil, at: 0, state: .absent)
            for index in 0..<asked { story.send(1, "hello", at: 10 + Double(index)) }
            for index in 0..<2 { story.event(1, "hello", at: 20 + Double(index)) }
        }
        #expect(judgement.heads == (asked == 1 ? ["E1"] : []))
        #expect(judgement.summary("E1").passed == asked)
        if asked == 1 { #expect(judgement.findings.first?.sentence == "s1's message is answered twice, the second time by copy") }
    }

    @Test func withoutContractOnlyTheProtocolIsJudged() {
        let judgement = judge(nil) { story in
            story.open(1, nil, at: 0, state: .absent)
            story.event(1, "anything", at: 10)
        }
        #expect(judgement.counts("H1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("C1") == [1, 1, 0, 0, 0])
        #expect(judgement.properties.filter { $0.notApplicable != nil }.count == judgement.properties.count - 7)
    }

    @Test func openAtTheEndIsInconclusive() {
        let judgement = judge(until: 500) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.send(1, "{", at: 11)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
        #expect(judgement.summary("E3").reasons == ["the recording ends before the deadline"])
    }
}

/// Messages of the agent-chat protocol.
enum Say {
    static func start(
        _ user: String?, _ request: String? = nil, agent: String = "assistant", thread: String? = nil, text: String = "hi"
    ) -> String {
        var fields = [#""type":"agent_started","agent_name":"\#(agent)","message":"\#(text)""#]
        if let user { fields.append(#""user_id":"\#(user)""#) }
        if let thread { fields.append(#""thread_id":"\#(thread)""#) }
        if let request { fields.append(#""request_id":"\#(request)""#) }
        return "{" + fields.joined(separator: ",") + "}"
    }

    static func event(
        _ type: String, _ user: String, run: String, thread: String, request: String? = nil, more: String = ""
    ) -> String {
        let id = request.map { #","request_id":"\#($0)""# } ?? ""
        return #"{"type":"\#(type)","user_id":"\#(user)","thread_id":"\#(thread)","run_id":"\#(run)"\#(id)\#(more)}"#
    }

    static func error(_ kind: String, user: String? = nil, request: String? = nil, more: String = "") -> String {
        let whose = user.map { #","user_id":"\#($0)""# } ?? ""
        let id = request.map { #","request_id":"\#($0)""# } ?? ""
        return #"{"type":"error","error":"\#(kind)","message":"no","timestamp":1.5\#(whose)\#(id)\#(more)}"#
    }

    static let fiveErrors = [
        (#"{"type":"connection_test","action":"force_disconnect"}"#, "connection_error"),
        (#"{"type":"invalid_type"}"#, "message_processing_error"),
        (#"{"type":"agent_started","agent_name":"non_existent_agent","user_id":"alice"}"#, "agent_execution_error"),
        (#"{"type":"tool_executing","tool_name":"invalid_tool"}"#, "tool_execution_error"),
        (#"{"type":"agent_started"}"#, "authentication_error"),
    ]
}

extension Transcript {
    mutating func wholeRun(
        _ session: Int, _ user: String, run: String, thread: String, request: String?, at ms: Double, ends: Bool = true
    ) {
        let types = ["agent_started", "agent_thinking", "tool_executing", "tool_completed"] + (ends ? ["agent_completed"] : [])
        for (index, type) in types.enumerated() {
            event(
                session, Say.event(type, user, run: run, thread: thread, request: request, more: #","tool_name":"t""#),
                at: ms + Double(index))
        }
    }
}
