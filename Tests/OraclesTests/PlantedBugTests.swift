import Journaling
import Testing
import Wire

@testable import Oracles

/// Each planted bug of fuzzing.md yields exactly one finding, headed by the property of its row.
@Suite struct PlantedBugTests {
    @Test func b01GreetingLostWhileAcceptPends() {
        let judgement = judge { story in
            story.fault(1, "accept-delay", Influence(.handshake, [.greetingDeadline]), tap: .serverOut, held: .milliseconds(400), at: 0)
            story.open(1, "alice", at: 400)
            story.send(1, Say.start("alice", "q1"), at: 500)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 501)
        }
        #expect(judgement.heads == ["H1"])
        let finding = judgement.findings.first
        #expect(finding?.sentence == "alice gets no connected within 2 s of the 101")
        #expect(finding?.instant == Transcript.instant(2_400))
        #expect(finding?.faults.map(\.kind) == ["accept-delay"])
        #expect(finding?.contractFile == "agent-chat.yaml")
    }

    @Test func b02GreetingDroppedBehindThe101() {
        let judgement = judge { story in
            for session in 1...3 { story.open(session, "alice", at: Double(session)) }
        }
        #expect(judgement.heads == ["H1"])
        #expect(judgement.findings.first?.repeats == 3)
        #expect(judgement.counts("H1") == [3, 0, 0, 0, 3])
    }

    @Test func b03CompletionMissing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11, ends: false)
        }
        #expect(judgement.heads == ["E1"])
        #expect(judgement.findings.first?.sentence == "alice's run gets no agent_completed or error within 60 s")
        #expect(judgement.findings.first?.witness.count ?? 0 <= 8)
    }

    @Test func b08MalformedSwallowed() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            for index in 0..<3 { story.send(1, "{\"type\":", at: 10 + Double(index)) }
            story.send(1, #"{"type":"invalid_type"}"#, at: 20)
            story.event(1, Say.error("message_processing_error", user: "alice"), at: 2_000)
        }
        // The late error belongs to none of them any more.
        #expect(judgement.heads.contains("E3"))
        #expect(judgement.findings.first?.sentence == "malformed JSON gets no answer within 1 s")
        #expect(judgement.findings.first?.repeats == 3)
        let one = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{\"type\":", at: 10)
            story.send(1, Say.start("alice", "q1"), at: 20)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 21)
        }
        #expect(one.heads == ["E3"])
        #expect(one.findings.first?.instant == Transcript.instant(1_010))
        #expect(one.findings.first?.users == ["alice"])
    }

    @Test func b09SuccessForMissingField() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil, "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
        }
        #expect(judgement.heads == ["E4"])
        #expect(judgement.findings.first?.sentence == "agent_started is answered with agent_started"
            || judgement.findings.first?.sentence == "an invalid agent_started is answered with agent_started")
        #expect(judgement.failed == ["E4"], "it replaces E3, and the run goes on without blame")
    }

    @Test func b09WithoutRequestIDIsOnlySuspected() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: nil, at: 11)
        }
        #expect(judgement.heads == ["E3"])
        #expect(judgement.findings.first?.sentence.contains("seems to be answered with agent_started") == true)
        #expect(judgement.findings.first?.offending != nil)
    }

    @Test(arguments: [true, false]) func b10ErrorToTheLastConnected(withUser: Bool) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 5)
            var at = 10.0
            for (message, kind) in Say.fiveErrors {
                story.send(1, message, at: at)
                story.event(2, Say.error(kind, user: withUser ? "alice" : nil), at: at + 5)
                at += 10
            }
        }
        #expect(judgement.heads == ["I2 also E3"])
        let finding = judgement.findings.first
        #expect(finding?.sentence == "alice's error is delivered to bob")
        #expect(finding?.repeats == 5)
        #expect(finding?.users == ["alice", "bob"])
        #expect(finding?.sessions == [SessionID(1), SessionID(2)])
        #expect(judgement.counts("E3") == [5, 0, 0, 0, 5])
        #expect(judgement.errorsDelivered.isEmpty)
    }

    @Test func b12ForeignThreadAccepted() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
            for (index, request) in ["q2", "q3"].enumerated() {
                let at = 100.0 * Double(index + 1)
                story.send(2, Say.start("bob", request, thread: "ta"), at: at)
                story.wholeRun(2, "bob", run: "r\(request)", thread: "ta", request: request, at: at + 1)
            }
        }
        #expect(judgement.heads == ["I2 also E4"])
        #expect(judgement.findings.first?.sentence == "bob's agent_started names alice's thread")
        #expect(judgement.findings.first?.repeats == 2)
    }

    @Test func b15BadTokenMetWithSilence() {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, state: .forged, faults: ["f1"])
            story.send(1, Say.start("alice", "q1"), at: 100)
            story.send(1, "{", at: 200)
        }
        #expect(judgement.heads == ["A1"])
        #expect(judgement.failed == ["A1"])
        #expect(judgement.findings.first?.instant == Transcript.instant(2_000))
    }

    @Test func b28BareErrors() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            var at = 10.0
            for (message, kind) in Say.fiveErrors {
                story.send(1, message, at: at)
                story.event(1, #"{"type":"error","error":"\#(kind)","user_id":"alice"}"#, at: at + 1)
                at += 10
            }
        }
        #expect(judgement.heads == ["E5"])
        #expect(judgement.findings.first?.repeats == 5)
        #expect(judgement.findings.first?.found.contains("0.011") == true)
        #expect(judgement.counts("E3") == [5, 5, 0, 0, 0])
        #expect(judgement.errorsDelivered.count == 5)
    }

    // MARK: Bugs that later backends plant, seen by the same properties

    @Test func b04TwoEnds() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.event(1, Say.error("agent_execution_error", user: "alice", request: "q1", more: #","run_id":"r1""#), at: 12)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1"), at: 13)
            story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "t1", request: "q1"), at: 14)
        }
        #expect(judgement.heads == ["E1"])
        #expect(judgement.findings.first?.sentence == "alice's run goes on with agent_completed after its end")
    }

    @Test func b11OneAnswerBroadcast() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, #"{"type":"cancel","run_id":"mwc-abcdefghijkl"}"#, at: 10)
            story.event(2, #"{"type":"notice","text":"mwc-abcdefghijkl"}"#, at: 11)
        }
        #expect(judgement.heads == ["I1"])
        #expect(judgement.findings.first?.caret?.text == "mwc-abcdefghijkl")
    }

    @Test func b13RunEventsToTheWrongUser() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "Alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.event(2, Say.event("agent_thinking", "alice", run: "r1", thread: "t1", request: "q1"), at: 12)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1"), at: 13)
        }
        // The run misses its end because of it: collateral.
        #expect(judgement.heads == ["I2 also E1"])
    }

    /// The canary of this suite: what must fail fails, so a judge that passes everything would be noticed.
    @Test func canary() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.event(1, Say.event("agent_completed", "alice", run: "r9", thread: "t1"), at: 10)
        }
        #expect(judgement.heads == ["E1"])
        #expect(judgement.findings.first?.sentence == "alice gets agent_completed that nobody asked for")
    }
}
