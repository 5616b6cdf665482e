import Contracts
import NIOCore
import Testing
import Wire

/// Several messages in one frame, envelopes, closed shapes and heartbeats (contract.md, semantics 2).
@Suite("What a frame holds")
struct FrameContentTests {
    private func recognizer(_ wire: String, _ more: String = "") throws -> Recognizer {
        Recognizer(try contract(#"{"miswire-contract": 1, "name": "t", "wire": \#(wire)\#(more)}"#))
    }

    private func texts(_ wire: String, _ text: String, _ opcode: Opcode = .text) throws -> [String]? {
        switch try recognizer(wire).content(of: ByteBuffer(string: text), opcode: opcode) {
        case .one: nil
        case .several(let pieces): pieces.map { String(buffer: $0) }
        case .tooMany: ["too many"]
        }
    }

    @Test(arguments: [
        ("{}\n[]\n", ["{}", "[]"]), ("{}\n[]", ["{}", "[]"]), ("{}", ["{}"]), ("", []), ("\n", [""]), ("\n\n{}", ["", "", "{}"]),
        (#"{"a":"\n"}"#, [#"{"a":"\n"}"#]),
    ])
    func split(text: String, pieces: [String]) throws {
        #expect(try texts(#"{"split": "\n"}"#, text) == pieces)
    }

    @Test func separatorsOfSeveralBytes() throws {
        #expect(try texts(#"{"split": "--"}"#, "a---b--") == ["a", "-b"])
        #expect(try texts(#"{"split": "\u001e"}"#, "{}\u{1e}{}\u{1e}") == ["{}", "{}"])
    }

    @Test(arguments: [
        (#"[{"a":1},2,"x"]"#, [#"{"a":1}"#, "2", #""x""#] as [String]?), (" [ [1] ] ", ["[1]"]), ("[]", nil), ("{}", nil), ("[1", nil),
        ("[1] x", nil), ("", nil), (#"["a\"]"]"#, [#""a\"]""#]),
    ])
    func batch(text: String, pieces: [String]?) throws {
        #expect(try texts(#"{"batch": true}"#, text) == pieces)
    }

    @Test func batchesInPieces() throws {
        #expect(try texts(#"{"batch": true, "split": "\n"}"#, "[1,2]\n3\n[]\n") == ["1", "2", "3", "[]"])
    }

    @Test func binaryFramesAreOneMessage() throws {
        #expect(try texts(#"{"split": "\n"}"#, "a\nb", .binary) == nil)
        #expect(try texts(#"{"split": "\n", "binary": "decode"}"#, "a\nb", .binary) == ["a", "b"])
        #expect(try texts(#"{"split": "\n", "format": "raw"}"#, "a\nb", .binary) == nil)
        #expect(try texts(#"{"split": "\n", "format": "raw"}"#, "a\nb") == ["a", "b"])
    }

    @Test func moreThanAnybodyLooksAt() throws {
        let many = String(repeating: "\n", count: Recognizer.mostMessages + 1)
        #expect(try texts(#"{"split": "\n"}"#, many) == ["too many"])
        let batch = "[" + String(repeating: "1,", count: Recognizer.mostMessages) + "1]"
        #expect(try texts(#"{"batch": true}"#, batch) == ["too many"])
        #expect(try texts(#"{"batch": true, "split": "\n"}"#, "1\n" + batch) == ["too many"])
        let all = try recognizer(#"{"split": "\n"}"#).recogniseAll(ByteBuffer(string: many), opcode: .text, direction: .toServer)
        guard case .unreadable = all.first?.outcome, all.count == 1 else { throw Missing() }
    }

    private struct Missing: Error {}

    // MARK: Envelope

    private let socket = #"{"envelope": "(?<packet>4[0-6]|[0-356])(?:(?<namespace>/[^,]*),)?(?<ack>\\d+)?(?<body>.*)"}"#

    private func fields(_ text: String, _ opcode: Opcode = .text) throws -> Recognition {
        try recognizer(socket).recognise(ByteBuffer(string: text), opcode: opcode, direction: .toServer)
    }

    @Test func groupsBecomeFields() throws {
        let read = try fields(#"42/chat,7["say",{"a":1}]"#)
        #expect(read.value?["packet"] == .string("42") && read.value?["namespace"] == .string("/chat") && read.value?["ack"] == .string("7"))
        #expect(try Path("body[1].a").value(in: read.value ?? .null) == .number("1"))
        let short = try fields("2")
        #expect(short.value?["packet"] == .string("2") && short.value?["ack"] == nil && short.value?["body"] == .string(""))
    }

    @Test func aBodyThatIsNoJSONStaysText() throws {
        #expect(try fields("2probe").value?["body"] == .string("probe"))
        #expect(try fields("42[\"x\"").value?["body"] == .string("[\"x\""))
        #expect(try fields(#"40{"n":NaN}"#).tolerated)
        #expect(try fields(#"40{"n":1,"n":2}"#).tolerated)
    }

    @Test func whatDoesNotFitIsMalformed() throws {
        #expect(try fields("9").outcome == .malformed("it does not fit wire.envelope"))
        #expect(try fields("42[1]", .binary).outcome == .ignored)
        guard case .unreadable = try fields("42" + String(repeating: "x", count: LinearRegex.maximumText)).outcome else { throw Missing() }
    }

    @Test func envelopesOverHex() throws {
        let read = try recognizer(#"{"format": "raw", "envelope": "(?<kind>3.)(?<rest>.*)", "type": "kind"}"#, #", "requests": {"30": {}}"#)
            .recognise(ByteBuffer(bytes: [0x30, 0x01]), opcode: .binary, direction: .toServer)
        #expect(read.name == "30" && read.value?["rest"] == .string("01"))
    }

    @Test func flowsAreTakenApartAsFramesAre() throws {
        let split = try recognizer(#"{"split": "\n", "type": "t"}"#, #", "requests": {"a": {}, "b": {}}"#)
        #expect(split.recognise(sent: .string("{\"t\":\"a\"}\n{\"t\":\"b\"}\n")).map(\.name) == ["a", "b"])
        let socket = try recognizer(socket, #", "requests": {"connect": {"match": {"packet": "40", "body.token": "<text>"}}}"#)
        #expect(socket.recognise(sent: .string(#"40{"token":"{credential}"}"#)).map(\.name) == ["connect"])
        let raw = try recognizer(#"{"format": "raw"}"#, #", "requests": {"m": {"match": "hello *"}}"#)
        #expect(raw.recognise(sent: .string("hello {canary}")).map(\.name) == ["m"])
    }

    // MARK: Binary, closed, heartbeat

    @Test func binaryFramesByTheirRule() throws {
        func outcome(_ rule: String) throws -> Recognition.Outcome {
            try recognizer(#"{"type": "t", "binary": "\#(rule)"}"#, #", "requests": {"a": {}}"#)
                .recognise(ByteBuffer(string: #"{"t":"a"}"#), opcode: .binary, direction: .toServer).outcome
        }
        #expect(try outcome("ignore") == .ignored)
        #expect(try outcome("reject") == .malformed("a binary frame"))
        #expect(try outcome("decode") == .valid)
    }

    @Test func closedShapesForbidOtherFields() throws {
        let read = try recognizer(
            #"{"type": "t"}"#,
            #", "requests": {"a": {"shape": {"x.y": "<text>", "z": "<any|absent>"}, "closed": true}, "b": {"shape": {"x": "<text>"}}}"#)
        func outcome(_ text: String) throws -> Recognition.Outcome {
            read.recognise(try JSON.parse(text), direction: .toServer).outcome
        }
        #expect(try outcome(#"{"t":"a","x":{"y":"1","more":2}}"#) == .valid, "a field of a field is not the message's")
        #expect(try outcome(#"{"t":"a","x":{"y":"1"},"z":1}"#) == .valid)
        #expect(try outcome(#"{"t":"a","x":{"y":"1"},"w":1}"#) == .invalid("w: <absent>"))
        #expect(try outcome(#"{"t":"b","x":"1","w":1}"#) == .valid)
    }

    @Test func heartbeatsAreMarked() throws {
        let read = try recognizer(
            #"{"type": "t"}"#,
            #", "requests": {"ping": {}, "pong": {}}, "events": {"ping": {}, "pong": {}}, "#
                + #""session": {"heartbeat": {"ask": "ping", "answer": "pong", "from": "client"}}"#)
        let ping = try JSON.parse(#"{"t":"ping"}"#)
        #expect(read.recognise(ping, direction: .toServer).heartbeat == .ask)
        #expect(read.recognise(ping, direction: .toClient).heartbeat == nil)
        #expect(read.recognise(try JSON.parse(#"{"t":"pong"}"#), direction: .toClient).heartbeat == .answer)
    }

    @Test func aBatchOfNothingIsAnybodysChoice() throws {
        let contract = try contract(#"{"miswire-contract": 1, "name": "t", "wire": {"batch": true}, "requests": {"a": {"match": {"x": 1}}}, "reject": [{"when": "<unknown>"}]}"#)
        let read = Recognizer(contract).recognise(ByteBuffer(string: "[]"), opcode: .text, direction: .toServer)
        #expect(Labeler(contract).label(read, in: Context()) == .mayAccept)
    }
}
