import Journaling
import Testing
import Wire

@testable import Oracles

/// Our own back-pressure: what the server sends while nobody reads it is no silence of the server's, and no more than
/// that is excused.
@Suite struct UnreadTests {
    private static let malformed = "{"

    // MARK: A healthy server behind a client that does not read

    /// The error was there in time and was read late: by exactly what was held it may be later.
    @Test(arguments: [(held: 5_000.0, answered: 5_150.0), (60_000, 60_100), (900, 1_880)])
    func anErrorReadAfterTheRelease(_ times: (held: Double, answered: Double)) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.malformed, at: 10)
            story.hold(1, true, at: 10)
            story.hold(1, false, at: 10 + times.held)
            story.event(1, Say.error("message_processing_error"), at: 10 + times.answered)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    @Test func greetingRunAndAnswerReadLate() {
        let judgement = judge { story in
            story.open(1, "alice", at: 0)
            story.hold(1, true, at: 1)
            story.hold(1, false, at: 70_000)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 70_001)
            story.send(1, Say.start("alice", "q1"), at: 70_010)
            story.hold(1, true, at: 70_010)
            story.hold(1, false, at: 80_000)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 80_001)
            story.hold(1, true, at: 80_002)
            story.hold(1, false, at: 180_000)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 180_200)
        }
        #expect(judgement.sentences.isEmpty && judgement.undecided.isEmpty)
        #expect(judgement.counts("H1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
    }

    /// A reader that stops and goes on all the time is credited all its pauses, more of them than are kept singly.
    @Test func manyShortHolds() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.malformed, at: 10)
            for turn in 0..<1_000 {
                story.hold(1, true, at: 10 + Double(turn) * 10)
                story.hold(1, false, at: 19.5 + Double(turn) * 10)
            }
            story.event(1, Say.error("message_processing_error"), at: 10_020)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// The recording ends while nobody reads, or while what queued is still being read.
    @Test(arguments: [nil, 4_900.0]) func theEndWhileHeld(_ released: Double?) {
        let judgement = judge(until: 5_000) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.malformed, at: 10)
            story.send(1, Say.start("alice", "q1"), at: 11)
            story.hold(1, true, at: 12)
            if let released { story.hold(1, false, at: released) }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("E3").reasons == ["alice's client was not reading"])
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
    }

    @Test func whoseFaultItWasIsSaid() {
        for (side, cause, reason) in [
            (Side.server, HoldRecord.Cause.recorder, "miswire's recorder was behind"),
            (.server, .fault, "a fault stopped the reading of the server"),
            (.client, .full, "the server was not taking what alice sent"),
        ] {
            let judgement = judge(until: 5_000) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Self.malformed, at: 10)
                story.hold(1, true, side, cause, at: 12)
            }
            #expect(judgement.sentences.isEmpty)
            #expect(judgement.summary("E3").reasons == [reason])
        }
    }

    /// The answer may lie unread on another connection of the same user.
    @Test(arguments: [true, false]) func theUsersOtherConnectionIsHeld(isReleased: Bool) {
        let judgement = judge(until: 9_000) { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.hold(2, true, at: 5)
            story.send(1, Self.malformed, at: 10)
            if isReleased {
                story.hold(2, false, at: 6_000)
                story.event(2, Say.error("message_processing_error"), at: 6_001)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == (isReleased ? [1, 1, 0, 0, 0] : [1, 0, 0, 1, 0]))
    }

    @Test func theUsersOtherConnectionGoesUnread() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.hold(2, true, at: 5)
            story.send(1, Self.malformed, at: 10)
            story.end(2, .client, .reset, at: 3_000)
            story.closed(2, at: 3_001)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(
            judgement.summary("E3").reasons == ["what the server sent on another connection of alice was never read"])
    }

    /// What was sent first is read last: order between two connections proves nothing meanwhile.
    @Test func orderAcrossConnections() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.hold(1, true, at: 12)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 20)
            story.hold(1, false, at: 500)
            story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "ta"), at: 501)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A run that was lost with its connection goes on where nobody reads.
    @Test func aLostRunReadLate() {
        let judgement = judge(until: 300_000) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.end(1, .client, .reset, at: 11)
            story.closed(1, at: 12)
            story.enter(2, "alice", at: 20)
            story.hold(2, true, at: 30)
            story.hold(2, false, at: 200_000)
            story.event(2, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 200_010)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func aServerThatTakesNothingHasNotGotTheRequest() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.malformed, at: 10)
            story.hold(1, true, .client, at: 10)
            story.hold(1, false, .client, at: 4_000)
            story.event(1, Say.error("message_processing_error"), at: 4_500)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    // MARK: An ill server behind the same

    /// It never answers, though everything was read: as late as the bound and the hold together say.
    @Test(arguments: [500.0, 5_000, 60_000]) func silenceAfterTheRelease(_ held: Double) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.malformed, at: 10)
            story.hold(1, true, at: 100)
            story.hold(1, false, at: 100 + held)
        }
        #expect(judgement.heads == ["E3"])
    }

    @Test func anAnswerLaterThanTheHold() {
        func heads(_ answered: Double) -> [String] {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Self.malformed, at: 0)
                story.hold(1, true, at: 100)
                story.hold(1, false, at: 600)
                story.event(1, Say.error("message_processing_error"), at: answered)
            }.heads
        }
        // One second of its own, half a second held.
        #expect(heads(1_500) == [])
        #expect(heads(1_501) == ["E3"])
    }

    @Test func aRunThatNeverEnds() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.hold(1, true, at: 12)
            story.hold(1, false, at: 30_000)
        }
        #expect(judgement.heads == ["E1"])
    }

    /// A run that has begun waits for nothing that the client says: a server that stops reading must end it all the same.
    @Test func aServerThatTakesNothingMustEndItsRuns() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.hold(1, true, .client, at: 12)
        }
        #expect(judgement.heads == ["E1"])
    }

    /// Before the request, at another user's, or of a client whose words wait: none of it is silence of this one.
    @Test func holdsThatExcuseNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.hold(2, true, at: 2)
            story.hold(1, true, at: 2)
            story.hold(1, false, at: 3_000)
            story.hold(1, true, .client, .recorder, at: 3_001)
            story.send(1, Self.malformed, at: 3_010)
        }
        #expect(judgement.heads == ["E3"])
    }

    /// The greeting is owed on its own connection.
    @Test func aGreetingThatIsMissing() {
        let judgement = judge { story in
            story.enter(2, "alice", at: 0)
            story.hold(2, true, at: 1)
            story.open(1, "alice", at: 10)
        }
        #expect(judgement.heads == ["H1"])
    }

    /// A bad credential that was not refused, behind a client that does not read for a while.
    @Test func aBadCredentialAccepted() {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, state: .forged)
            story.hold(1, true, at: 10)
            story.hold(1, false, at: 3_000)
        }
        #expect(judgement.heads == ["A1"])
    }

    /// Order on one connection is the server's own, however late it is read.
    @Test func orderOnOneConnection() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.hold(1, true, at: 10)
            story.hold(1, false, at: 400)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 401)
            story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "ta"), at: 420)
        }
        #expect(judgement.heads == ["E1"])
    }
}
