import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers and ends of connections: whoever would be accused here would be accused wrongly.
@Suite struct FairEndsTests {
    // MARK: Ends of connections

    @Test func requestsBehindTheServersCloseAreOwedNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.close(1, by: .server, 1001, at: 10)
            story.send(1, "{", at: 11)
            story.send(1, Say.start("alice", "q1"), at: 12)
            story.close(1, by: .client, 1001, at: 13)
            story.end(1, .server, at: 14)
        }
        #expect(judgement.sentences.isEmpty && judgement.undecided.isEmpty)
        #expect(judgement.runs == 0)
    }

    /// A close that the malformed request allows ends the run beside it, and the recovery that was awaited.
    @Test func anAllowedCloseEndsTheOthersToo() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 12)
            story.event(1, Say.error("connection_error"), at: 13)
            story.send(1, "{", at: 14)
            story.close(1, by: .server, 1007, at: 15)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
    }

    /// What we changed may be too much for the server: it may close on it, and the run is excused; silence is not.
    @Test func aCloseOnWhatWeChangedIsExcused() {
        func story(closes: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1", text: "xxxx"), at: 10, faults: ["f4"])
                if closes { story.close(1, by: .server, 1009, at: 15) }
            }
        }
        #expect(story(closes: true).sentences.isEmpty)
        #expect(story(closes: true).summary("E1").excuses == ["E1 runs open when f4 changed what the server closed on"])
        #expect(story(closes: false).heads == ["E1"], "it must still end")
    }

    /// A server must fail the connection (RFC 6455 section 7.1.7); what was open on it is not its fault.
    @Test func aClientThatBreaksTheProtocolIsOwedNothing() {
        for closes in [true, false] {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
                story.send(1, "{", at: 12)
                story.send(1, "reserved", at: 13, opcode: Opcode(rawValue: 3))
                if closes { story.close(1, by: .server, 1002, at: 14) }
            }
            #expect(judgement.sentences.isEmpty)
            #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
        }
    }

    /// A credential that a message brought may be why the server closes; what else was open is not to blame it.
    @Test func aCloseForTheCredentialOfAMessageBlamesNobody() {
        func told(_ auth: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                if auth { story.send(1, #"{"type":"auth","token":"hello","request_id":"q1"}"#, at: 10) }
                story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 11)
                story.close(1, by: .server, 4401, at: 12)
                story.closed(1, at: 13)
            }
        }
        #expect(told(true).sentences.isEmpty)
        #expect(told(false).heads == ["E3"])
    }

    /// A good request may bear the name of one that was refused; its run comes after its connection has gone half.
    @Test func aNameUsedTwiceCondemnsNobody() {
        func told(_ again: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, #"{"request_id":"q1"}"#, at: 10)
                story.event(1, Say.error("message_processing_error"), at: 11)
                if again { story.send(1, Say.start("alice", "q1"), at: 12) }
                story.end(1, .client, at: 13)
                story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 14)
                story.closed(1, at: 20)
            }
        }
        #expect(told(true).sentences.isEmpty)
        #expect(told(false).heads == ["E4"])
    }

    /// A start says nothing of a run: what stands there all the same links it to none.
    @Test func anExtraFieldLinksNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
            story.send(
                1, #"{"type":"agent_started","agent_name":"assistant","user_id":"alice","run_id":"r1","message":"x"}"#, at: 20)
            story.wholeRun(1, "alice", run: "r2", thread: "t2", request: nil, at: 21)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0])
    }

    /// What a client began to say and did not end comes to the journal last, and may be why the server closed.
    @Test func anUnfinishedFrameOfTheClientExplainsTheEnd() {
        func told(_ unfinished: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
                story.close(1, by: .server, 1009, at: 14)
                if unfinished { story.bytes(1, .partial, .toServer, "", at: 15) }
                story.closed(1, at: 16)
            }
        }
        #expect(told(true).sentences.isEmpty && told(true).counts("E1") == [1, 0, 0, 1, 0])
        #expect(told(false).heads == ["E1"])
    }

    /// The client said what it had to say and ended its side, and all that came before the 101.
    @Test func whoLeavesBeforeThe101IsOwedNothing() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 1)
            story.end(1, .client, at: 2)
            story.accept(1, at: 3)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 4)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 5)
            story.end(1, .server, at: 6)
            story.closed(1, at: 7)
            story.upgrade(2, "bob", at: 10)
            story.end(2, .client, at: 11)
            story.accept(2, at: 12)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
    }

    /// An unfinished frame, and the client goes only when all bounds are long over.
    @Test func anUnfinishedFrameExplainsTheEndHoweverLate() {
        func told(_ unfinished: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
                story.send(1, Say.start(nil), at: 20)
                story.event(1, Say.error("authentication_error", user: "alice"), at: 21)
                story.close(1, by: .server, 1009, at: 24)
                story.end(1, .server, at: 25)
                if unfinished { story.bytes(1, .partial, .toServer, "", at: 90_000) }
                story.closed(1, at: 90_001)
            }
        }
        #expect(told(true).sentences.isEmpty)
        #expect(told(false).heads == ["E5"])
    }

    @Test func serverDropsAConnectionWithoutAnythingOpen() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.end(1, .server, .reset, at: 10)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func ourOwnEndAccusesNobody() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.send(1, "{", at: 11)
            story.end(1, .client, by: .tool, at: 12)
            story.end(1, .server, .reset, by: .tool, at: 12)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.contains("E1") && judgement.undecided.contains("E3"))
    }

    // MARK: Several connections of one user

    /// Every connection of the user gets every event; the other one's entries may come first or last.
    @Test(arguments: [0.0, 50, -0.25]) func eventsFanOutToAllTabs(lag: Double) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 100)
            for (index, type) in ["agent_started", "agent_thinking", "agent_completed"].enumerated() {
                let event = Say.event(type, "alice", run: "r1", thread: "ta", request: "q1")
                let at = 110 + Double(index)
                story.event(1, event, at: at)
                story.event(2, event, at: at + lag)
            }
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 200)
            story.send(2, #"{"type":"invalid_type"}"#, at: 201)
            for (at, kind) in [(210.0, "connection_error"), (211, "message_processing_error")] {
                story.event(1, Say.error(kind), at: at)
                story.event(2, Say.error(kind), at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
    }

    /// The n-th of equal messages here is the copy of the n-th there; what is behind by more than is remembered is judged by
    /// nobody.
    @Test(arguments: [(0.05, 3), (50, 3), (5_000, 1_100)]) func mirroredRunsOfEqualEvents(lag: Double, thoughts: Int) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 100)
            let types = ["agent_started"] + Array(repeating: "agent_thinking", count: thoughts) + ["agent_completed"]
            let events = types.enumerated().map { (110 + 0.5 * Double($0.offset), Say.event($0.element, "alice", run: "r1", thread: "ta", request: "q1")) }
            for (at, session, event) in (events.map { ($0.0, 1, $0.1) } + events.map { ($0.0 + lag, 2, $0.1) }).sorted(by: { $0.0 < $1.0 }) {
                story.event(session, event, at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
    }

    /// One more than the other connection got is no copy.
    @Test func oneMoreBehindTheEndIsSeen() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 10)
            let event = Say.event("agent_thinking", "alice", run: "r1", thread: "ta", request: "q1")
            for at in [50.0, 51] { story.event(2, event, at: at) }
        }
        #expect(judgement.heads == ["E1"])
    }

    @Test func equalAnswersToEqualRequestsAreNoCopies() {
        let judgement = judge { story in
            for session in 1...2 {
                story.enter(session, "alice", at: Double(session))
                story.send(session, "{", at: 10 + Double(session))
                story.event(session, Say.error("message_processing_error"), at: 20 + Double(session))
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
    }

    /// "On the same user's connection": the server answers where the user is.
    @Test func errorOnAnotherTabOfTheSameUser() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, "{", at: 10)
            story.event(2, Say.error("message_processing_error"), at: 11)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    @Test func canaryOnTheUsersOtherSession() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1", text: "mwc-abcdefghijkl"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
            story.close(1, by: .client, 1000, at: 20)
            story.close(1, by: .server, 1000, at: 21)
            story.enter(2, "alice", at: 30)
            story.event(2, #"{"type":"notice","text":"mwc-abcdefghijkl","thread_id":"ta"}"#, at: 31)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A run that was cut goes on elsewhere while a malformed request waits there: no success of that request.
    @Test func aLostRunIsNoSuccessOfAnother() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, Say.start("alice", "q2"), at: 12)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.end(1, .server, .reset, by: .fault, at: 13)
            story.enter(2, "alice", at: 20)
            story.send(2, Say.start(nil, "q3"), at: 21)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 22)
            story.event(2, Say.event("agent_started", "alice", run: "r2", thread: "ta", request: "q2"), at: 23)
            story.event(2, Say.event("agent_completed", "alice", run: "r2", thread: "ta"), at: 24)
            story.event(2, Say.error("authentication_error", request: "q3"), at: 25)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// The error stands before the close that belongs to it.
    @Test func anErrorThenAnAllowedCloseEndsTheOthersToo() {
        func story(_ closed: Double) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 11)
                story.send(1, "{", at: 20)
                story.event(1, Say.error("message_processing_error", user: "alice"), at: 21)
                story.close(1, by: .server, 1007, at: closed)
                story.end(1, .server, at: closed + 1)
            }
        }
        #expect(story(22).sentences.isEmpty)
        #expect(story(5_000).failed == ["E1"])
    }

    /// Whoever was not read from for long may have been asked for a sign of life.
    @Test func anEndReadBehindAHoldIsOld() {
        func story(_ released: Double) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 11)
                story.hold(1, true, at: 20)
                story.hold(1, false, at: released)
                story.close(1, by: .server, 1011, at: 45_000)
                story.end(1, .server, at: 45_001)
            }
        }
        #expect(story(44_999).sentences.isEmpty)
        #expect(story(500).failed == ["E1"])
    }

    /// A greeting may come before the message that brings the credential.
    @Test func greetedBeforeTheCredential() {
        let judgement = judge { story in
            story.open(1, nil, at: 0, state: .absent)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"c1"}"#, at: 1)
            story.facts(1, "alice", at: 50, state: .intact)
            story.send(1, #"{"type":"auth","token":"x"}"#, at: 50)
        }
        #expect(judgement.sentences.isEmpty)
    }
}
