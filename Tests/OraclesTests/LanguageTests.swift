import Contracts
import Journaling
import Testing
import Wire

@testable import Oracles

/// Whole contracts of other protocols: what each key of the language makes of a story (contract.md, "Semantics").
@Suite struct LanguageTests {
    static let graph = AgentChat.read(
        #"""
        {"miswire-contract": 1, "name": "graphql", "wire": {"type": "type"},
         "session": {"ready": "connection_ack", "heartbeat": {"ask": "ping", "answer": "pong", "from": "either", "within": "1s"}},
         "requests": {"connection_init": {"answer": "connection_ack", "within": "3s"},
           "subscribe": {"shape": {"id": "<text>", "payload.query": "<text>"}, "starts": "operation"},
           "complete": {"shape": {"id": "<text>"}}, "ping": {}, "pong": {}},
         "events": {"connection_ack": {}, "next": {"shape": {"id": "<text>"}}, "error": {"shape": {"id": "<text>"}},
           "complete": {"shape": {"id": "<text>"}}, "ping": {}, "pong": {}},
         "link": ["id"],
         "runs": {"operation": {"key": "id", "scope": "connection", "states": {
           "open": {"next": "open", "error": "done", "complete": "done", "request complete": "leaving"},
           "leaving": {"next": "leaving", "error": "done", "complete": "done"}}, "hot": {"open": "never"}}},
         "errors": {"event": "error"},
         "reject": [{"when": ["<malformed>", "<unknown>", "<invalid>"], "with": "close 4400"},
           {"when": {"type": "subscribe"}, "before": "connection_ack", "with": "close 4401"},
           {"when": {"type": "connection_init"}, "after": "request connection_init", "with": "close 4429"},
           {"when": {"type": "subscribe"}, "run": "open", "with": ["close 4409", "accepted"]}],
         "flows": {"f": [{"send": {"type": "connection_init"}}, {"await": "connection_ack"}]}}
        """#)

    private static func subscribe(_ id: String) -> String { #"{"type":"subscribe","id":"\#(id)","payload":{"query":"{ x }"}}"# }
    private static func of(_ type: String, _ id: String) -> String { #"{"type":"\#(type)","id":"\#(id)"}"# }

    private static func ready(_ story: inout Transcript, _ session: Int = 1, at ms: Double = 0) {
        story.open(session, "u\(session)", at: ms)
        story.send(session, #"{"type":"connection_init"}"#, at: ms + 1)
        story.event(session, #"{"type":"connection_ack"}"#, at: ms + 2)
    }

    @Test func aSubscription() {
        let judgement = judge(Self.graph) { story in
            Self.ready(&story)
            story.send(1, Self.subscribe("1"), at: 10)
            story.event(1, Self.of("next", "1"), at: 11)
            story.event(1, Self.of("complete", "1"), at: 12)
            story.close(1, by: .client, 1000, at: 20)
            story.close(1, by: .server, 1000, at: 21)
            story.end(1, .server, at: 21)
        }
        #expect(judgement.sentences.isEmpty && judgement.undecided.isEmpty)
        #expect(judgement.counts("E1") == [2, 2, 0, 0, 0], "the init's answer and the operation")
    }

    @Test func keysOfOneConnectionAreItsOwn() {
        let judgement = judge(Self.graph) { story in
            for id in [1, 2] { Self.ready(&story, id) }
            for id in [1, 2] { story.send(id, Self.subscribe("1"), at: Double(id) + 10) }
            for id in [1, 2] { story.event(id, Self.of("next", "1"), at: Double(id) + 20) }
            for id in [1, 2] { story.event(id, Self.of("complete", "1"), at: Double(id) + 30) }
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("E1") == [4, 4, 0, 0, 0])
    }

    /// `before`: it must hold when the request leaves and when the outcome comes.
    @Test func beforeTheAck() {
        func told(ack: Double?, close: UInt16?) -> [String] {
            judge(Self.graph) { story in
                story.open(1, "u", at: 0)
                story.send(1, #"{"type":"connection_init"}"#, at: 1)
                story.send(1, Self.subscribe("1"), at: 2)
                if let ack { story.event(1, #"{"type":"connection_ack"}"#, at: ack) }
                if let close { story.close(1, by: .server, close, at: 10) }
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told(ack: nil, close: 4401) == [], "refused as it must be")
        #expect(told(ack: 3, close: nil) == [], "the ack was under way")
        #expect(told(ack: nil, close: nil).contains("E3"), "neither ack nor close")
    }

    @Test func afterTheFirstInit() {
        func told(_ code: UInt16?) -> [String] {
            judge(Self.graph) { story in
                Self.ready(&story)
                story.send(1, #"{"type":"connection_init"}"#, at: 10)
                if let code { story.close(1, by: .server, code, at: 11) }
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told(4429) == [] && told(nil) == ["E3"] && told(4400) == ["E3"])
    }

    /// A rule that holds but for the state: the server may have seen that.
    @Test func anEarlierRuleOfTheState() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"go": {}, "bad": {"shape": {"x": "<text>"}}},
             "events": {"ready": {}, "error": {}}, "errors": {"event": "error", "kind": "kind"},
             "reject": [{"when": {"type": "bad"}, "before": "ready", "with": "early"}, {"when": "<invalid>", "with": "wrong"}]}
            """#)
        func told(_ kind: String) -> [String] {
            judge(contract) { story in
                story.open(1, "u", at: 0)
                story.event(1, #"{"type":"ready"}"#, at: 1)
                story.send(1, #"{"type":"bad"}"#, at: 2)
                story.event(1, #"{"type":"error","kind":"\#(kind)"}"#, at: 3)
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told("wrong") == [] && told("early") == [] && told("other") == ["E5"])
    }

    @Test func leavingASubscription() {
        func told(_ late: [String]) -> [String] {
            judge(Self.graph) { story in
                Self.ready(&story)
                story.send(1, Self.subscribe("1"), at: 10)
                story.event(1, Self.of("next", "1"), at: 11)
                story.send(1, Self.of("complete", "1"), at: 12)
                for (index, type) in late.enumerated() { story.event(1, Self.of(type, "1"), at: 13 + Double(index)) }
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told([]) == [] && told(["next", "next"]) == [] && told(["next", "complete"]) == [])
        #expect(told(["complete", "next"]) == ["E1"], "after its own end")
    }

    /// `request NAME: done`: what was under way may still come.
    @Test func aRunThatTheClientEnds() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"go": {"starts": "r"}, "stop": {}},
             "events": {"on": {}, "end": {}}, "runs": {"r": {"key": "k", "states": {"s": {"on": "s", "end": "done", "request stop": "done"}},
             "hot": {"s": "2s"}}}}
            """#)
        func told(_ stop: String, late: Bool = true) -> [String] {
            judge(contract) { story in
                story.open(1, "u", at: 0)
                story.send(1, #"{"type":"go"}"#, at: 1)
                story.event(1, #"{"type":"on","k":"1"}"#, at: 2)
                story.send(1, stop, at: 3)
                if late { story.event(1, #"{"type":"on","k":"1"}"#, at: 4) }
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told(#"{"type":"stop","k":"1"}"#) == [] && told(#"{"type":"stop"}"#) == [], "with its key, or as the only one")
        #expect(told(#"{"type":"stop","k":"2"}"#) == ["E1"], "another run was stopped")
    }

    /// A request may bear the key of its run; the server may take another.
    @Test func aRunThatItsRequestNames() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"go": {"starts": "r"}, "stop": {}},
             "events": {"on": {}, "end": {}}, "runs": {"r": {"key": "k", "states": {"s": {"on": "s", "end": "done", "request stop": "over"},
             "over": {"end": "done"}}, "hot": {"s": "2s"}}}}
            """#)
        func told(_ keys: [Int], stop: Int? = nil) -> [Int] {
            judge(contract) { story in
                story.open(1, "u", at: 0)
                for key in [1, 2] { story.send(1, #"{"type":"go","k":\#(key)}"#, at: Double(key)) }
                if let stop { story.send(1, #"{"type":"stop","k":\#(stop)}"#, at: 3) }
                for (index, key) in keys.enumerated() {
                    story.event(1, #"{"type":"on","k":\#(key)}"#, at: 4 + Double(index))
                    story.event(1, #"{"type":"end","k":\#(key)}"#, at: 5 + Double(index))
                }
                story.ticks(from: 20, to: 12_000)
            }.counts("E1")
        }
        #expect(told([2, 1]) == [2, 2, 0, 0, 0] && told([7, 8]) == [2, 2, 0, 0, 0])
        #expect(told([1], stop: 2) == [2, 2, 0, 0, 0], "it was stopped before it began, and is hot no more")
        #expect(told([1]) == [2, 1, 0, 0, 1])
    }

    @Test func heartbeats() {
        func told(_ answer: Double?) -> Judgement {
            judge(Self.graph) { story in
                Self.ready(&story)
                story.event(1, #"{"type":"ping"}"#, at: 10)
                story.send(1, #"{"type":"pong"}"#, at: 11)
                story.send(1, #"{"type":"ping"}"#, at: 20)
                if let answer { story.event(1, #"{"type":"pong"}"#, at: answer) }
                story.ticks(from: 30, to: 5_000)
            }
        }
        #expect(told(21).sentences.isEmpty && told(21).counts("E1") == [2, 2, 0, 0, 0])
        #expect(told(nil).findings.map(\.sentence) == ["u1's ping gets no pong within 1 s"])
        let cut = judge(Self.graph) { story in
            Self.ready(&story)
            story.send(1, #"{"type":"ping"}"#, at: 20)
            story.close(1, by: .client, 1000, at: 30)
        }
        #expect(cut.sentences.isEmpty && cut.counts("E1") == [2, 1, 0, 1, 0])
    }

    /// Nothing is owed to what comes before AUTHENTICATING is over, but what ends it.
    @Test func beforeItIsReady() {
        func told(_ text: String) -> [String] {
            judge(Self.graph) { story in
                story.open(1, "u", at: 0)
                story.send(1, text, at: 1)
                story.ticks(from: 20, to: 12_000)
            }.failed
        }
        #expect(told(#"{"type":"ping"}"#) == [] && told(#"{"type":"connection_init"}"#) == ["E1"])
    }

    // MARK: Several messages in a frame

    static let rpc = AgentChat.read(
        #"""
        {"miswire-contract": 1, "name": "rpc", "wire": {"batch": true, "split": "\u001e"},
         "requests": {"call": {"match": {"method": "<text>", "id": "<text|number>"}, "answer": ["result", "failure"], "within": "3s"},
                      "notify": {"match": {"method": "<text>", "id": "<absent>"}}},
         "events": {"failure": {"match": {"error": "<object>"}}, "result": {"match": {"result": "<any>", "id": "<any>"}}},
         "link": ["id"], "errors": {"event": "failure", "kind": "error.code"},
         "reject": [{"when": "<malformed>", "with": -32700}, {"when": ["<unknown>", "<invalid>"], "with": -32600}]}
        """#)

    static func call(_ id: Int) -> String { #"{"method":"m","id":\#(id)}"# }
    static func result(_ id: Int) -> String { #"{"result":1,"id":\#(id)}"# }

    @Test func batches() {
        func told(_ answers: [String]) -> Judgement {
            judge(Self.rpc) { story in
                story.open(1, "u", at: 0)
                story.send(1, "[\(Self.call(1)),\(Self.call(2)),{\"method\":\"x\"}]", at: 1)
                for (index, answer) in answers.enumerated() { story.event(1, answer, at: 2 + Double(index)) }
                story.ticks(from: 20, to: 9_000)
            }
        }
        #expect(told(["[\(Self.result(2)),\(Self.result(1))]"]).counts("E1") == [2, 2, 0, 0, 0])
        #expect(told([Self.result(1) + "\u{1e}" + Self.result(2) + "\u{1e}"]).counts("E1") == [2, 2, 0, 0, 0])
        let missing = told(["[\(Self.result(2))]"])
        #expect(missing.counts("E1") == [2, 1, 0, 0, 1] && missing.failed == ["E1"])
    }

    @Test func aBadMessageAmongGoodOnes() {
        func told(_ code: Int?) -> [String] {
            judge(Self.rpc) { story in
                story.open(1, "u", at: 0)
                story.send(1, "[1,\(Self.call(2))]", at: 1)
                story.event(1, Self.result(2), at: 2)
                if let code { story.event(1, #"{"error":{"code":\#(code)},"id":null}"#, at: 3) }
                story.ticks(from: 20, to: 9_000)
            }.failed
        }
        #expect(told(-32600) == [] && told(nil) == ["E3"] && told(-32700) == ["E5"])
    }

    @Test func moreThanAnybodyReads() {
        let judgement = judge(Self.rpc) { story in
            story.open(1, "u", at: 0)
            story.send(1, Self.call(1), at: 1)
            story.event(1, String(repeating: "\u{1e}", count: 5_000), at: 2)
            story.ticks(from: 20, to: 9_000)
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("E1") == [1, 0, 0, 1, 0])
    }

    // MARK: Envelope

    private static let socket = AgentChat.read(
        #"""
        {"miswire-contract": 1, "name": "socket.io",
         "wire": {"envelope": "(?<packet>4[0-6]|[0-356])(?:(?<namespace>/[^,]*),)?(?<ack>\\d+)?(?<body>.*)"},
         "session": {"greeting": "open", "ready": "connected", "heartbeat": {"ask": "ping", "answer": "pong", "from": "server"}},
         "requests": {"connect": {"match": {"packet": "40"}, "answer": ["connected", "refused"]},
           "call": {"match": {"packet": "42", "ack": "<any>", "body[0]": "<text>"}, "answer": "acked", "within": "2s"},
           "emit": {"match": {"packet": "42", "ack": "<absent>", "body[0]": "<text>"}}, "pong": {"match": {"packet": "3"}}},
         "events": {"open": {"match": {"packet": "0"}}, "ping": {"match": {"packet": "2"}}, "connected": {"match": {"packet": "40"}},
           "refused": {"match": {"packet": "44"}}, "acked": {"match": {"packet": "43"}}, "event": {"match": {"packet": "42"}}},
         "link": ["namespace + ack", "namespace"], "errors": {"event": "refused", "kind": "body.message"}}
        """#)

    @Test func anEnvelope() {
        func told(_ acks: [String], connected: Bool = true) -> Judgement {
            judge(Self.socket) { story in
                story.open(1, "u", at: 0)
                story.event(1, #"0{"sid":"x"}"#, at: 1)
                if connected {
                    story.send(1, "40", at: 2)
                    story.event(1, #"40{"sid":"y"}"#, at: 3)
                }
                story.send(1, #"421["a"]"#, at: 10)
                story.send(1, #"422["b"]"#, at: 11)
                story.event(1, "2", at: 12)
                story.send(1, "3", at: 13)
                for (index, ack) in acks.enumerated() { story.event(1, ack, at: 20 + Double(index)) }
                story.ticks(from: 30, to: 9_000)
            }
        }
        #expect(told(["432[]", "431[]"]).sentences.isEmpty && told(["432[]", "431[]"]).counts("E1") == [3, 3, 0, 0, 0])
        #expect(told(["432[]"]).failed == ["E1"] && told(["432[]"]).counts("E1") == [3, 2, 0, 0, 1])
        #expect(told([], connected: false).sentences.isEmpty, "nobody listens before the connect")
    }

    // MARK: Answers, silence, inside, unasked, serial

    @Test func aCloseThatIsAnAnswer() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"quit": {"answer": ["bye", "close 4000"], "within": "2s"}},
             "events": {"bye": {}}}
            """#)
        func told(_ tell: (inout Transcript) -> Void) -> [Int] {
            judge(contract) { story in
                story.open(1, "u", at: 0)
                story.send(1, #"{"type":"quit"}"#, at: 1)
                tell(&story)
                story.ticks(from: 20, to: 9_000)
            }.counts("E1")
        }
        #expect(told { $0.event(1, #"{"type":"bye"}"#, at: 2) } == [1, 1, 0, 0, 0])
        #expect(told { $0.close(1, by: .server, 4000, at: 2) } == [1, 1, 0, 0, 0])
        #expect(told { $0.close(1, by: .server, 4001, at: 2) } == [1, 0, 0, 0, 1])
        #expect(told { $0.end(1, .server, at: 2) } == [1, 0, 0, 0, 1], "an end without that Close")
        #expect(told { _ in } == [1, 0, 0, 0, 1])
    }

    private static func chat(reject: String) -> Contract { AgentChat.with(#"{"reject": [\#(reject)]}"#) }

    @Test func silenceIsAnOutcome() {
        let contract = Self.chat(reject: #"{"when": {"agent_name": "ghost"}, "with": "silence"}"#)
        func told(_ tell: (inout Transcript) -> Void) -> [String] {
            judge(contract) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, #"{"type":"agent_started","user_id":"alice","agent_name":"ghost","request_id":"q1"}"#, at: 10)
                tell(&story)
                story.ticks(from: 30, to: 9_000)
            }.failed
        }
        #expect(told { _ in } == [])
        #expect(told { $0.event(1, Say.error("connection_error", request: "q1"), at: 11) } == [], "kind and context are not judged")
        #expect(told { $0.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11) } == ["E4"])
    }

    @Test func refusedInsideItsRun() {
        let contract = Self.chat(reject: #"{"when": {"agent_name": "doomed"}, "with": "agent_execution_error", "inside": "run"}"#)
        func told(_ tell: (inout Transcript) -> Void) -> Judgement {
            judge(contract) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, #"{"type":"agent_started","user_id":"alice","agent_name":"doomed","request_id":"q1"}"#, at: 10)
                tell(&story)
                story.ticks(from: 30, to: 9_000)
            }
        }
        let inside = told { story in
            story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
            story.event(1, Say.event("agent_thinking", "alice", run: "r1", thread: "ta"), at: 12)
            story.event(1, Say.error("agent_execution_error", user: "alice", more: #","run_id":"r1","thread_id":"ta""#), at: 13)
        }
        #expect(inside.sentences.isEmpty && inside.counts("E3") == [1, 1, 0, 0, 0] && inside.counts("E1") == [1, 1, 0, 0, 0])
        let atOnce = told { $0.event(1, Say.error("agent_execution_error", user: "alice", request: "q1"), at: 11) }
        #expect(atOnce.sentences.isEmpty && atOnce.counts("E3") == [1, 1, 0, 0, 0])
        let theatre = told { $0.wholeRun(1, "alice", run: "r1", thread: "ta", request: "q1", at: 11) }
        #expect(theatre.failed == ["E4"] && theatre.counts("E1") == [1, 1, 0, 0, 0])
    }

    static let voice = AgentChat.read(
        #"""
        {"miswire-contract": 1, "name": "voice", "wire": {"type": "type"},
         "requests": {"create": {"starts": "response"}, "cancel": {}},
         "events": {"created": {}, "delta": {}, "done": {}, "error": {}},
         "runs": {"response": {"key": "rid", "unasked": true, "states": {"asked": {"created": "active", "error": "done"},
           "active": {"del*": "active", "done": "done"}}, "hot": {"asked": "2s", "active": "5s"}}},
         "errors": {"event": "error", "kind": "code"},
         "reject": [{"when": {"type": "create"}, "run": "open", "with": "busy"}, {"when": {"type": "cancel"}, "run": "none", "with": "idle"}]}
        """#)

    private static func voice(_ tell: (inout Transcript) -> Void) -> [String] {
        judge(voice) { story in
            story.open(1, "u", at: 0)
            tell(&story)
            story.ticks(from: 30, to: 12_000)
        }.failed
    }

    @Test func runsThatTheServerStarts() {
        #expect(Self.voice { story in
            for (index, type) in ["created", "delta", "done"].enumerated() {
                story.event(1, #"{"type":"\#(type)","rid":"1"}"#, at: Double(index) + 1)
            }
        } == [])
        #expect(Self.voice { $0.event(1, #"{"type":"created","rid":"1"}"#, at: 1) } == ["E1"], "it never ends")
        #expect(Self.voice { $0.event(1, #"{"type":"delta","rid":"1"}"#, at: 1) } == ["E1"], "no start of any")
    }

    @Test func rulesThatAskForRuns() {
        func told(_ request: String, _ answer: String?, running: Bool) -> [String] {
            Self.voice { story in
                if running { story.event(1, #"{"type":"created","rid":"1"}"#, at: 1) }
                story.send(1, #"{"type":"\#(request)"}"#, at: 10)
                if let answer { story.event(1, answer, at: 11) }
                if running { story.event(1, #"{"type":"done","rid":"1"}"#, at: 5_000) }
            }
        }
        #expect(told("cancel", nil, running: false) == ["E3"])
        #expect(told("cancel", #"{"type":"error","code":"idle"}"#, running: false) == [])
        #expect(told("cancel", nil, running: true) == [], "it may be cancelled")
        #expect(told("create", #"{"type":"error","code":"busy"}"#, running: true) == [])
        #expect(told("create", nil, running: true) == ["E3"])
    }

    /// Voice detection starts responses by itself: one that begins beside a refused request is no success of that.
    @Test func whatBeginsByItselfCondemnsNoRequest() {
        let judgement = judge(Self.voice) { story in
            story.open(1, "u", at: 0)
            story.event(1, #"{"type":"created","rid":"1"}"#, at: 1)
            story.send(1, #"{"type":"create"}"#, at: 2)
            story.event(1, #"{"type":"created","rid":"2"}"#, at: 3)
            story.event(1, #"{"type":"error","code":"busy"}"#, at: 4)
            for rid in ["1", "2"] { story.event(1, #"{"type":"done","rid":"\#(rid)"}"#, at: 5) }
        }
        #expect(judgement.sentences.isEmpty)
    }

    @Test func serialAnswersGoToTheOldest() {
        let contract = AgentChat.read(
            #"""
            {"miswire-contract": 1, "name": "t", "wire": {"type": "type", "serial": true}, "link": ["id"],
             "requests": {"ask": {"answer": "said", "within": "2s"}}, "events": {"said": {}}}
            """#)
        let judgement = judge(contract) { story in
            story.open(1, "u", at: 0)
            for id in [1, 2] { story.send(1, #"{"type":"ask","id":\#(id)}"#, at: Double(id)) }
            story.event(1, #"{"type":"said","id":9}"#, at: 1_500)
            story.ticks(from: 1_600, to: 9_000)
        }
        #expect(judgement.counts("E1") == [2, 1, 0, 0, 1])
    }

    @Test func onlyItsOwnSubprotocol() {
        var contract = AgentChat.contract
        contract.wire.subprotocols = ["chat.v2"]
        let judgement = judge(contract) { story in
            story.enter(1, "alice", at: 0)
            story.send(1, "{", at: 10)
            story.ticks(from: 30, to: 9_000)
        }
        #expect(judgement.sentences.isEmpty && judgement.counts("E3") == [0, 0, 0, 0, 0])
    }

    @Test func closeCodesThatEndWell() {
        func told(_ codes: String, _ code: UInt16) -> [String] {
            judge(AgentChat.with(#"{"session": {"greeting": "connected", "within": "2s", "clean": \#(codes)}}"#)) { story in
                story.enter(1, "alice", at: 0)
                story.send(1, Say.start("alice", "q1"), at: 10)
                story.event(1, Say.event("agent_started", "alice", run: "r1", thread: "ta", request: "q1"), at: 11)
                story.close(1, by: .server, code, at: 12)
            }.failed
        }
        #expect(told("[1000, 4000]", 4000) == [] && told("[1000]", 4000) == ["E1"])
    }
}
