import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Identifiers of one run, and what they look like (contract.md, semantics 11; incidents.md, I4).
@Suite struct BondsTests {
    private static let formed = AgentChat.with(
        #"""
        {"identity": {"credential": ["header authorization", "query token"], "user": "credential|jwt.sub", "ids": {
          "user": {"at": "user_id", "is": "user"},
          "thread": {"at": "thread_id", "within": "user", "form": "re:thread_(?<stem>[a-z]+(?:_[a-z]+)*_\\d+)_\\d+_[0-9a-f]+"},
          "run": {"at": "run_id", "within": "thread", "form": "re:(?:run_)?(?<stem>[a-z]+(?:_[a-z]+)*_\\d+)(?:_\\d+)?"},
          "connection": {"at": "connection_id", "is": "connection", "form": "re:ws_(?<user>.+)_\\d+_[0-9a-f]+"}}}}
        """#)
    private static let thread = "thread_websocket_factory_1757371363786_274_898638db"
    private static let run = "websocket_factory_1757371363786"

    private static func enter(_ story: inout Transcript, _ session: Int, _ user: String, at ms: Double, connection: String? = nil) {
        story.open(session, user, at: ms)
        story.event(
            session, #"{"type":"connected","user_id":"\#(user)","connection_id":"\#(connection ?? "ws_\(user)_\(session)_0a")"}"#, at: ms)
    }

    /// Each run in a thread, one after the other.
    private static func runs(_ ids: [(run: String, thread: String)], start thread: String? = nil) -> Judgement {
        judge(formed) { story in
            enter(&story, 1, "alice", at: 0)
            for (index, id) in ids.enumerated() {
                let at = 100 * Double(index + 1)
                story.send(1, Say.start("alice", "q\(index)", thread: thread), at: at)
                story.wholeRun(1, "alice", run: id.run, thread: id.thread, request: "q\(index)", at: at + 1)
            }
        }
    }

    @Test(arguments: [
        (run, thread), ("run_chat_1_7", "thread_chat_1_2_ab"), ("chat_1_7", "thread_chat_1_2_ab"), ("run_chat_1", "thread_chat_1_2_ab"),
    ])
    func oneGenerator(run: String, thread: String) {
        let judgement = Self.runs([(run, thread)])
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("I3").verdict == .pass)
    }

    /// B27, as the incident report shows it.
    @Test func twoGenerators() {
        let judgement = Self.runs([("websocket_factory_1757371363999", Self.thread), ("websocket_factory_1757371364001", Self.thread)])
        #expect(judgement.heads == ["I3"])
        let finding = judgement.findings.first
        #expect(finding?.sentence == "alice's agent_started has a run and a thread of different stems")
        #expect(finding?.repeats == 2 && judgement.summary("I3").failed == 2, "said once a run")
        #expect(finding?.expected.contains("websocket_factory_1757371363786") == true)
        #expect(finding?.witness.count ?? 0 > 1)
    }

    @Test(arguments: [("r1", "thread_chat_1_2_ab", "run"), ("chat_1", "t1", "thread")])
    func notOfTheForm(run: String, thread: String, name: String) {
        let judgement = Self.runs([(run, thread)])
        #expect(judgement.heads == ["I3"])
        #expect(judgement.findings.first?.sentence == "alice's agent_started has a \(name) that is not of its form")
    }

    /// What a client calls its thread looks as the client likes.
    @Test func aThreadThatTheClientNamed() {
        let judgement = Self.runs([("chat_1", "mine"), ("chat_2", "mine")], start: "mine")
        #expect(judgement.sentences.isEmpty)
    }

    @Test func anotherTabHearsOfAThreadThatTheClientNamed() {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0)
            Self.enter(&story, 2, "alice", at: 1)
            story.send(1, Say.start("alice", "q1", thread: "mine"), at: 10)
            for tab in [1, 2] { story.wholeRun(tab, "alice", run: "chat_1", thread: "mine", request: "q1", at: 11 + Double(tab)) }
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// The name may have been in a message that nobody could read.
    @Test func whatACouldNotBeReadMayHaveNamedIt() {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0)
            Self.enter(&story, 2, "bob", at: 1)
            story.unlifted(2, .toServer, at: 5)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "chat_1", thread: "mine", request: "q1", at: 11)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("I3").verdict == .inconclusive)
    }

    @Test func aRunThatChangesItsThread() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            for (at, type, thread) in [
                (11.0, "agent_started", "t1"), (12, "agent_thinking", "t2"), (13, "agent_thinking", "t2"), (14, "agent_completed", "t1"),
            ] {
                story.event(1, Say.event(type, "alice", run: "r1", thread: thread, request: "q1"), at: at)
            }
        }
        #expect(judgement.heads == ["I3"])
        #expect(judgement.findings.first?.sentence == "alice's run changes its thread with agent_thinking")
        #expect(judgement.summary("I3").failed == 1)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0], "its run goes on")
    }

    /// An error repeats what its request named, however it goes together.
    @Test func anErrorThatRepeatsIsNotJudged() {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "chat_1_1", thread: "thread_chat_1_1_ab", request: "q1", at: 11)
            story.send(1, Say.start("alice", "q2"), at: 20)
            story.wholeRun(1, "alice", run: "chat_2_1", thread: "thread_chat_2_1_ab", request: "q2", at: 21)
            story.send(1, #"{"type":"cancel","run_id":"chat_1_1","thread_id":"thread_chat_2_1_ab","user_id":"odd"}"#, at: 30)
            let repeated = #","run_id":"chat_1_1","thread_id":"thread_chat_2_1_ab""#
            story.event(1, Say.error("message_processing_error", user: "odd", more: repeated), at: 31)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// "Connection ids of router and handler disagree" (incidents.md, I4).
    @Test(arguments: ["alice", "bob"]) func aConnectionIDOfAnotherConnection(user: String) {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0, connection: "ws_alice_1_0a")
            Self.enter(&story, 2, user, at: 1, connection: user == "alice" ? "ws_alice_1_0a" : "ws_bob_1_0a")
            story.event(2, #"{"type":"connected","user_id":"\#(user)","connection_id":"ws_alice_1_0a"}"#, at: 5)
        }
        #expect(judgement.findings.map(\.property) == [user == "alice" ? "I3" : "I2"])
    }

    @Test func aConnectionWithTwoIDs() {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_alice_9_0f"}"#, at: 5)
        }
        #expect(judgement.heads == ["I3"])
        #expect(judgement.findings.first?.sentence == "alice's connected has a connection that is not its connection's")
    }

    /// A group that bears an id's name.
    @Test func aGroupThatIsAnID() {
        let judgement = judge(Self.formed) { Self.enter(&$0, 1, "alice", at: 0, connection: "ws_bob_1_0a") }
        #expect(judgement.heads == ["I3"])
        #expect(judgement.findings.first?.sentence == "alice's connected has a connection and a user of different users")
    }

    /// One message yields at most one identity finding, and another user's is the graver one.
    @Test func othersBeforeForms() {
        let judgement = judge(Self.formed) { story in
            Self.enter(&story, 1, "alice", at: 0)
            Self.enter(&story, 2, "bob", at: 1)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "chat_1_1", thread: "thread_chat_1_1_ab", request: "q1", at: 11)
            story.event(2, Say.event("agent_thinking", "alice", run: "r9", thread: "thread_chat_1_1_ab"), at: 30)
        }
        #expect(judgement.findings.map(\.property) == ["I2"])
        #expect(judgement.summary("I3").failed == 0)
    }

    /// What a connection's items are called begins anew with each connection.
    @Test func itemsOfAConnection() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "items", "wire": {"type": "type"}, "events": {"item": {}}, "identity": {"ids": {
              "session": {"at": "session", "is": "connection"}, "answer": {"at": "answer", "within": "session"}}}}
            """#)
        func judgement(_ second: String) -> Judgement {
            judge(contract) { story in
                for session in [1, 2] { story.open(session, nil, at: Double(session), state: .absent) }
                for session in [1, 2] {
                    story.event(session, #"{"type":"item","session":"s\#(session)","answer":"a1"}"#, at: 10 + Double(session))
                }
                story.event(2, #"{"type":"item","session":"\#(second)","answer":"a1"}"#, at: 20)
            }
        }
        #expect(judgement("s2").sentences.isEmpty)
        #expect(judgement("s3").heads == ["I3"])
    }

    @Test func withoutBondsItIsNotAsked() {
        var contract = AgentChat.contract
        contract.identity.ids = contract.identity.ids.filter { $0.name == "user" }
        #expect(IdentityConsistent.missingKey(in: contract) == "identity.ids")
        #expect(IdentityConsistent.missingKey(in: AgentChat.echo) == "identity.ids")
    }
}
