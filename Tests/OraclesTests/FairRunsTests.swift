import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers whose words about a run could be taken for its end, or for what nobody asked for.
@Suite struct FairRunsTests {
    /// A server may say in an error in which thread it stands: what is under way there is not over by it.
    @Test(arguments: [#","thread_id":"ta""#, ""]) func anErrorToARequestInTheThreadOfARun(named: String) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 11)
            story.send(1, #"{"type":"tool_executing","tool_name":"invalid_tool"\#(named)}"#, at: 12)
            story.event(1, Say.error("tool_execution_error", user: "alice", more: #","thread_id":"ta""#), at: 13)
            story.event(1, Say.event("tool_executing", "alice", run: "r1", thread: "ta", more: #","tool_name":"t""#), at: 14)
            story.event(1, Say.event("tool_completed", "alice", run: "r1", thread: "ta", more: #","tool_name":"t""#), at: 15)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 16)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// The same where the run is only asked for yet.
    @Test func anErrorToARequestInTheThreadThatAStartNames() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", thread: "ta"), at: 10)
            story.send(1, #"{"type":"tool_executing","tool_name":"invalid_tool","thread_id":"ta"}"#, at: 12)
            story.event(1, Say.error("tool_execution_error", user: "alice", more: #","thread_id":"ta""#), at: 13)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 14)
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: Errors that name a run

    private static func run(_ type: String, _ more: String = "") -> String {
        Say.event(type, "alice", run: "r1", thread: "ta", more: more)
    }

    /// "Cannot cancel now" names the run, which goes on.
    @Test(arguments: ["message_processing_error", "agent_execution_error"]) func whatWasAskedAboutARunDoesNotEndIt(kind: String) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.event(1, Self.run("agent_started"), at: 11)
            story.send(1, #"{"type":"cancel","run_id":"r1"}"#, at: 20)
            story.event(1, Say.error(kind, user: "alice", more: #","run_id":"r1""#), at: 21)
            story.event(1, Self.run("agent_thinking"), at: 40)
            story.event(1, Self.run("agent_completed"), at: 60)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// The refusal repeats the run that the request named.
    @Test func aRefusalThatRepeatsARunIsTheRequests() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.event(1, Self.run("agent_started"), at: 11)
            story.send(1, #"{"type":"tool_executing","tool_name":"invalid_tool","run_id":"r1"}"#, at: 20)
            story.event(1, Say.error("tool_execution_error", user: "alice", more: #","run_id":"r1""#), at: 21)
            story.event(1, Self.run("agent_completed"), at: 60)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    // MARK: Several connections of a user

    /// What may be refused here takes an error that another connection is owed: then nobody knows whose it was.
    @Test func anErrorOnAnotherTabBesideAnOpenRequest() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(2, #"{"type":"cancel","run_id":"r0"}"#, at: 5)
            story.send(1, "{", at: 10)
            story.event(2, Say.error("message_processing_error", user: "alice"), at: 11)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// Each copy bears its own time.
    @Test func stampedCopiesAreCopies() {
        func stamped(_ type: String, _ time: String) -> String { Self.run(type, #","timestamp":\#(time),"seq":\#(time)"#) }
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice"), at: 10)
            for (at, type) in [(11.0, "agent_started"), (15, "agent_thinking"), (20, "agent_completed")] {
                story.event(1, stamped(type, "\(at)"), at: at)
                story.event(2, stamped(type, "\(at + 0.001)"), at: at + 0.1)
            }
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: What takes long

    /// Nobody says how long a tool may take that a client calls by itself.
    @Test func aSlowToolIsStillTheClients() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"tool_executing","tool_name":"search"}"#, at: 5)
            story.event(1, Say.event("tool_executing", "alice", run: "r9", thread: "ta", more: #","tool_name":"search""#), at: 12_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A loop may be a tick and half of another behind without standing still.
    @Test func lateByLessThanOurOwnClockTells() {
        let judgement = judge { story in
            story.ticks(from: 0, to: 900)
            story.enter(1, "alice", at: 1)
            story.send(1, "{", at: 10)
            story.tick(at: 1_000)
            story.event(1, Say.error("message_processing_error", user: "alice"), at: 1_120)
            story.ticks(from: 1_130, to: 3_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A contract need not call a run's key an identifier for an error to repeat it.
    @Test func anErrorRepeatsTheRunThatItsReceiverAskedAbout() {
        let contract = AgentChat.with(#"{"identity": {"credential": ["header authorization"], "user": "credential|jwt.sub"}}"#)
        func story(_ asks: Bool) -> Judgement {
            judge(contract) { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "bob", at: 1)
                story.send(1, Say.start("alice"), at: 10)
                story.event(1, Self.run("agent_started"), at: 11)
                story.send(2, asks ? #"{"type":"cancel","run_id":"r1"}"# : #"{"type":"cancel","run_id":"r7"}"#, at: 20)
                story.event(2, Say.error("message_processing_error", more: #","run_id":"r1""#), at: 21)
                story.event(1, Self.run("agent_completed"), at: 30)
            }
        }
        #expect(story(true).sentences.isEmpty)
        #expect(story(false).findings.map(\.property) == ["I2"])
    }

    // MARK: Runs of a connection that is lost

    /// One request_id on two connections of a user: the run that begins behind the end of one is not surely the other's.
    @Test(arguments: [false, true]) func aRunOfALostConnectionIsNotAnothers(isHere: Bool) {
        func told(_ isLost: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "alice", at: 1)
                story.send(2, Say.start("alice", "q1"), at: 9)
                if isLost {
                    story.send(1, Say.start("alice", "q1"), at: 10)
                    story.end(1, .client, at: 11)
                }
                story.event(isLost && isHere ? 1 : 2, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 12)
                story.ticks(from: 13, to: 9_000)
            }
        }
        #expect(told(true).sentences.isEmpty)
        #expect(told(false).heads == ["E1"])
    }
}
