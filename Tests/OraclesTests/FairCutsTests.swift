import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers on connections that we end or spoil: whoever would be accused here would be accused wrongly.
@Suite struct FairCutsTests {
    /// How a fault cuts; nil = silence on a transport that stays.
    static let cuts: [(EndStyle?, [Side])] = [
        (.reset, [.client]), (.reset, [.server]), (.reset, [.client, .server]),
        (.finish, [.client]), (.finish, [.server]), (.finish, [.client, .server]),
        (nil, [.client]), (nil, [.server]), (nil, [.client, .server]),
    ]

    // MARK: The connection that is cut

    /// What was asked before the cut, with it and behind it may all be lost, and the server may end as it likes.
    @Test(arguments: cuts.indices, [nil, 1001, 1002, 1011] as [UInt16?])
    func nothingIsOwedOnACutConnection(index: Int, code: UInt16?) {
        let (style, sides) = Self.cuts[index]
        let echo = judge(AgentChat.echo) { story in
            story.open(1, nil, at: 0, state: .absent)
            for at in [10.0, 11] { story.send(1, "hello \(at)", at: at) }
            story.cut(1, style, sides, at: 11)
            story.send(1, "hello 12", at: 12)
            story.event(1, "hello 10.0", at: 13)
            if let code { story.close(1, by: .server, code, at: 14) }
            story.end(1, .server, .reset, at: 15)
            story.closed(1, at: 90_000)
        }
        #expect(echo.sentences.isEmpty)
        #expect(echo.summary("E1").excused == 2)
        let chat = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"invalid_type"}"#, at: 5)
            story.event(1, Say.error("message_processing_error"), at: 6)
            story.send(1, Say.start("alice", "q1"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.send(1, Say.start("alice", "q2"), at: 11)
            story.send(1, "{", at: 11)
            story.cut(1, style, sides, at: 11)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 12)
            story.event(1, Say.error("message_processing_error"), at: 13)
            story.event(1, Say.event("agent_started", "alice", run: "r2", thread: "ta", request: "q2"), at: 14)
            if let code { story.close(1, by: .server, code, at: 15) }
            story.end(1, .server, at: 16)
            story.closed(1, at: 90_000)
        }
        #expect(chat.sentences.isEmpty)
        #expect(chat.summary("E1").excused == 2 && chat.summary("E3").excused == 1)
    }

    /// Before the accept, or before the greeting.
    @Test(arguments: cuts.indices) func nothingIsOwedBehindACutInTheOpening(index: Int) {
        let (style, sides) = Self.cuts[index]
        for isAccepted in [false, true] {
            let judgement = judge { story in
                story.open(1, "alice", at: 0, state: .forged, accepted: isAccepted)
                story.send(1, Say.start("alice", "q1"), at: 1)
                story.cut(1, style, sides, at: 1)
                story.end(1, .server, at: 5_000)
                story.closed(1, at: 5_001)
                story.open(2, "bob", at: 10, accepted: isAccepted)
                story.cut(2, style, sides, at: 11)
                story.closed(2, at: 9_000)
            }
            #expect(judgement.sentences.isEmpty, "\(isAccepted)")
        }
    }

    // MARK: The user's other connections

    /// What is asked elsewhere may be answered on the connection that is cut: who cut it cannot know.
    @Test(arguments: cuts.indices) func theAnswerMayBeLostOnTheConnectionThatIsCut(index: Int) {
        let (style, sides) = Self.cuts[index]
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            story.send(2, "{", at: 10)
            story.send(2, Say.start("alice", "q1"), at: 10)
            story.cut(1, style, sides, at: 11)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// As long as the server cannot know that nobody listens there; of a reset it is told.
    @Test func aSilencedConnectionMayGetTheAnswer() {
        func told(_ style: EndStyle?) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "alice", at: 1)
                story.cut(1, style, [.client, .server], at: 11)
                story.send(2, "{", at: 3_000)
                story.send(2, #"{"type":"invalid_type"}"#, at: 5_000)
                story.event(2, Say.error("message_processing_error"), at: 5_001)
            }
        }
        #expect(told(nil).sentences.isEmpty)
        #expect(told(.reset).heads == ["E3"])
    }

    /// The error for a request that was lost comes to the user's other connection, beside what waits there.
    @Test(arguments: [#"{"type":"invalid_type"}"#, Say.start("alice"), Say.start("alice", "q2"), ""])
    func anErrorForWhatWasLostBlamesNobodyElse(waiting: String) {
        for isReset in [false, true] {
            let judgement = judge { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "alice", at: 1)
                story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 10)
                if isReset { story.cut(1, .reset, [.server], at: 11) } else { story.end(1, .client, .reset, at: 11) }
                if !waiting.isEmpty { story.send(2, waiting, at: 12) }
                story.event(2, Say.error("connection_error"), at: 13)
                switch waiting {
                case "": break
                case #"{"type":"invalid_type"}"#: story.event(2, Say.error("message_processing_error"), at: 14)
                default: story.wholeRun(2, "alice", run: "r1", thread: "ta", request: nil, at: 14)
                }
                story.closed(1, at: 100)
            }
            #expect(judgement.sentences.isEmpty, "\(waiting) \(isReset)")
        }
    }

    /// A run that lost its connection fails, and says so where its user still is.
    @Test func theErrorOfALostRunIsNoWrongAnswer() {
        func told(_ cut: Bool) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.enter(2, "alice", at: 1)
                story.send(1, Say.start("alice"), at: 9)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 10)
                if cut { story.cut(1, .finish, [.server], at: 11) }
                story.send(2, #"{"type":"invalid_type"}"#, at: 12)
                story.event(2, Say.error("agent_execution_error", user: "alice", more: cut ? #","run_id":"r1""# : ""), at: 13)
                story.event(2, Say.error("message_processing_error", user: "alice"), at: 14)
                story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta"), at: 15)
            }
        }
        #expect(told(true).sentences.isEmpty)
        #expect(told(false).heads.contains { $0.hasPrefix("E5") }, "without a loss it is a wrong answer")
    }

    /// Errors that repeat a thread go to what they fit, however many others name that thread.
    @Test(arguments: [false, true]) func refusalsInOneThreadAreNotMixed(isBehindALoss: Bool) {
        let judgement = judge { story in
            let thread = #""thread_id":"x""#
            let refused = #","thread_id":"x""#
            if isBehindALoss {
                story.enter(1, "alice", at: 0)
                for at in [1.0, 2, 3] { story.send(1, "{\(thread)}", at: at) }
                story.close(1, by: .client, 1001, at: 4)
                story.close(1, by: .server, 1002, at: 5)
                story.end(1, .server, at: 5)
                story.closed(1, at: 6)
            }
            story.enter(2, "alice", at: 10)
            story.send(2, #"{\#(thread),"type":"connection_test","action":"force_disconnect"}"#, at: 11)
            for _ in 0..<5 { story.send(2, "{\(thread)}", at: 11) }
            story.event(2, Say.error("connection_error", user: "alice", more: refused), at: 12)
            for _ in 0..<5 { story.event(2, Say.error("authentication_error", user: "alice", more: refused), at: 12) }
            story.ticks(from: 13, to: 3_000)
            story.end(2, .client, .reset, at: 3_001)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A run was lost, and its user then asks for what may be refused: the refusal may be either's, and neither misses it.
    @Test(arguments: ["agent_execution_error", "authentication_error"]) func aRefusalBehindALossIsNotMissed(kind: String) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 0)
            story.send(1, Say.start("alice"), at: 9)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 10)
            story.close(1, by: .client, 1000, at: 11)
            story.close(1, by: .server, 1000, at: 12)
            story.closed(1, at: 13)
            story.enter(3, "alice", at: 20)
            story.send(3, Say.start("carol"), at: 21)
            story.event(3, Say.error(kind, user: "carol"), at: 22)
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: What the client does to its connection

    /// What is on the wire before the accept is read by the accept's rules, and may be why the server closes.
    @Test(arguments: [1002, 1007] as [UInt16]) func illegalFramesBeforeTheAcceptExplainTheEnd(code: UInt16) {
        func told(_ isLegal: Bool) -> Judgement {
            judge(AgentChat.echo) { story in
                story.upgrade(1, nil, at: 0, state: .absent)
                story.send(1, "odd", at: 2, opcode: isLegal ? .text : Opcode(rawValue: 3))
                story.accept(1, at: 3)
                story.send(1, "in time", at: 3)
                story.close(1, by: .server, code, at: 4)
                story.end(1, .server, at: 5)
                story.closed(1, at: 6)
            }
        }
        #expect(told(false).sentences.isEmpty)
        #expect(told(true).heads == ["E1"])
    }

    /// Nobody knows what becomes of words that do not wait for the accept: it may come late, or never, or behind a Pong.
    @Test(arguments: ["late", "refused", "opaque", "pong first", "data first"]) func earlyWordsAreOwedNothing(fate: String) {
        for contract in [AgentChat.echo, AgentChat.contract] {
            let judgement = judge(contract) { story in
                story.upgrade(1, "alice", at: 0)
                story.send(1, "{", at: 1)
                story.send(1, Say.start("alice", "q1"), at: 1)
                story.control(1, .ping, by: .client, "x", at: 2)
                switch fate {
                case "late":
                    story.accept(1, at: 9_000)
                    story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 9_001)
                case "refused": story.refuse(1, 503, at: 3)
                case "opaque": story.opaque(1, at: 3)
                case "pong first":
                    story.bytes(1, .preamble, .toClient, "\u{8a}\u{01}xHTTP/1.1 101", at: 3)
                    story.opaque(1, at: 3)
                default: story.event(1, "{", at: 3)
                }
                story.closed(1, at: 90_000)
            }
            #expect(judgement.sentences.isEmpty, "\(contract.name)")
        }
    }

    /// A server that hears nothing from its client may give it up.
    @Test func aPingWithoutItsPongExplainsTheEnd() {
        func told(pong: Bool, after wait: Double = 20_000) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
                story.control(1, .ping, by: .server, "a", at: 20)
                if pong { story.control(1, .pong, by: .client, "a", at: 21) }
                story.close(1, by: .server, 1011, at: 20 + wait)
                story.end(1, .server, at: 21 + wait)
                story.closed(1, at: 22 + wait)
            }
        }
        #expect(told(pong: false).sentences.isEmpty)
        #expect(told(pong: false).counts("E1") == [1, 0, 0, 1, 0])
        #expect(told(pong: true).heads == ["E1"])
        #expect(told(pong: false, after: 100).heads == ["E1"], "no server gives up so soon")
    }

    /// A reset overtakes what was sent before it when the other side still writes.
    @Test func aResetUnderOurHandsMayTakeTheLastWords() {
        func told(_ undelivered: UInt64, _ style: EndStyle = .reset) -> Judgement {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
                story.send(1, "{", at: 12)
                story.end(1, .server, style, undelivered: undelivered, at: 13)
                story.closed(1, at: 14)
            }
        }
        #expect(told(400).sentences.isEmpty)
        #expect(told(400).counts("E1") == [1, 0, 0, 1, 0] && told(400).counts("E3") == [1, 0, 0, 1, 0])
        #expect(told(0).failed == ["E1", "E3"])
    }

    /// Many servers take no message over some size and say so with 1009.
    @Test func aMessageMayBeTooLargeForAServer() {
        func told(_ count: Int, _ code: UInt16 = 1009) -> Judgement {
            judge(AgentChat.echo) { story in
                story.open(1, nil, at: 0, state: .absent)
                story.send(1, "before", at: 10)
                story.send(1, String(repeating: "x", count: count), at: 11)
                story.close(1, by: .server, code, at: 14)
                story.closed(1, at: 15)
            }
        }
        #expect(told(1_048_600).sentences.isEmpty && told(1_048_600).undecided == ["E1"])
        #expect(told(100).heads == ["E1"])
        #expect(told(1_048_600, 1011).heads == ["E1"])
    }

    // MARK: Words behind the client's end

    /// The client's FIN overtakes what was held for the dial, and the server answers here or at the other connection.
    @Test(arguments: [1, 2], [false, true]) func whatLeavesBehindTheEndMayBeHeard(at connection: Int, closes: Bool) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "alice", at: 1)
            if closes { story.close(1, by: .client, 1000, at: 5) } else { story.end(1, .client, .finish, at: 5) }
            story.send(1, Say.start("alice", "q1"), at: 6)
            story.event(connection, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 8)
            story.event(connection, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1"), at: 9)
            story.closed(1, at: 90_000)
            story.closed(2, at: 90_000)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// Requests wait for a server that accepts late: an error may be for any of them, and whatever was asked may begin.
    @Test(arguments: 0...3) func earlyWordsMayBeTakenUpLate(erring: Int) {
        let judgement = judge { story in
            story.open(1, "alice", at: 0, accepted: false)
            for number in 1...3 {
                if number == 3 { story.send(1, #"{"type":null,"agent_name":"x"}"#, at: 12.5) }
                story.send(1, Say.start("alice", "q\(number)"), at: 10 + Double(number))
            }
            story.accept(1, at: 900)
            story.event(1, #"{"type":"connected","user_id":"alice","connection_id":"ws_1"}"#, at: 901)
            for number in 0...3 {
                let at = 1_700 + Double(number)
                if number == erring { story.event(1, Say.error("message_processing_error"), at: at) }
                guard number > 0 else { continue }
                story.event(1, Say.event("agent_started", "alice", run: "r\(number)", thread: "ta"), at: at)
            }
            for number in 1...3 {
                story.event(1, Say.event("agent_completed", "alice", run: "r\(number)", thread: "ta"), at: 1_800 + Double(number))
            }
            story.closed(1, at: 190_000)
        }
        #expect(judgement.sentences.isEmpty)
    }
}
