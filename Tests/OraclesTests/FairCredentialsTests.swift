import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers and connections that bring more than one credential: which of them counts is the server's choice.
@Suite struct FairCredentialsTests {
    /// The server takes the other one, on this connection and on that user's own.
    @Test func aServerMayTakeEither() {
        for taken in ["alice", "bob"] {
            let judgement = judge { story in
                story.enter(1, "alice", or: ["bob"], at: 0)
                story.event(1, #"{"type":"connected","user_id":"\#(taken)","connection_id":"ws_1"}"#, at: 1)
                story.enter(2, "bob", at: 2)
                story.enter(3, "alice", at: 3)
                story.send(1, #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","message":"say mwc-abcdefghijkl","request_id":"q1"}"#, at: 10)
                story.event(1, Say.error("agent_execution_error", user: taken), at: 11)
                let other = taken == "bob" ? 2 : 3
                story.event(other, Say.event("agent_started", taken, run: "r1", thread: "t1"), at: 12)
                story.event(other, Say.event("agent_thinking", taken, run: "r1", thread: "t1", more: #","text":"mwc-abcdefghijkl""#), at: 13)
                story.event(other, Say.error("agent_execution_error", user: taken), at: 14)
                story.close(1, by: .server, 1008, at: 15)
                story.end(1, .server, at: 16)
                story.ticks(from: 16, to: 20_000)
            }
            #expect(judgement.sentences.isEmpty, "\(taken)")
        }
    }

    /// Nor is its silence told, or that it refuses.
    @Test func nothingIsOwedThere() {
        let judgement = judge { story in
            story.enter(1, "alice", or: ["bob"], at: 0)
            story.send(1, "{", at: 10)
            story.send(1, Say.start("alice", "q1"), at: 11)
            story.ticks(from: 12, to: 20_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// What is known of others is judged as ever.
    @Test func theOthersAreJudged() {
        let judgement = judge { story in
            story.enter(1, "alice", or: ["bob"], at: 0)
            story.enter(2, "bob", at: 2)
            story.enter(3, "carol", at: 3)
            story.send(3, "say mwc-abcdefghijkl", at: 4)
            story.event(2, Say.event("agent_started", "carol", run: "r1", thread: "t1"), at: 12)
            story.send(2, "{", at: 13)
            story.ticks(from: 14, to: 20_000)
        }
        #expect(judgement.heads.contains("I2") && judgement.heads.contains("E3"))
    }

    /// Several of one user, of which one is bad: neither to let it in nor to refuse it is wrong.
    @Test(arguments: [true, false]) func aStaleOneBesideAGoodOne(isLetIn: Bool) {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0, state: .ambiguous, faults: ["f1"])
            if isLetIn {
                story.accept(1, at: 1)
                story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 2)
                story.send(1, Say.start("alice"), at: 3)
                story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 4)
            } else {
                story.refuse(1, 401, at: 1)
            }
            story.ticks(from: 10, to: 20_000)
        }
        #expect(judgement.sentences.isEmpty)
    }
}
