import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Recordings that lack whole sessions: one browser's, one host's, some users'. Every story of this suite that accuses nobody
/// is judged without each of its sessions, and without each of its users, as well (`judge`, `Omission`).
@Suite struct OmissionTests {
    private static let word = "mwc-abcdefghijkl"

    // MARK: What another session explains

    /// Each of a user's connections gets everything: the other one asked.
    @Test func theOtherConnectionAsked() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            for (request, at) in [("q1", 10.0), ("q2", 100.0)] {
                story.send(1, Say.start("alice", request), at: at)
                for session in [1, 2] {
                    story.wholeRun(session, "alice", run: "r\(request)", thread: "t1", request: request, at: at + 1)
                }
            }
            story.send(2, #"{"type":"cancel","run_id":"rq1"}"#, at: 200)
            story.send(2, "{", at: 210)
            story.event(1, Say.error("message_processing_error", user: "alice"), at: 211)
            story.event(2, Say.error("message_processing_error", user: "alice"), at: 212)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.isEmpty, "with all there nothing is in doubt")
    }

    /// A server that sends to the connection that came last.
    @Test func theLastConnectionIsAnswered() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.enter(2, "alice", at: 20)
            story.event(2, Say.event("agent_thinking", "alice", run: "r1", thread: "t1", request: "q1"), at: 30)
            story.event(2, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1"), at: 31)
            story.send(1, "{", at: 40)
            story.event(2, Say.error("message_processing_error", user: "alice"), at: 41)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.isEmpty)
    }

    /// The same name for a request that is refused here and one that succeeds there.
    @Test func aNamesakeSucceedsElsewhere() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(2, Say.start("alice", "q1"), at: 10)
            story.send(1, Say.start(nil, "q1"), at: 11)
            story.event(1, Say.error("authentication_error", user: "alice", request: "q1"), at: 12)
            for session in [1, 2] { story.wholeRun(session, "alice", run: "r1", thread: "t1", request: "q1", at: 20) }
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// She had the word from her other connection.
    @Test func aWordThatSheSaidElsewhere() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.enter(3, "bob", at: 2)
            story.send(3, Say.start("bob", "q3", text: Self.word), at: 10)
            story.wholeRun(3, "bob", run: "r3", thread: "tb", request: "q3", at: 11)
            story.send(1, Say.start("alice", "q1", text: Self.word), at: 20)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 21)
            story.event(2, #"{"type":"notice","text":"\#(Self.word)"}"#, at: 30)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// What came behind an illegal frame was said on another connection as well.
    @Test func aWordFromBehindAnIllegalFrame() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            let text = #"{"type":"cancel","run_id":"\#(Self.word)"}"#
            story.send(2, text, at: 9)
            story.frame(1, .toServer, Frame(opcode: .text, payload: .init(string: text)), at: 10)
            story.event(1, #"{"type":"notice","text":"\#(Self.word)"}"#, at: 20)
            story.ticks(from: 100, to: 1_900)
            story.close(1, by: .server, 1002, at: 1_950)
            story.ticks(from: 2_000, to: 5_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// Only who knows the owner knows by which rule a request is refused.
    @Test(arguments: ["4000", "silence"]) func aThreadOfSomebodyWhoIsNotThere(outcome: String) {
        let with = outcome == "silence" ? "silence" : "close \(outcome)"
        let contract = AgentChat.with(
            #"{"reject": [{"when": {"thread_id": "<foreign>"}, "with": "\#(with)"}, {"when": "<malformed>"}]}"#)
        let judgement = judge(contract) { story in
            story.enter(1, "bob", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("bob", "q1"), at: 10)
            story.wholeRun(1, "bob", run: "r1", thread: "tb", request: "q1", at: 11)
            story.send(2, Say.start("alice", "q2", thread: "tb"), at: 20)
            if outcome != "silence" { story.close(2, by: .server, 4000, at: 21) }
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A run that was asked for elsewhere is open all the same.
    @Test func aRunThatIsOpenElsewhere() {
        var contract = AgentChat.with(
            #"{"reject": [{"when": {"type": "cancel"}, "with": "message_processing_error"}, {"when": "<malformed>"}]}"#)
        contract.reject[0].run = RejectRule.RunState.none
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.send(2, #"{"type":"cancel","run_id":"r1"}"#, at: 20)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1"), at: 2_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// The beginning went with the oldest segments.
    @Test func aRecordingWithoutItsOldestSegments() {
        var story = Transcript()
        story.enter(1, "alice", at: 0)
        story.send(1, Say.start("alice", "q1"), at: 10)
        story.closed(1, at: 20)
        let before = story.entries.count
        story.enter(2, "alice", at: 30)
        story.wholeRun(2, "alice", run: "r1", thread: "t1", request: "q1", at: 40)
        story.enter(3, "bob", at: 50)
        story.send(3, "{", at: 60)
        var judge = Judge(contract: AgentChat.contract, absence: .beginning)
        for entry in story.entries[before...] { judge.observe(entry) }
        let judgement = judge.conclude(at: Transcript.instant(100_000))
        // What is missing is past: an error that does not come now is missed.
        #expect(judgement.heads == ["E3"])
        #expect(judgement.summary("E1").reasons == ["the journal lacks entries"])
    }

    // MARK: What stays a finding

    @Test func whatWasBeforeTheRecordingIsOverInTheEnd() {
        let judgement = judged(without: 2, absence: .beginning) { story in
            story.enter(2, "bob", at: 0)
            story.closed(2, at: 1)
            story.enter(1, "alice", at: 2)
            story.event(1, Say.event("agent_completed", "alice", run: "r9", thread: "ta"), at: 200_000)
        }
        #expect(judgement.heads == ["E1"])
    }

    /// Of the users that are there everything is there.
    @Test func aRecordingOfSomeUsersTellsWhatTheyMiss() {
        let judgement = judged(without: 3, absence: .users) { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.enter(3, "carol", at: 2)
            story.send(1, Say.start("alice", "q1", text: Self.word), at: 10)
            story.send(3, "{", at: 11)
            story.event(2, #"{"type":"notice","text":"\#(Self.word)"}"#, at: 20)
            story.send(2, "{", at: 30)
        }
        #expect(judgement.failed == ["E1", "E3", "I1"])
    }

    /// Whose a run is shows on the connection that asked.
    @Test(arguments: [[], .users, .sessions] as [Absence]) func aRunForTheWrongUser(absence: Absence) {
        let judgement = judged(without: 3, absence: absence) { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.enter(3, "carol", at: 2)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.event(2, Say.event("agent_thinking", "alice", run: "r1", thread: "t1", request: "q1"), at: 12)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1"), at: 13)
        }
        #expect(judgement.heads == ["I2"])
    }

    @Test func aCaptureTellsOfSilenceUntilAnotherConnectionShows() {
        func judgement(_ shows: Bool) -> Judgement {
            judged(without: 2, absence: .sessions) { story in
                story.enter(1, "alice", at: 0)
                if shows { story.event(1, Say.event("agent_thinking", "alice", run: "r7", thread: "t7"), at: 5) }
                story.send(1, "{", at: 10)
            }
        }
        #expect(judgement(false).heads == ["E3"])
        #expect(judgement(true).heads == [])
        #expect(judgement(true).undecided == ["E1", "E3", "E4"])
    }

    /// The journal numbered as a reader gets it: anew where something is known to be missing, else with a hole.
    private func judged(without session: UInt32, absence: Absence = [], _ tell: (inout Transcript) -> Void) -> Judgement {
        var story = Transcript()
        tell(&story)
        let rest = inOrder(story.entries).filter { $0.session != SessionID(session) }
        var judge = Judge(contract: AgentChat.contract, absence: absence)
        for entry in absence.isSubset(of: .beginning) ? rest : inOrder(rest) { judge.observe(entry) }
        return judge.conclude(at: Transcript.instant(300_000))
    }

    // MARK: Any server

    /// Right or wrong: what is not there never makes it worse.
    @Test(arguments: 1...60 as ClosedRange<UInt64>) func whatIsMissingAccusesNobody(seed: UInt64) {
        let entries = RandomJournal(seed: seed).entries
        let end = entries.last?.instant ?? .zero
        let omission = Omission(AgentChat.contract, entries, until: end)
        let whole = Omission.Journal(name: "whole", entries: entries).judgement(AgentChat.contract, until: end)
        for session in omission.sessions {
            for journal in omission.journals(without: [session], isUser: false) where journal.isTold {
                let judgement = journal.judgement(AgentChat.contract, until: end)
                #expect(Set(judgement.failed).isSubset(of: whole.failed), "without \(session): \(judgement.sentences)")
            }
        }
    }
}
