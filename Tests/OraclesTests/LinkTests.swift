import Journaling
import Testing
import Wire

@testable import Oracles

/// Linking by contract.md, semantics 5 to 8: an ambiguous link condemns nobody.
@Suite struct LinkTests {
    @Test func validNeighbourTakesTheSuccess() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil), at: 10)
            story.send(1, Say.start("alice"), at: 11)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 12)
            story.event(1, Say.error("authentication_error"), at: 30)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    @Test func threadSharedWithAMustRejectRequestIsNoProof() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", thread: "ta"), at: 1)
            story.wholeRun(1, "alice", run: "r0", thread: "ta", request: nil, at: 2)
            story.send(1, Say.start("alice", agent: "non_existent_agent", thread: "ta"), at: 10)
            story.send(1, Say.start("alice"), at: 11)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 12)
            story.event(1, Say.error("agent_execution_error", user: "alice", more: #","thread_id":"ta""#), at: 30)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func errorsLinkByRequestID() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1", agent: "non_existent_agent"), at: 10)
            story.send(1, Say.start("alice", "q2"), at: 11)
            story.event(1, Say.error("agent_execution_error", user: "alice", request: "q2"), at: 12)
            story.event(1, Say.error("agent_execution_error", user: "alice", request: "q1"), at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// The error names neither: a must-reject request and a running run could both be meant.
    @Test func ambiguousErrorCondemnsNobody() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 11)
            story.send(1, Say.start("alice", agent: "non_existent_agent"), at: 20)
            story.event(1, Say.error("agent_execution_error"), at: 21)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
    }

    @Test func errorThatNamesARunEndsIt() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 11)
            story.send(1, Say.start("alice", agent: "non_existent_agent"), at: 20)
            story.event(1, Say.error("agent_execution_error", more: #","run_id":"r1""#), at: 21)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 22)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    @Test func wrongKindIsE5() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect","request_id":"q1"}"#, at: 10)
            story.event(1, Say.error("tool_execution_error", request: "q1"), at: 11)
        }
        #expect(judgement.heads == ["E5"])
        #expect(judgement.findings.first?.sentence == "alice's error has the wrong kind tool_execution_error")
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
        #expect(judgement.errorsDelivered.isEmpty)
    }

    @Test func errorsOutOfOrder() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"invalid_type","request_id":"q1"}"#, at: 10)
            story.send(1, #"{"type":"invalid_type","request_id":"q2"}"#, at: 11)
            story.event(1, Say.error("message_processing_error", request: "q2"), at: 12)
            story.event(1, Say.error("message_processing_error", request: "q1"), at: 13)
        }
        #expect(judgement.heads == ["E5"])
        #expect(judgement.findings.first?.sentence == "alice's errors come out of order")
        let missing = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"invalid_type","request_id":"q1"}"#, at: 10)
            story.send(1, #"{"type":"invalid_type","request_id":"q2"}"#, at: 11)
            story.event(1, Say.error("message_processing_error", request: "q2"), at: 12)
        }
        #expect(missing.heads == ["E3"], "a missing error is no disorder")
    }

    @Test func contextIsPreservedWhereItIsTheUsersOwn() {
        func story(_ user: String?, thread: String?) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "bob", at: 1)
                story.send(1, Say.start("alice", "q1"), at: 5)
                story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 6)
                story.send(2, Say.start("bob", "q1"), at: 5)
                story.wholeRun(2, "bob", run: "r2", thread: "tb", request: "q1", at: 6)
                story.send(1, Say.start(user, "q2", agent: "non_existent_agent", thread: thread), at: 30)
                story.event(1, Say.error("agent_execution_error", request: "q2"), at: 31)
            }
        }
        #expect(story("alice", thread: nil).heads == ["E5"])
        #expect(story("alice", thread: nil).findings.first?.sentence == "alice's error does not repeat user_id of its request")
        #expect(story(nil, thread: "ta").findings.first?.sentence == "alice's error does not repeat thread_id of its request")
        #expect(story("bob", thread: "tb").sentences.isEmpty, "foreign values need not come back")
        #expect(story(nil, thread: "t-unknown").sentences.isEmpty)
    }

    @Test func statefulLabelFallsWhenItNoLongerHolds() {
        var contract = AgentChat.with(
            #"{"reject": [{"when": {"type": "agent_started"}, "with": "agent_execution_error"}], "flows": {}}"#)
        contract.reject[0].run = .open
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, Say.start("alice", "q2"), at: 12)
            // The server had ended the first run before it read the second request.
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1"), at: 13)
            story.wholeRun(1, "alice", run: "r2", thread: "ta", request: "q2", at: 14)
        }
        #expect(judgement.sentences.isEmpty)
        let broken = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, Say.start("alice", "q2"), at: 12)
            story.event(1, Say.event("agent_started", "alice", run: "r2", thread: "ta", request: "q2"), at: 13)
            story.event(1, Say.event("agent_completed", "alice", run: "r2", thread: "ta", request: "q2"), at: 14)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1"), at: 15)
        }
        #expect(broken.heads == ["E4"])
    }

    @Test func serialAnswersInOrder() {
        var contract = AgentChat.contract
        contract.wire.serial = true
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 11)
            story.event(1, Say.error("message_processing_error"), at: 12)
            story.event(1, Say.error("connection_error"), at: 13)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
    }

    @Test func successAfterTheErrorIsStillE4() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil, "q1"), at: 10)
            story.event(1, Say.error("authentication_error", request: "q1"), at: 11)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 12)
        }
        #expect(judgement.heads == ["E4"])
    }

    /// A leftover error of bob's and an unanswered request of alice's are one cause only if nothing tells them apart.
    @Test func leftoverThatNamesAnotherRequestIsNoted() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, #"{"type":"invalid_type","request_id":"q1"}"#, at: 10)
            story.event(2, Say.error("message_processing_error", request: "q2"), at: 12)
        }
        #expect(judgement.heads == ["E3"])
    }
}
