import Contracts
import Journaling
import NIOCore
import Testing
import Wire

@testable import Oracles

/// What looks like a server's mistake and need not be one: credentials that were never recorded, messages that only other
/// parsers read, signs of life that a client owes, requests that are asked again, users without a name.
@Suite struct FairDoubtsTests {
    private func judged(
        _ contract: Contract = AgentChat.contract, absence: Absence = [], until end: Double = 100_000, _ tell: (inout Transcript) -> Void
    ) -> Judgement {
        var story = Transcript()
        tell(&story)
        var judge = Judge(contract: contract, absence: absence)
        for entry in story.entries { judge.observe(entry) }
        return judge.conclude(at: Transcript.instant(end))
    }

    // MARK: Credentials

    @Test(arguments: [true, false]) func aCredentialThatWasNotRecorded(isKnownToLack: Bool) {
        let judgement = judged(absence: isKnownToLack ? .credentials : []) { story in
            story.open(1, nil, at: 0, state: .absent)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 1)
            story.send(1, Say.start("alice", "q1"), at: 2)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 3)
        }
        #expect(judgement.heads == (isKnownToLack ? [] : ["A1"]))
    }

    /// A fault of ours took it, so none was sent.
    @Test func aCredentialThatAFaultTook() {
        let judgement = judged(absence: .credentials) { story in
            story.open(1, nil, at: 0, state: .absent, faults: ["f1"])
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 3)
        }
        #expect(judgement.heads == ["A1"])
    }

    // MARK: Messages that our parser gives up on

    @Test func anAnswerTooDeepForUs() {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let judgement = judged { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "t1", request: "q1", more: #","x":\#(deep)"#), at: 12)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.undecided.contains("E1"))
    }

    // MARK: Signs of life

    private static func beating(_ from: String) -> Contract {
        AgentChat.with(
            #"""
            {"session": {"greeting": "connected", "within": "2s", "clean": [1000, 1001],
               "heartbeat": {"ask": "ping", "answer": "pong", "from": "\#(from)", "every": "5s", "within": "2s"}},
             "requests": {"agent_started": {"shape": {"user_id": "<text>"}, "starts": "run"}, "auth": {}, "ping": {}, "pong": {}},
             "events": {"connected": {}, "agent_started": {}, "agent_thinking": {}, "agent_completed": {}, "tool_executing": {},
               "tool_completed": {}, "partial_result": {}, "final_report": {}, "error": {}, "ping": {}, "pong": {}}}
            """#)
    }

    @Test(arguments: [(true, [String]()), (false, ["E1"])]) func aClientThatLeavesAHeartbeatUnanswered(isMute: Bool, heads: [String]) {
        let judgement = judged(Self.beating("server")) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            story.event(1, #"{"type":"ping"}"#, at: 1_000)
            if !isMute { story.send(1, #"{"type":"pong"}"#, at: 1_010) }
            story.close(1, by: .server, 1011, at: 3_500)
            story.closed(1, at: 3_501)
        }
        #expect(judgement.heads == heads)
    }

    @Test(arguments: [(true, [String]()), (false, ["E1"])]) func aClientThatGivesNoSign(isMute: Bool, heads: [String]) {
        let judgement = judged(Self.beating("client")) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "t1", request: "q1"), at: 11)
            if !isMute {
                story.send(1, #"{"type":"ping"}"#, at: 4_000)
                story.event(1, #"{"type":"pong"}"#, at: 4_001)
            }
            story.close(1, by: .server, 1011, at: 6_000)
            story.closed(1, at: 6_001)
        }
        #expect(judgement.heads == heads)
    }

    // MARK: Asked again

    /// A server that knows a request by its name answers it once.
    @Test func theSameRequestAgain() {
        let judgement = judged { story in
            story.enter(1, "alice", at: 0)
            for at in [10.0, 3_000] { story.send(1, Say.start("alice", "q1"), at: at) }
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 3_100)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1")[1] == 1, "the run that came is kept")
    }

    @Test func noneOfThemIsAnswered() {
        let judgement = judged { story in
            story.enter(1, "alice", at: 0)
            for at in [10.0, 3_000] { story.send(1, Say.start("alice", "q1"), at: at) }
        }
        #expect(judgement.heads == ["E1"])
    }

    // MARK: Before the journal

    @Test(arguments: [("40", [String]()), ("0", ["E1"])]) func whatIsResumedMayBeOlderThanTheJournal(cursor: String, heads: [String]) {
        let judgement = judged { story in
            story.resume(1, "alice", cursor, at: 0)
            story.number(1, "alice", 41, type: "agent_thinking", run: "0", at: 10)
        }
        #expect(judgement.heads == heads)
    }

    // MARK: Numbers on what is not judged

    private static let counted = AgentChat.with(
        #"""
        {"session": {"greeting": "connected", "within": "2s", "clean": [1000, 1001],
           "heartbeat": {"ask": "ping", "answer": "pong", "from": "server"}},
         "requests": {"agent_started": {"shape": {"user_id": "<text>"}, "starts": "run"}, "auth": {}, "ping": {}, "pong": {}},
         "events": {"connected": {}, "agent_started": {}, "agent_thinking": {}, "agent_completed": {}, "tool_executing": {},
           "tool_completed": {}, "partial_result": {}, "final_report": {}, "error": {}, "ping": {}, "pong": {}},
         "delivery": {"sequence": {"at": "seq"}}}
        """#)

    /// A heartbeat may be numbered with everything else.
    @Test(arguments: [(true, [String]()), (false, ["D1"])]) func aNumberedHeartbeat(comes: Bool, heads: [String]) {
        let judgement = judged(Self.counted) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            for (number, type) in [(1, "agent_started"), (2, "agent_thinking"), (3, ""), (4, "agent_completed")] {
                let at = 20 + Double(number)
                if type.isEmpty {
                    if comes { story.event(1, #"{"type":"ping","seq":3}"#, at: at) }
                } else {
                    story.event(1, Say.event(type, "alice", run: "r1", thread: "t1", request: "q1", more: #","seq":\#(number)"#), at: at)
                }
            }
            story.send(1, #"{"type":"pong"}"#, at: 30)
        }
        #expect(judgement.heads == heads)
    }

    // MARK: Several connections of one user

    /// Its words of one connection come back on another.
    @Test func anErrorOnAnotherConnectionRepeatsWhatWasAsked() {
        let judgement = judged { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.enter(3, "bob", at: 2)
            story.send(3, Say.start("bob", "b1"), at: 5)
            story.wholeRun(3, "bob", run: "rb", thread: "tb", request: "b1", at: 6)
            story.send(1, Say.start("alice", "q1").replacing("{", with: #"{"thread_id":"tb","#), at: 100)
            story.event(2, Say.error("authentication_error", more: #","thread_id":"tb","request_id":"q1""#), at: 110)
        }
        #expect(judgement.heads.filter { $0.hasPrefix("I2") }.isEmpty)
    }

    /// The order is that of the connection that asked, whichever else hears of it.
    @Test func errorsInOrderOnEachConnection() {
        let judgement = judged { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(2, #"{"type":"invalid_type","request_id":"q4"}"#, at: 10)
            story.send(1, #"{"type":"invalid_type","request_id":"q5"}"#, at: 11)
            for (name, session, at) in [("q5", 2, 20.0), ("q5", 1, 20.5), ("q4", 2, 21), ("q4", 1, 21.5)] {
                story.event(session, Say.error("message_processing_error", more: #","request_id":"\#(name)""#), at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: Users without a name

    /// Credentials that are good for one connection: two of them may be one user's.
    @Test func aTicketForEachConnection() {
        let judgement = judged { story in
            for (session, at) in [(1, 0.0), (2, 1_000)] {
                story.upgrade(session, nil, at: at, state: .unknown)
                story.accept(session, at: at)
                story.event(session, #"{"type":"connected","user_id":"alice","connection_id":"ws_\#(session)"}"#, at: at)
                if session == 1 {
                    story.send(1, Say.start("alice", "q1"), at: at + 1)
                    story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: at + 2)
                    story.leave(1, at: at + 50)
                }
            }
            story.send(2, Say.start("alice", "q2"), at: 1_010)
            story.wholeRun(2, "alice", run: "r2", thread: "t1", request: "q2", at: 1_020)
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: What is forgotten

    @Test func whatIsRenewedIsForgottenLast() {
        var fading = Fading<Int, Int>(capacity: 3)
        for key in 1...3 { fading.set(key, key) }
        fading.set(1, 10, renews: true)
        fading.set(2, 20)
        fading.set(4, 4)
        #expect(fading[2] == nil && fading[1] == 10 && fading[3] == 3 && fading.forgotten == 1)
        for round in 0..<1_000 { fading.set(1, round, renews: true) }
        fading.set(5, 5)
        #expect(fading[3] == nil && fading[1] == 999 && fading.count == 3)
    }

    /// Whoever else knew it may be forgotten, and then it proves nothing.
    @Test func aWordOfSeveralIsNobodysAlone() {
        var canaries = Canaries(capacity: 2)
        func word(_ text: String) -> ByteBuffer { ByteBuffer(string: "mwc-\(text)") }
        for user in ["alice", "bob"] { canaries.learn(word("aaaaaaaaaaaa"), owner: .named(user)) }
        #expect(canaries.secrets(in: word("aaaaaaaaaaaa")).first?.owners == [.named("alice"), .named("bob")])
        for text in ["bbbbbbbbbbbb", "cccccccccccc", "dddddddddddd"] { canaries.learn(word(text), owner: .named("alice")) }
        #expect(!canaries.mayBeShared)
        for text in ["eeeeeeeeeeee", "ffffffffffff"] { canaries.declassify(word(text)) }
        #expect(canaries.mayBeShared)
    }
}
