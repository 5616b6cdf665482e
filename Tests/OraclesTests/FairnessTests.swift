import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers in bad company: whoever would be accused here would be accused wrongly.
@Suite struct FairnessTests {
    // MARK: Time

    /// The machine stood still for less than a tenth of the bound, and just when the answer came.
    @Test func aShortStallAtTheDeadline() {
        let judgement = judge { story in
            story.ticks(from: 0, to: 5_000)
            story.enter(1, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 300)
            story.tick(at: 5_100)
            story.tick(at: 5_200)
            // Silence of 300 ms; the answer of 5,250 is read at its end, behind the tick.
            story.tick(at: 5_500)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 5_501)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1"), at: 5_502)
            story.ticks(from: 5_600, to: 7_000)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
    }

    /// Late errors of a starved machine look like answers to the next requests.
    @Test func lateErrorsAreNoWrongAnswersToTheNext() {
        let judgement = judge { story in
            story.ticks(from: 0, to: 500)
            story.enter(1, "alice", at: 1)
            story.send(1, "{", at: 510)
            story.tick(at: 2_500)
            story.ticks(from: 2_600, to: 4_000)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 2_620)
            story.event(1, Say.error("message_processing_error"), at: 2_630)
            story.event(1, Say.error("connection_error"), at: 2_640)
            story.send(1, Say.start("alice", agent: "non_existent_agent", thread: nil), at: 2_650)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 2_660)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [3, 2, 0, 1, 0])
    }

    /// Nor are they the next request's when they repeat the thread that the late one named.
    @Test(arguments: [1, 2], [true, false]) func lateErrorsThatRepeatAThreadTakeNoOthersStart(starts: Int, repeats: Bool) {
        let judgement = judge { story in
            story.ticks(from: 0, to: 500)
            story.enter(1, "alice", at: 1)
            story.send(1, Say.start(nil, thread: "no-thread-of-hers"), at: 510)
            story.tick(at: 2_500)
            story.ticks(from: 2_600, to: 4_000)
            for _ in 1...starts { story.send(1, Say.start("alice"), at: 2_601) }
            let thread = repeats ? #","thread_id":"no-thread-of-hers""# : ""
            story.event(1, Say.error("authentication_error", user: "alice", more: thread), at: 2_610)
            for run in 1...starts {
                story.wholeRun(1, "alice", run: "r\(run)", thread: "t\(run)", request: nil, at: 2_620)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 0, 0, 1, 0])
    }

    // MARK: What the journal does not hold

    @Test func aJournalWithoutItsBeginning() {
        var transcript = Transcript()
        transcript.enter(1, "alice", at: 0)
        transcript.send(1, Say.start("alice", "q1"), at: 10)
        transcript.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
        transcript.event(1, Say.event("agent_thinking", "bob", run: "r2", thread: "ta"), at: 30)
        for first in transcript.entries.indices.dropFirst().dropLast() {
            var judge = Judge(contract: AgentChat.contract)
            for entry in transcript.entries[first...] { judge.observe(entry) }
            let judgement = judge.conclude(at: Transcript.instant(100_000))
            #expect(Set(judgement.failed).isSubset(of: ["I2"]), "from entry \(first): \(judgement.sentences)")
        }
    }

    @Test func aJournalWithoutItsEnd() {
        var transcript = Transcript()
        transcript.enter(1, "alice", at: 0)
        transcript.send(1, Say.start("alice", "q1"), at: 10)
        transcript.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
        transcript.send(1, "{", at: 40)
        transcript.event(1, Say.error("message_processing_error"), at: 41)
        for last in transcript.entries.indices {
            var judge = Judge(contract: AgentChat.contract)
            for entry in transcript.entries[...last] { judge.observe(entry) }
            let judgement = judge.conclude(at: transcript.entries[last].instant)
            #expect(judgement.failed.isEmpty, "\(judgement.sentences)")
        }
    }

    // MARK: What this contract does not speak about

    @Test func otherPathsMayRefuseAsTheyLike() {
        let judgement = judge { story in
            story.upgrade(1, nil, at: 0, state: .absent, path: "/metrics")
            story.refuse(1, 400, at: 5)
            story.upgrade(2, nil, at: 10, state: .corrupt, faults: ["f1"], path: "/other")
            story.open(3, "alice", at: 20, state: .forged, path: "/other")
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("A1") == [0, 0, 0, 0, 0])
    }

    /// What is no upgrade to a WebSocket is relayed as it comes: its credential is answered in words not read here.
    @Test func noUpgradeOwesNoAnswerToItsCredential() {
        let judgement = judge { story in
            story.upgrade(1, "alice", at: 0, state: .forged, opaque: true)
            story.end(1, .server, at: 5)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("A1") == [0, 0, 0, 0, 0])
    }

    // MARK: The blind side: what stays a finding

    @Test func aLossLongAgoExcusesNoStranger() {
        let judgement = judge(until: 300_000) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.end(1, .server, .reset, by: .fault, at: 13)
            story.enter(2, "alice", at: 20)
            story.event(2, Say.event("agent_completed", "alice", run: "r9", thread: "ta"), at: 200_000)
        }
        #expect(judgement.heads == ["E1"])
    }

    @Test func aCutWithNothingOpenExcusesNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.fault(1, "cut", Influence(.openOperations, [.ending]), tap: .serverOut, at: 13)
            story.end(1, .server, .reset, by: .fault, at: 13)
            story.enter(2, "alice", at: 20)
            story.event(2, Say.event("agent_completed", "alice", run: "r9", thread: "ta"), at: 30)
        }
        #expect(judgement.heads == ["E1"])
    }

    @Test func aDelayOfOursExcusesNoOtherConnection() {
        let judgement = judge { story in
            story.fault(
                1, "accept-delay", Influence(.handshake, [.greetingDeadline, .deadline]), tap: .serverOut,
                held: .seconds(10), at: 0)
            story.enter(1, "alice", at: 0)
            story.open(2, "bob", at: 1)
        }
        #expect(judgement.heads == ["H1"])
        #expect(judgement.findings.first?.users == ["bob"])
    }

    @Test func aFaultThatWasNotAppliedExcusesNothing() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.idleFault(1, "cut", Influence(.openOperations, [.ending]), at: 11)
        }
        #expect(judgement.heads == ["E3"])
        #expect(judgement.faultsActed == 0)
    }

    @Test func repeatedEndOnTheSameConnectionIsNoCopy() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1", more: #","tool_name":"t""#), at: 20)
        }
        #expect(judgement.heads == ["E1"])
    }

    @Test func aStrangerFirstIsNotTheOwner() {
        let contract = AgentChat.with(#"{"identity": {"credential": "query token", "user": "credential|jwt.sub"}}"#)
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            // The server sends it to everybody, bob first.
            story.event(2, #"{"type":"agent_started","run_id":"r1"}"#, at: 11)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11.5)
            story.event(2, #"{"type":"agent_completed","run_id":"r1"}"#, at: 12)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 12.5)
        }
        #expect(judgement.findings.allSatisfy { $0.sentence != "bob's agent_started is delivered to alice" })
        #expect(judgement.failed == ["E1", "I2", "C2"])
    }
}
