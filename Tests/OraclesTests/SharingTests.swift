import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Rooms and broadcasts: what belongs to several users (contract.md, semantics 15; decoy W1).
@Suite struct SharingTests {
    private static let contract = AgentChat.with(
        #"""
        {"identity": {"credential": ["header authorization", "query token"], "user": "credential|jwt.sub", "ids": {
           "user": {"at": "user_id", "is": "user"}, "thread": {"at": "thread_id", "within": "user"},
           "run": {"at": "run_id", "within": "thread"}, "connection": {"at": "connection_id", "is": "connection"},
           "room": {"at": "room_id", "within": "user"}}},
         "requests": {
           "agent_started": {"shape": {"user_id": "<text>"}, "starts": "run"}, "cancel": {"shape": {"run_id": "<text>"}},
           "tool_executing": {"shape": {"tool_name": "<text>"}}, "connection_test": {"shape": {"action": "<text>"}},
           "join_room": {"shape": {"room_id": "<text>"}, "answer": "room_joined"}, "leave_room": {"shape": {"room_id": "<text>"}},
           "room_message": {"shape": {"room_id": "<text>"}}},
         "events": {
           "connected": {}, "agent_started": {}, "agent_thinking": {}, "agent_completed": {}, "tool_executing": {}, "tool_completed": {},
           "partial_result": {}, "final_report": {}, "error": {}, "room_joined": {}, "room_message": {}, "news": {}},
         "sharing": {"broadcast": "news", "rooms": {"id": "room", "join": "join_room", "leave": "leave_room"}}}
        """#)
    private static let word = "mwc-abcdefghijkl"
    private static let counted: Contract = {
        var counted = contract
        counted.delivery = AgentChat.with(
            #"""
            {"identity": {"credential": ["header authorization", "query token"], "user": "credential|jwt.sub", "ids": {
               "user": {"at": "user_id", "is": "user"}, "thread": {"at": "thread_id", "within": "user"},
               "run": {"at": "run_id", "within": "thread"}, "connection": {"at": "connection_id", "is": "connection"},
               "room": {"at": "room_id", "within": "user"}}},
             "delivery": {"sequence": {"at": "seq", "per": "room"}, "resume": {"by": "query cursor", "from": "seq"}}}
            """#).delivery
        return counted
    }()

    private static func joins(_ story: inout Transcript, _ session: Int, _ user: String, at ms: Double) {
        story.send(session, #"{"type":"join_room","room_id":"den"}"#, at: ms)
        story.event(session, #"{"type":"room_joined","room_id":"den","user_id":"\#(user)"}"#, at: ms + 1)
    }

    /// alice and bob share the den, carol does not.
    private static func den(_ story: inout Transcript) {
        for (session, user) in [(1, "alice"), (2, "bob"), (3, "carol")] { story.enter(session, user, at: Double(session)) }
        joins(&story, 1, "alice", at: 10)
        joins(&story, 2, "bob", at: 12)
    }

    private static func said(_ session: Int, at ms: Double, in room: String? = "den") -> (inout Transcript) -> Void {
        { story in
            let name = room.map { #","room_id":"\#($0)""# } ?? ""
            story.event(session, #"{"type":"room_message","user_id":"alice","message":"\#(word)"\#(name)}"#, at: ms)
        }
    }

    /// W1: words and a whole run of alice's, for all who are there.
    @Test func whatIsSharedIsNobodysLeak() {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            story.send(1, #"{"type":"room_message","room_id":"den","message":"\#(Self.word)"}"#, at: 20)
            for session in [1, 2] { Self.said(session, at: 21 + Double(session))(&story) }
            story.send(1, Say.start("alice", "q1", text: "mwc-aaaaaaaaaaaa").replacing("{", with: #"{"room_id":"den","#), at: 30)
            // bob hears each of it first.
            for session in [2, 1] {
                let types = ["agent_started", "agent_thinking", "tool_executing", "tool_completed", "agent_completed"]
                for (index, type) in types.enumerated() {
                    let more = #","room_id":"den","tool_name":"t","text":"mwc-aaaaaaaaaaaa""#
                    let at = 40 + 2 * Double(index) - Double(session) / 2
                    story.event(session, Say.event(type, "alice", run: "r1", thread: "t1", request: "q1", more: more), at: at)
                }
            }
            // What was said is known, in whatever it comes back.
            Self.said(2, at: 60, in: nil)(&story)
        }
        #expect(judgement.failed == ["I2"], "only that: a message for alice that names no room")
        #expect(judgement.heads == ["I2"])
        #expect(judgement.counts("E1") == [3, 3, 0, 0, 0])
        #expect(judgement.counts("E2") == [1, 1, 0, 0, 0])
    }

    @Test func W1() {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            story.send(1, #"{"type":"room_message","room_id":"den","message":"\#(Self.word)"}"#, at: 20)
            for session in [1, 2] { Self.said(session, at: 21 + Double(session))(&story) }
            // carol comes late and is told what was said.
            Self.joins(&story, 3, "carol", at: 30)
            Self.said(3, at: 40)(&story)
            story.event(3, #"{"type":"room_joined","summary":"\#(Self.word)"}"#, at: 41)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.summary("I1").verdict == .pass && judgement.summary("I2").verdict == .pass)
    }

    /// Numbers of a room count for everybody in it, whoever speaks.
    @Test(arguments: [true, false]) func aRoomCountsForAllInIt(resumes: Bool) {
        let judgement = judge(Self.counted) { story in
            Self.den(&story)
            func hears(_ session: Int, _ user: String, _ number: Int) {
                let run = "r\(user)"
                let event = Say.event(
                    number < 2 ? "agent_started" : "agent_thinking", user, run: run, thread: "t\(user)", request: "q\(user)",
                    more: #","room_id":"den","seq":\#(number)"#)
                story.event(session, event, at: 30 + 10 * Double(number) + Double(session))
            }
            for (session, user) in [(1, "alice"), (2, "bob")] { story.send(session, Say.start(user, "q\(user)"), at: 20 + Double(session)) }
            for session in [1, 2] { hears(session, "alice", 1) }
            if resumes {
                story.leave(1, at: 45)
                story.resume(4, "alice", "1", at: 1_000)
                Self.joins(&story, 4, "alice", at: 1_001)
            }
            let here = resumes ? 4 : 1
            for number in 2...90 {
                story.event(here, Say.event("agent_thinking", "bob", run: "rbob", thread: "tbob", request: "qbob", more: #","room_id":"den","seq":\#(number)"#), at: 1_100 + Double(number))
            }
            story.event(here, Say.event("agent_thinking", "alice", run: "ralice", thread: "talice", request: "qalice", more: #","room_id":"den","seq":91"#), at: 1_300)
        }
        #expect(judgement.failed.filter { $0.hasPrefix("D") }.isEmpty)
    }

    @Test func whoIsNotInTheRoomIsToldNothing() {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            story.send(1, #"{"type":"room_message","room_id":"den","message":"\#(Self.word)"}"#, at: 20)
            Self.said(3, at: 21)(&story)
        }
        #expect(judgement.heads == ["I2 also I1"])
    }

    @Test(arguments: [(1_000.0, false), (10_000, true)]) func whoLeftIsToldNothingAfterAWhile(after: Double, isTold: Bool) {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            story.send(2, #"{"type":"leave_room","room_id":"den"}"#, at: 20)
            story.send(1, #"{"type":"room_message","room_id":"den","message":"\#(Self.word)"}"#, at: 20 + after)
            Self.said(2, at: 21 + after)(&story)
        }
        #expect(judgement.heads == (isTold ? ["I2 also I1"] : []))
    }

    /// Who is refused is no member.
    @Test func aRefusedJoin() {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            story.send(3, #"{"type":"join_room","room_id":"den"}"#, at: 20)
            story.event(3, Say.error("authentication_error", user: "carol"), at: 21)
            story.send(1, #"{"type":"room_message","room_id":"den","message":"\#(Self.word)"}"#, at: 30)
            Self.said(3, at: 31)(&story)
        }
        #expect(judgement.heads.first == "I2 also I1")
    }

    /// A word that a member said elsewhere is no room's; but what comes to a room in which its owner is was shared there.
    @Test func wordsOfARoomAreItsOwn() {
        func judgement(_ event: String) -> Judgement {
            judge(Self.contract) { story in
                Self.den(&story)
                story.send(1, Say.start("alice", "q1", text: Self.word), at: 20)
                story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 21)
                story.event(2, event, at: 40)
            }
        }
        #expect(judgement(#"{"type":"room_joined","text":"\#(Self.word)"}"#).heads == ["I1"])
        #expect(judgement(#"{"type":"room_message","room_id":"den","text":"\#(Self.word)"}"#).sentences.isEmpty)
        #expect(judgement(#"{"type":"news","text":"\#(Self.word)"}"#).sentences.isEmpty)
    }

    /// A thread may be a room: whoever joined it may go on in it, though it began as another's.
    @Test(arguments: [true, false]) func aSharedThreadIsNotForeign(joins: Bool) {
        var contract = Self.contract
        contract.sharing?.rooms[0].id = "thread"
        let judgement = judge(contract) { story in
            for (session, user) in [(1, "alice"), (2, "bob")] { story.enter(session, user, at: Double(session)) }
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.wholeRun(1, "alice", run: "r1", thread: "t1", request: "q1", at: 11)
            if joins { story.send(2, #"{"type":"join_room","room_id":"t1","thread_id":"t1"}"#, at: 20) }
            story.send(2, Say.start("bob", "q2", thread: "t1"), at: 30)
            story.wholeRun(2, "bob", run: "r2", thread: "t1", request: "q2", at: 31)
            story.close(2, by: .client, 1000, at: 50)
            story.close(2, by: .server, 1000, at: 51)
            story.end(2, .server, at: 51)
        }
        #expect(judgement.findings.map(\.property) == (joins ? [] : ["I2"]))
    }

    /// Two members ask at once, and nobody says whose the answers are.
    @Test func answersThatNameNobody() {
        let judgement = judge(Self.contract) { story in
            Self.den(&story)
            func say(_ type: String, _ run: String, at ms: Double) {
                for session in [1, 2] {
                    let text = #"{"type":"\#(type)","room_id":"den","thread_id":"t\#(run)","run_id":"\#(run)"}"#
                    story.event(session, text, at: ms + Double(session) / 10)
                }
            }
            story.send(1, Say.start("alice").replacing("{", with: #"{"room_id":"den","#), at: 20)
            story.send(2, Say.start("bob").replacing("{", with: #"{"room_id":"den","#), at: 21)
            for (index, run) in ["r2", "r1"].enumerated() {
                say("agent_started", run, at: 30 + Double(index))
                say("agent_completed", run, at: 40 + Double(index))
            }
        }
        #expect(judgement.sentences.isEmpty)
    }
}
