import Contracts
import NIOCore
import Testing
import Wire

@Suite("Recognition")
struct RecognizerTests {
    private func read(
        _ text: String, _ direction: Direction = .toServer, opcode: Opcode = .text
    ) throws -> Recognition {
        Recognizer(try contract(chat)).recognise(ByteBuffer(string: text), opcode: opcode, direction: direction)
    }

    @Test func byTypeValue() throws {
        let read = try read(#"{"type":"start","user_id":"u"}"#)
        #expect(read.name == "start")
        #expect(read.outcome == .valid)
        #expect(read.type == "start")
        #expect(read.rule == 0)
    }

    @Test func shapeViolationIsNamed() throws {
        #expect(try read(#"{"type":"start","user_id":7}"#).outcome == .invalid("user_id: <text>"))
    }

    /// Members are found while a message is decoded, or in what was decoded: both find the same.
    @Test func decodedOrNot() throws {
        let recognizer = Recognizer(try contract(chat))
        let many = (0..<300).map { "\"m\($0)\":\($0)," }.joined()
        let bodies = [
            #""type":"start","user_id":"u""#, #""type":"start","user_id":7,"user_id":"u""#, #""type":"start","user_id":"u","user_id":7"#,
            #""t\u0079pe":"start","user\u005fid":"u""#, #""type":"started","run_id":"","type":"completed""#, #""type":null,"kind":"odd""#,
            #""a":{"type":"start"},"type":"test","action":"x""#, #""type":"error","error":{"type":"start"}"#, #""type":["start"]"#,
        ]
        for body in bodies {
            for text in ["{\(body)}", "{\(many)\(body)}", "{ \(many.dropLast()) , \(body) }", "[{\(body)}]"] {
                guard case .value(let value, let tolerated) = JSON.decode(text) else {
                    Issue.record("\(text)")
                    continue
                }
                for direction in [Direction.toServer, .toClient] {
                    let read = recognizer.recognise(ByteBuffer(string: text), opcode: .text, direction: direction)
                    #expect(read == recognizer.recognise(value, direction: direction, tolerated: tolerated), "\(text)")
                    #expect(read.value == value && read.type == value["type"]?.string, "\(text)")
                }
            }
        }
        let wide = try read("{\(many)\"type\":\"start\",\"user_id\":\"u\"}")
        #expect(wide.outcome == .valid && wide.name == "start")
        #expect(try read("{\(many)\"type\":\"start\",\"user_id\":7}").outcome == .invalid("user_id: <text>"))
    }

    /// A type is taken for a name that is composed otherwise.
    @Test func aNameComposedOtherwise() throws {
        let recognizer = Recognizer(
            try contract(#"{"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"caf\u00e9": {}}}"#))
        for type in ["caf\u{e9}", "cafe\u{301}"] {
            let read = recognizer.recognise(ByteBuffer(string: "{\"type\":\"\(type)\"}"), opcode: .text, direction: .toServer)
            #expect(read.outcome == .valid && read.rule == 0, "\(type)")
        }
    }

    @Test func unknown() throws {
        for text in [#"{"type":"nope"}"#, "{}", "7", "[]", #"{"type":7}"#, #"{"type":null}"#] {
            #expect(try read(text).outcome == .unknown)
        }
    }

    @Test func globsComeLast() throws {
        #expect(try read(#"{"type":"admin"}"#).name == "adm*")
        #expect(try read(#"{"type":"tool.y"}"#, .toClient).name == "tool.*")
    }

    @Test func matchBeatsGlobAndTypeBeatsMatch() throws {
        #expect(try read(#"{"type":"tool.y","kind":"odd"}"#, .toClient).name == "odd")
        #expect(try read(#"{"type":"started","kind":"odd","run_id":"r"}"#, .toClient).name == "started")
        // A message that has a match is not recognised by its name.
        #expect(try read(#"{"type":"odd"}"#, .toClient).outcome == .unknown)
    }

    @Test func directionsHaveTheirOwnTables() throws {
        #expect(try read(#"{"type":"completed"}"#).outcome == .unknown)
        #expect(try read(#"{"type":"completed"}"#, .toClient).name == "completed")
    }

    @Test(arguments: ["", "{", "{]", "nonsense", "{\"a\":1}}", "\u{0}"])
    func malformed(text: String) throws {
        guard case .malformed = try read(text).outcome else {
            Issue.record("\(text) is not malformed")
            return
        }
    }

    @Test(arguments: [
        #"{"type":"start","user_id":"u","n":NaN}"#, #"{"type":"start","type":"start","user_id":"u"}"#,
        #"{"type":"start","user_id":"u","n":-Infinity}"#, "\u{feff}{\"type\":\"start\",\"user_id\":\"u\"}",
        #"{"type":"start","user_id":"\ud800"}"#,
    ])
    func whatCommonParsersTakeIsTolerated(text: String) throws {
        let read = try read(text)
        #expect(read.tolerated)
        #expect(read.name == "start")
    }

    @Test func binaryIsIgnoredUnderJSON() throws {
        #expect(try read("{}", opcode: .binary).outcome == .ignored)
    }

    @Test func rawFormat() throws {
        let raw = try contract(
            #"{"miswire-contract":1,"name":"raw","wire":{"format":"raw"},"requests":{"m":{"match":"3*"},"any":{"match":"<any>"}}}"#)
        let recognizer = Recognizer(raw)
        let binary = recognizer.recognise(ByteBuffer(bytes: [0x3f, 0xa0]), opcode: .binary, direction: .toServer)
        #expect(binary.name == "m")
        #expect(binary.value == .string("3fa0"))
        let text = recognizer.recognise(ByteBuffer(string: "hello"), opcode: .text, direction: .toServer)
        #expect(text.name == "any")
        #expect(text.value == .string("hello"))
    }
}

@Suite("Labels")
struct LabelerTests {
    private func label(_ text: String, _ context: Context = Context()) throws -> Label {
        let contract = try contract(chat)
        let read = Recognizer(contract).recognise(ByteBuffer(string: text), opcode: .text, direction: .toServer)
        return Labeler(contract).label(read, in: context)
    }

    @Test func firstRuleThatHolds() throws {
        #expect(try label(#"{"type":"start","agent":"none"}"#) == .mustReject(rule: 0, stateful: false))
        #expect(try label(#"{"type":"start"}"#) == .mustReject(rule: 1, stateful: false))
        #expect(try label(#"{"type":"start","user_id":null}"#) == .mustReject(rule: 1, stateful: false))
    }

    /// `is:` takes differently composed letters for the same, and so must whatever is asked before it.
    @Test func aTypeThatIsComposedOtherwiseIsTheSame() throws {
        let contract = try contract(
            #"{"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"a": {}}, "#
                + #""reject": [{"when": {"type": "is:caf\u00e9"}, "with": "accepted"}, {"when": "<unknown>"}]}"#)
        for text in [#"{"type":"caf\u00e9"}"#, #"{"type":"cafe\u0301"}"#] {
            let read = Recognizer(contract).recognise(ByteBuffer(string: text), opcode: .text, direction: .toServer)
            #expect(Labeler(contract).label(read, in: Context()) == .mayAccept, "\(text)")
        }
    }

    @Test func decodingAndShape() throws {
        #expect(try label("{") == .mustReject(rule: 4, stateful: false))
        #expect(try label(#"{"type":"nope"}"#) == .mustReject(rule: 4, stateful: false))
        #expect(try label(#"{"type":"start","user_id":5}"#) == .mustReject(rule: 4, stateful: false))
    }

    @Test func acceptedAmongTheOutcomesMakesMayAccept() throws {
        let foreign = Context(foreign: [.string("v")])
        #expect(try label(#"{"type":"start","user_id":"v"}"#, foreign) == .mayAccept)
    }

    @Test func foreignIsStateful() throws {
        let contract = try contract(chat)
        let message = #"{"type":"start","user_id":"u","thread_id":"t"}"#
        let foreign = Context(foreign: [.string("t")])
        #expect(try label(message, foreign) == .mustReject(rule: 4, stateful: true))
        #expect(try label(message) == .mayAccept)
        let read = Recognizer(contract).recognise(ByteBuffer(string: message), opcode: .text, direction: .toServer)
        #expect(Labeler(contract).stillHolds(rule: 4, read, in: foreign))
        #expect(!Labeler(contract).stillHolds(rule: 4, read, in: Context()))
        #expect(!Labeler(contract).stillHolds(rule: 99, read, in: foreign))
    }

    @Test func holdsByBytesEvenIfAForeignIdIsThereToo() throws {
        let message = #"{"type":"nope","thread_id":"t"}"#
        #expect(try label(message, Context(foreign: [.string("t")])) == .mustReject(rule: 4, stateful: false))
    }

    @Test func toleratedIsMayAccept() throws {
        #expect(try label(#"{"type":"start","agent":"none","n":NaN}"#) == .mayAccept)
        #expect(try label(#"{"type":"start","type":"nope"}"#) == .mayAccept)
    }

    @Test func flowMessagesAreMustAcceptOnAReadyConnection() throws {
        let message = #"{"message":"say mwc-abcdefgh1jkl","type":"start","user_id":"u1"}"#
        #expect(try label(message, Context(isReady: true)) == .mustAccept)
        #expect(try label(message) == .mayAccept)
        let changed = #"{"message":"sing mwc-abcdefgh1jkl","type":"start","user_id":"u1"}"#
        #expect(try label(changed, Context(isReady: true)) == .mayAccept)
        let more = #"{"message":"say mwc-abcdefgh1jkl","type":"start","user_id":"u1","x":1}"#
        #expect(try label(more, Context(isReady: true)) == .mayAccept)
        let other = #"{"message":"say mwc-abcdefgh1jkl","type":"start","user_id":"u2"}"#
        #expect(try label(other, Context(isReady: true, user: "u2")) == .mustAccept)
        #expect(try label(other, Context(isReady: true, user: "u1")) == .mayAccept, "a flow speaks of its own user")
        for text in ["say mwc-short", "say mwc-abcdefgh1jklm", "say mwc-abcdefgh1jkl!", "say "] {
            let odd = #"{"message":"\#(text)","type":"start","user_id":"u1"}"#
            #expect(try label(odd, Context(isReady: true)) == .mayAccept, "no canary of ours")
        }
    }

    private func stateful(_ rule: String) throws -> (Contract, Recognition) {
        let contract = try contract(
            #"{"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"ask": {}, "hi": {}}, "events": {"ready": {}, "end": {}},"#
                + #""runs": {"r": {"key": "k", "states": {"s": {"end": "done"}}, "hot": {"s": "5s"}}},"#
                + #""reject": [{"when": {"type": "ask"}, \#(rule)}, {"when": {"type": "ask", "bad": true}}]}"#)
        return (contract, Recognizer(contract).recognise(try JSON.parse(#"{"type":"ask","k":7,"bad":true}"#), direction: .toServer))
    }

    @Test(arguments: [
        (#""before": "ready""#, Context(), Context(seen: ["ready"])), (#""after": "request hi""#, Context(seen: ["hi"]), Context()),
        (#""after": "h*""#, Context(seen: ["hi"]), Context()), (#""run": "open""#, Context(open: [.number("7")]), Context(open: [.number("8")])),
        (#""run": "none""#, Context(open: [.number("8")]), Context(open: [.number("7")])),
        (#""run": "none""#, Context(), Context(mayBeOpen: true)),
    ])
    func statefulRules(rule: String, holding: Context, other: Context) throws {
        let (contract, request) = try stateful(rule)
        let labeler = Labeler(contract)
        #expect(labeler.label(request, in: holding) == .mustReject(rule: 0, stateful: true))
        #expect(labeler.label(request, in: other) == .mustReject(rule: 1, stateful: false))
        #expect(labeler.stillHolds(rule: 0, request, in: holding) && !labeler.stillHolds(rule: 0, request, in: other))
        #expect(labeler.rivals(of: 1, request, in: other) == [0], "the server may see another state")
        #expect(labeler.rivals(of: 0, request, in: other) == [])
    }

    @Test func namesThatAFlowHasKept() throws {
        let contract = try contract(
            #"{"miswire-contract": 1, "name": "t", "wire": {"type": "type"}, "requests": {"ask": {}}, "events": {"said": {}}, "flows": {"f": ["#
                + #"{"await": "said", "keep": {"thread": "id"}}, {"send": {"type": "ask", "id": "{thread}", "x": "a {thread} b"}}]}}"#)
        func label(_ text: String) throws -> Label {
            Labeler(contract).label(
                Recognizer(contract).recognise(try JSON.parse(text), direction: .toServer), in: Context(isReady: true))
        }
        #expect(try label(#"{"type":"ask","id":"t1","x":"a t1 b"}"#) == .mustAccept)
        #expect(try label(#"{"type":"ask","id":7,"x":"a t1 b"}"#) == .mustAccept)
        #expect(try label(#"{"type":"ask","id":"t1","x":"a t1 c"}"#) == .mayAccept)
    }
}
