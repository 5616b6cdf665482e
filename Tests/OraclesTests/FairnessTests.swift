import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers in bad company: whoever would be accused here would be accused wrongly.
@Suite struct FairnessTests {
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

    // MARK: Who is who

    @Test func whatWasSaidBeforeTheCredentialIsTheUsersOwn() {
        var contract = AgentChat.with(#"{"session": {"within": "2s"}}"#)
        contract.auth?.anonymous = true
        let judgement = judge(contract) { story in
            story.open(1, nil, at: 0, state: .absent, path: "/ws/late")
            story.send(1, Say.start("alice", "q1", text: "mwc-abcdefghijkl"), at: 10)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.facts(1, "alice", at: 20, state: .intact)
            story.send(1, #"{"type":"auth","token":"x"}"#, at: 20)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", more: #","t":"mwc-abcdefghijkl""#), at: 21)
            story.open(2, "alice", at: 30)
            story.event(2, #"{"type":"notice","text":"mwc-abcdefghijkl","thread_id":"ta"}"#, at: 31)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func moreIdentifiersSentThanAreKept() {
        var story = Transcript()
        story.enter(1, "alice", at: 0)
        for index in 0..<40 {
            story.send(1, #"{"type":"agent_started","user_id":"u\#(index)","agent_name":"x","x":NaN}"#, at: 10)
        }
        story.event(1, Say.error("authentication_error", user: "u39"), at: 11)
        var capacity = Reader.Capacity()
        capacity.perSession = 16
        var judge = Judge(contract: AgentChat.contract, properties: PropertyRegistry.all, capacity: capacity)
        for entry in story.entries { judge.observe(entry) }
        #expect(judge.conclude(at: Transcript.instant(100)).sentences.isEmpty)
    }

    @Test func anEchoWithoutItsBlanks() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start(" bob ", "q1"), at: 10)
            story.event(1, Say.error("authentication_error", user: "bob", request: "q1"), at: 11)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func wordsOfAMessageThatWasTooLargeToRead() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.unlifted(1, .toServer, at: 10)
            story.event(1, Say.error("authentication_error", user: "bob"), at: 11)
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func unknownCredentialsThatAreEqualAreOneUser() {
        let judgement = judge { story in
            for session in 1...2 {
                story.opaqueToken(session, tag: "bearer:a1", at: Double(session))
                story.event(session, #"{"type":"connected","user_id":"u7","connection_id":"ws_\#(session)"}"#, at: 3)
                story.event(session, #"{"type":"notice","thread_id":"t7"}"#, at: 4)
            }
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: Links

    @Test func requestIDsUsedAgain() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start(nil, "q1"), at: 10)
            story.event(1, Say.error("authentication_error", request: "q1"), at: 11)
            story.send(1, Say.start("alice", "q1"), at: 20)
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 21)
            story.event(1, #"{"type":"partial_result","user_id":"alice","thread_id":"ta","request_id":"q1"}"#, at: 22)
            story.event(1, Say.event("agent_completed", "alice", run: "r1", thread: "ta", request: "q1"), at: 23)
            story.send(1, Say.start("alice", "q1"), at: 30)
            story.wholeRun(1, "alice", run: "r2", thread: "ta", request: "q1", at: 31)
        }
        #expect(judgement.sentences.isEmpty)
    }

    /// A message outside the contract is refused while a valid start waits: the start is not what failed.
    @Test(arguments: [Opcode.text, .binary]) func errorForSomethingElse(opcode: Opcode) {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.send(1, opcode == .text ? #"{"type":"tool_executing","tool_name":"search"}"# : "\u{1}", at: 11, opcode: opcode)
            story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 12)
            story.event(1, Say.error("message_processing_error"), at: 13)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 14)
            story.event(1, Say.error("connection_error"), at: 30)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// What a request outside the contract does is the server's choice.
    @Test func aDirectToolCallAnswersAsItLikes() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"tool_executing","tool_name":"search"}"#, at: 10)
            story.event(1, Say.event("tool_executing", "alice", run: "r1", thread: "ta", more: #","tool_name":"search""#), at: 11)
            story.event(1, Say.event("tool_completed", "alice", run: "r1", thread: "ta", more: #","tool_name":"search""#), at: 12)
        }
        #expect(judgement.sentences.isEmpty)
    }

    // MARK: What may be refused beside what must be

    private static func start(_ user: String, _ more: String = "") -> String {
        #"{"type":"agent_started","agent_name":"assistant","user_id":"\#(user)"\#(more)}"#
    }

    /// Two keys of one name: taken by many, and refused here. Its error names it no more than the others theirs.
    @Test func anErrorForWhatMayBeRefusedShiftsNobodysContext() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.start("alice", #","type":"agent_started","message":256"#), at: 10)
            story.send(1, Self.start("researcher", #","message":256"#), at: 11)
            story.send(1, Self.start("alice", #","message":256"#), at: 12)
            story.event(1, Say.error("message_processing_error", user: "alice"), at: 13)
            story.event(1, Say.error("authentication_error", user: "researcher"), at: 14)
            story.event(1, Say.error("message_processing_error", user: "alice"), at: 15)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [2, 2, 0, 0, 0])
        #expect(judgement.counts("E1") == [1, 0, 0, 1, 0])
    }

    /// A server need not know a name to refuse it, and its word for that is no kind that ends a run.
    @Test(arguments: [[0, 1], [1, 0]]) func aNameThatIsNotTheUsersIsAsGoodAsForeign(order: [Int]) {
        let judgement = judge { story in
            story.enter(1, "bob", at: 0)
            let requests = [Self.start("force_disconnect"), "{"]
            let errors = [
                Say.error("authentication_error", user: "force_disconnect"),
                Say.error("message_processing_error", user: "bob"),
            ]
            for (index, which) in order.enumerated() {
                story.send(1, requests[which], at: 10 + Double(index))
                story.event(1, errors[which], at: 20 + Double(index))
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// The same, and beside it a start that works: it is what is not refused.
    @Test func theStartThatWorksIsNotTheRefusedOne() {
        let judgement = judge { story in
            story.enter(1, "bob", at: 0)
            story.send(1, Self.start("bob"), at: 10)
            story.send(1, Self.start("force_disconnect"), at: 11)
            story.send(1, "{", at: 12)
            story.event(1, Say.error("authentication_error", user: "force_disconnect"), at: 13)
            story.event(1, Say.error("message_processing_error", user: "bob"), at: 14)
            story.wholeRun(1, "bob", run: "r1", thread: "tb", request: nil, at: 15)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [1, 1, 0, 0, 0])
    }

    /// What is deeper than parsers go is no JSON to some; others who wait get their own errors in their order.
    @Test(arguments: 0..<6) func manyInFlightBesideWhatMayBeRefused(at place: Int) {
        let deep = Self.start("alice", #","x":"# + String(repeating: "[", count: 129) + String(repeating: "]", count: 129))
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            var errors: [String] = []
            for index in 0..<6 {
                if index == place {
                    story.send(1, deep, at: 10 + Double(index))
                    errors.append(Say.error("message_processing_error"))
                }
                switch index {
                case 0, 3:
                    story.send(1, #"{"type":"agent_started"}"#, at: 10.5 + Double(index))
                    errors.append(Say.error("authentication_error", user: "alice"))
                case 1, 4:
                    story.send(1, #"{"type":"connection_test","action":"force_disconnect"}"#, at: 10.5 + Double(index))
                    errors.append(Say.error("connection_error", user: "alice"))
                default:
                    let id = #"{"a":[{"b":\#(index)}]}"#
                    story.send(1, Self.start("alice", #","request_id":\#(id)"#), at: 10.5 + Double(index))
                    errors.append(Say.error("message_processing_error", user: "alice", more: #","request_id":\#(id)"#))
                }
            }
            for (index, error) in errors.enumerated() { story.event(1, error, at: 30 + Double(index)) }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [6, 6, 0, 0, 0])
    }

    /// A credential that was taken leaves no doubt whose error it is that ends a run.
    @Test func aCredentialIsNoRivalOfAStart() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, #"{"type":"auth","token":"x"}"#, at: 5)
            story.send(1, Say.start("alice", agent: "unheard_of"), at: 10)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 12)
        }
        #expect(judgement.sentences.isEmpty && judgement.undecided.isEmpty)
        #expect(judgement.counts("E1") == [1, 1, 0, 0, 0])
    }

    /// An id that is in none of its fields comes back all the same, and is that of others too.
    @Test func anExtraIdMayBeRepeated() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Self.start("alice", #","message":1,"request_id":"q1""#), at: 10)
            story.send(1, #"{"type":"tool_executing","tool_name":"invalid_tool","request_id":"q1"}"#, at: 11)
            story.send(1, Self.start("alice", #","message":2,"request_id":"q1""#), at: 12)
            for (at, kind) in [(13.0, "message_processing_error"), (14, "tool_execution_error"), (15, "message_processing_error")] {
                story.event(1, Say.error(kind, user: "alice", request: "q1"), at: at)
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [3, 3, 0, 0, 0])
    }

    /// The same words on two connections of a user, and both are answers.
    @Test func equalRefusalsOfEqualStartsAreNoCopies() {
        let judgement = judge { story in
            for session in 1...2 {
                story.enter(session, "alice", at: Double(session))
                story.send(session, Self.start("somebody"), at: 10 + Double(session))
                story.event(session, Say.error("authentication_error", user: "somebody"), at: 20 + Double(session))
            }
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E1") == [2, 1, 0, 1, 0])
    }

    /// A link that was not unique leaves its requests open: who comes later gets what is later.
    @Test func whatStayedOpenTakesNoYoungersError() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.send(1, Say.start("alice"), at: 10)
            story.send(1, Say.start("alice", agent: "non_existent_agent"), at: 11)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 12)
            story.wholeRun(1, "alice", run: "r1", thread: "ta", request: nil, at: 13)
            story.send(1, Say.start("alice", agent: "non_existent_agent"), at: 30)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 31)
            story.send(1, Say.start("alice", agent: "non_existent_agent"), at: 1_400)
            story.event(1, Say.error("agent_execution_error", user: "alice"), at: 1_401)
        }
        #expect(judgement.sentences.isEmpty)
        #expect(judgement.counts("E3") == [3, 2, 0, 1, 0])
    }

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
        #expect(judgement.failed == ["E1", "I2"])
    }
}
