import Journaling
import Testing
import Wire

@testable import Oracles

/// Healthy servers whose answers could be taken for others: whoever would be accused here would be accused wrongly.
@Suite struct FairLinksTests {
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

    /// The contract knows text only; a server that reads binary messages as well repeats what they said.
    @Test func wordsOfABinaryMessage() {
        let judgement = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("bob", "q1"), at: 10, opcode: .binary)
            story.event(1, Say.error("authentication_error", user: "bob"), at: 11)
        }
        #expect(judgement.sentences.isEmpty)
        let silent = judge { story in
            story.enter(1, "alice", at: 0)
            story.enter(2, "bob", at: 1)
            story.send(1, Say.start("carol", "q1"), at: 10, opcode: .binary)
            story.event(1, Say.error("authentication_error", user: "bob"), at: 11)
        }
        #expect(silent.findings.map(\.property) == ["I2"])
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

    /// Who gives many requests one name cannot be told which of them an error is for.
    @Test func errorsOfNamesakesMayBeAnyOnes() {
        func told(_ second: String) -> [String] {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, #"{"type":"invalid_type","request_id":"q"}"#, at: 10)
                story.send(1, #"{"type":"agent_started","agent_name":"non_existent_agent","request_id":"\#(second)"}"#, at: 11)
                story.event(1, Say.error("message_processing_error", user: "alice", request: "q"), at: 12)
                story.event(1, Say.error("message_processing_error", user: "alice", request: second), at: 13)
            }.heads
        }
        #expect(told("q").isEmpty)
        #expect(told("q2").map { String($0.prefix(2)) } == ["E5"])
    }

    /// What was said first lost its place to another's event; a refused request of the same name did not succeed.
    @Test(arguments: [false, true]) func aStartOfTheSameNameSucceededAndNotTheRefusedOne(isAnswered: Bool) {
        func told(_ valid: String) -> [String] {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Self.start("alice", #","run_id":"r0""#), at: 10)
                story.send(1, Self.start("alice", #","request_id":"\#(valid)""#), at: 11)
                story.send(1, #"{"type":"agent_started","agent_name":null,"request_id":"q"}"#, at: 12)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta"), at: 13)
                if isAnswered { story.event(1, Say.error("authentication_error", request: "q"), at: 14) }
                story.event(1, Say.event("agent_started", "alice", run: "r2", thread: "ta", request: "q"), at: 15)
                for run in ["r1", "r2"] { story.event(1, Say.event("agent_completed", "alice", run: run, thread: "ta"), at: 16) }
                if !isAnswered { story.event(1, Say.error("authentication_error", request: "q"), at: 17) }
            }.heads
        }
        #expect(told("q").isEmpty)
        // The named one never started.
        #expect(told("q2").map { String($0.prefix(2)) } == ["E4", "E1"])
    }

    /// An error that nobody asked for moves the others on, and the last of them repeats what its own request said.
    @Test func anErrorRepeatsWhatItsOwnRequestSaid() {
        func told(_ user: String?) -> [String] {
            judge { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Self.start("alice"), at: 10)
                story.send(1, #"{"type":"invalid_type","user_id":"stranger"}"#, at: 12)
                for user in ["alice", user] { story.event(1, Say.error("message_processing_error", user: user), at: 13) }
            }.heads
        }
        #expect(told("stranger").isEmpty)
        #expect(told(nil).map { String($0.prefix(2)) } == ["E5"])
    }

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
}
