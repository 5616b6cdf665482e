import Journaling
import NIOCore
import Plans
import Testing
import Wire

@testable import Peers

/// A client by hand, and what it says and writes, one line each: `accepted`, `message {"n":1}`, `> pong hi`, `finish`.
private struct Talk {
    private(set) var machine: ClientMachine
    private(set) var request = ""
    private(set) var key = ""

    init(subprotocols: [String] = [], fields: [(name: String, value: String)] = []) {
        machine = ClientMachine(
            .init(host: "h:1", target: "/ws?a=b", fields: fields, subprotocols: subprotocols),
            dice: WireDice(seed: 1, user: "alice", connection: 1))
    }

    /// Past the request, and past the right 101.
    static func open() -> Talk {
        var talk = Talk()
        talk.ask()
        _ = talk.hears(talk.accept())
        return talk
    }

    mutating func ask() {
        let bytes = machine.open()
        request = String(buffer: bytes)
        key = (try? RequestHead(bytes))?.value("sec-websocket-key") ?? ""
    }

    func accept(_ more: String = "", status: String = "101 Switching Protocols", key other: String? = nil) -> ByteBuffer {
        ByteBuffer(
            string: "HTTP/1.1 \(status)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(AcceptKey.compute(other ?? key))\r\n\(more)\r\n")
    }

    mutating func hears(_ bytes: ByteBuffer) -> [String] {
        var output = ClientMachine.Output()
        machine.receive(bytes, into: &output)
        return Self.words(output)
    }

    mutating func hears(_ frames: Frame...) -> [String] { hears(Self.bytes(frames)) }

    mutating func does(_ action: (inout ClientMachine, inout ClientMachine.Output) -> Void) -> [String] {
        var output = ClientMachine.Output()
        action(&machine, &output)
        return Self.words(output)
    }

    static func bytes(_ frames: [Frame]) -> ByteBuffer {
        var bytes = ByteBuffer()
        for frame in frames { FrameWriter.write(frame, into: &bytes) }
        return bytes
    }

    static func words(_ output: ClientMachine.Output) -> [String] {
        let events = output.events.map { event in
            switch event {
            case .accepted(let subprotocol): (["accepted"] + [subprotocol].compactMap { $0 }).joined(separator: " ")
            case .refused(let status): "refused \(status)"
            case .message(let opcode, let payload):
                (opcode == .text ? "text " : "binary ") + String(buffer: payload)
            case .close(let code, let reason): "close \(code.map { "\($0)" } ?? "-") \(reason)"
            case .broken(let reason): "broken: \(reason)"
            }
        }
        let sent = output.bytes.readableBytes > 0 ? Transcript.frames(output.bytes).map { "> " + $0 } : []
        return events + sent + (output.finish ? ["finish"] : [])
    }
}

private func text(_ text: String, fin: Bool = true) -> Frame { Frame(fin: fin, opcode: .text, payload: ByteBuffer(string: text)) }
private func more(_ text: String, fin: Bool) -> Frame {
    Frame(fin: fin, opcode: .continuation, payload: ByteBuffer(string: text))
}
private func ping(_ text: String) -> Frame { Frame(opcode: .ping, payload: ByteBuffer(string: text)) }
private func close(_ code: UInt16, _ reason: String = "") -> Frame {
    Frame(opcode: .close, payload: CloseBody(code: code, reason: reason).payload)
}

@Suite struct ClientHandshakeTests {
    @Test func theRequestIsAnUpgrade() throws {
        var talk = Talk(subprotocols: ["chat", "token.x"], fields: [("Origin", "http://a.example")])
        talk.ask()
        #expect(
            talk.request
                == "GET /ws?a=b HTTP/1.1\r\nHost: h:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: \(talk.key)\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, token.x\r\n"
                + "Origin: http://a.example\r\n\r\n")
        #expect(talk.key.wholeMatch(of: /[A-Za-z0-9+\/]{22}==/) != nil)
    }

    @Test func nothingIsHeardBeforeTheRequest() {
        var talk = Talk()
        #expect(talk.hears(talk.accept()) == [])
        #expect(!talk.machine.isOpen)
    }

    @Test func theRight101Opens() {
        var talk = Talk(subprotocols: ["chat", "other"])
        talk.ask()
        #expect(talk.hears(talk.accept("Sec-WebSocket-Protocol: other\r\n")) == ["accepted other"])
        #expect(talk.machine.isOpen)
    }

    @Test func interimAnswersAreNone() {
        var talk = Talk()
        talk.ask()
        #expect(talk.hears(ByteBuffer(string: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")) == [])
        #expect(talk.hears(talk.accept()) == ["accepted"])
    }

    @Test(arguments: [200, 301, 400, 401, 403, 404, 426, 500, 503]) func anyOtherStatusRefuses(_ status: Int) {
        var talk = Talk()
        talk.ask()
        #expect(talk.hears(PlayBook.refusal(status)) == ["refused \(status)"])
        #expect(!talk.machine.isOpen)
        #expect(talk.hears(talk.accept()) == [])
        #expect(talk.does { $0.send(.text, ByteBuffer(string: "x"), into: &$1) } == [])
    }

    @Test func aWrong101IsBroken() {
        func heard(_ answer: (Talk) -> ByteBuffer) -> [String] {
            var talk = Talk(subprotocols: ["chat"])
            talk.ask()
            return talk.hears(answer(talk))
        }
        let wrong = "broken: the server's 101 is wrong: "
        let key = heard { $0.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") }
        #expect(key.count == 2 && key[0].hasPrefix(wrong + "Sec-WebSocket-Accept is not ") && key[1] == "finish")
        #expect(
            heard { $0.accept("Sec-WebSocket-Protocol: mine\r\n") }
                == [wrong + "a subprotocol that was not offered", "finish"])
        #expect(
            heard { _ in ByteBuffer(string: "HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\n\r\n") }
                == [wrong + "no Upgrade: websocket", "finish"])
        #expect(
            heard { _ in ByteBuffer(string: "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\n\r\n") }
                == [wrong + "no Connection: Upgrade", "finish"])
    }

    @Test func whatIsNoHTTPIsBroken() {
        for bytes in [[0x81, 0x00], Array("SSH-2.0-x\r\n".utf8), [0x00]] as [[UInt8]] {
            var talk = Talk()
            talk.ask()
            let heard = talk.hears(ByteBuffer(bytes: bytes))
            #expect(heard.first?.hasPrefix("broken: the server's answer is ") == true)
            #expect(heard.last == "finish")
            #expect(talk.hears(talk.accept()) == [])
        }
    }

    @Test func framesInOneBufferWithThe101AreHeard() {
        var talk = Talk()
        talk.ask()
        var bytes = talk.accept()
        FrameWriter.write(text("early"), into: &bytes)
        FrameWriter.write(ping("p"), into: &bytes)
        #expect(talk.hears(bytes) == ["accepted", "text early", "> pong p"])
    }

    @Test func theSameSeedAsksTheSame() {
        var (first, again) = (Talk(), Talk())
        first.ask()
        again.ask()
        #expect(first.request == again.request)
    }
}

@Suite struct ClientFrameTests {
    @Test func whatIsSentIsMaskedAndWhole() throws {
        var talk = Talk.open()
        // `Transcript` says so where a mask is missing.
        #expect(talk.does { $0.send(.text, ByteBuffer(string: "hello"), into: &$1) } == ["> text hello"])
        #expect(talk.does { $0.send(.binary, ByteBuffer(bytes: [1, 255]), into: &$1) } == ["> binary 01 ff"])
        var (first, second) = (ClientMachine.Output(), ClientMachine.Output())
        _ = talk.does { machine, _ in
            machine.send(.text, ByteBuffer(string: "same"), into: &first)
            machine.send(.text, ByteBuffer(string: "same"), into: &second)
        }
        #expect(first.bytes != second.bytes)
    }

    @Test func pingsAreAnsweredInOrderAndPongsAreNot() {
        var talk = Talk.open()
        let pong = Frame(opcode: .pong, payload: ByteBuffer(string: "unasked"))
        #expect(talk.hears(ping("a"), pong, ping(""), ping("b")) == ["> pong a", "> pong ", "> pong b"])
    }

    @Test func fragmentsAreJoinedAndControlFramesComeInBetween() {
        var talk = Talk.open()
        #expect(
            talk.hears(text("a", fin: false), ping("p"), more("b", fin: false), more("", fin: false), more("c", fin: true))
                == ["text abc", "> pong p"])
        #expect(talk.hears(text("half", fin: false), close(1000)) == ["close 1000 ", "> close 1000", "finish"])
    }

    @Test func aCharacterCutByAFragmentIsWhole() {
        var talk = Talk.open()
        let bytes = Array("€".utf8)
        let head = Frame(fin: false, opcode: .text, payload: ByteBuffer(bytes: bytes.prefix(1)))
        let tail = Frame(opcode: .continuation, payload: ByteBuffer(bytes: bytes.dropFirst()))
        #expect(talk.hears(head, tail) == ["text €"])
    }

    @Test func aCloseOfTheServerIsAnsweredWithItsCode() {
        var talk = Talk.open()
        #expect(talk.hears(close(1001, "bye"), text("behind")) == ["close 1001 bye", "> close 1001", "finish"])
        #expect(!talk.machine.isOpen)
        #expect(talk.does { $0.send(.text, ByteBuffer(string: "x"), into: &$1) } == [])
        var bare = Talk.open()
        #expect(bare.hears(Frame(opcode: .close, payload: ByteBuffer())) == ["close - ", "> close", "finish"])
    }

    @Test func ourCloseIsSentOnceAndItsAnswerEndsOurSide() {
        var talk = Talk.open()
        #expect(talk.does { $0.close(code: 4000, reason: "enough", into: &$1) } == ["> close 4000 enough"])
        #expect(talk.does { $0.close(code: 1000, reason: "", into: &$1) } == [])
        #expect(talk.does { $0.send(.text, ByteBuffer(string: "x"), into: &$1) } == [])
        // What was under way still comes; behind our Close nothing is answered.
        #expect(talk.hears(text("late"), ping("p")) == ["text late"])
        #expect(talk.hears(close(1000)) == ["close 1000 ", "finish"])
    }

    @Test func anIllegalCodeIsWrittenAsItIs() {
        var talk = Talk.open()
        #expect(talk.does { $0.close(code: 1005, reason: "", into: &$1) } == ["> close 1005"])
    }

    struct Illegal: Sendable, CustomTestStringConvertible {
        var frames: [Frame]
        var reason: String
        var testDescription: String { reason }
    }
    static let illegal = [
        Illegal(frames: [Frame(rsv: 4, opcode: .text, payload: ByteBuffer())], reason: "a reserved bit is set"),
        Illegal(frames: [Frame(opcode: Opcode(rawValue: 3), payload: ByteBuffer())], reason: "the opcode is reserved"),
        Illegal(frames: [Frame(opcode: Opcode(rawValue: 11), payload: ByteBuffer())], reason: "the opcode is reserved"),
        Illegal(frames: [Frame(fin: false, opcode: .ping, payload: ByteBuffer())], reason: "a control frame is fragmented"),
        Illegal(
            frames: [Frame(opcode: .ping, payload: ByteBuffer(repeating: 0, count: 126))],
            reason: "a control frame carries more than 125 bytes"),
        Illegal(frames: [Frame(opcode: .text, maskKey: 7, payload: ByteBuffer())], reason: "a server's frame is masked"),
        Illegal(frames: [more("x", fin: true)], reason: "a continuation without a message"),
        Illegal(frames: [text("a", fin: false), text("b")], reason: "a new message begins"),
        Illegal(
            frames: [Frame(opcode: .text, payload: ByteBuffer(bytes: [0xc3, 0x28]))], reason: "a text message is no UTF-8"),
        Illegal(frames: [Frame(opcode: .close, payload: ByteBuffer(bytes: [3]))], reason: "a close body of one byte"),
        Illegal(frames: [close(1005)], reason: "the close code must not be on the wire"),
        Illegal(
            frames: [
                Frame(
                    firstByte: 0x81, lengthForm: .sixteen, declaredLength: 1, maskKey: nil,
                    payload: ByteBuffer(string: "x"))
            ], reason: "the length is not written in its shortest form"),
        Illegal(
            frames: [
                Frame(firstByte: 0x81, lengthForm: .sixtyFour, declaredLength: 1 << 63, maskKey: nil, payload: ByteBuffer())
            ], reason: "the 64-bit length has its top bit set"),
        Illegal(
            frames: [
                Frame(firstByte: 0x82, lengthForm: .sixtyFour, declaredLength: 1 << 40, maskKey: nil, payload: ByteBuffer())
            ], reason: "1099511627776 bytes"),
    ]

    @Test(arguments: illegal) func anIllegalFrameBreaksTheConnection(_ illegal: Illegal) {
        var talk = Talk.open()
        let heard = talk.hears(Talk.bytes([text("before")] + illegal.frames + [text("behind")]))
        #expect(heard.first == "text before")
        #expect(heard.dropFirst().first?.contains(illegal.reason) == true)
        #expect(heard.dropFirst().first?.hasPrefix("broken: ") == true)
        #expect(Array(heard.dropFirst(2)) == ["> close 1002", "finish"])
        #expect(talk.hears(text("more")) == [])
        #expect(!talk.machine.isOpen)
    }

    /// The same events, bytes and end, whole, byte by byte, cut anywhere, and in clumps.
    @Test(arguments: -1..<illegal.count) func everySplitGivesTheSame(_ index: Int) {
        var talk = Talk()
        talk.ask()
        var bytes = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")
        bytes.writeImmutableBuffer(talk.accept())
        let end = index < 0 ? [close(1001, "bye")] : Self.illegal[index].frames
        bytes.writeImmutableBuffer(
            Talk.bytes([text("a", fin: false), ping("p"), more("b", fin: true), text("€")] + end + [text("behind")]))
        func heard(_ cuts: [Int]) -> [String] {
            var copy = talk
            var output = ClientMachine.Output()
            _ = copy.does { machine, _ in
                var from = 0
                for cut in cuts + [bytes.readableBytes] where cut > from {
                    if let part = bytes.getSlice(at: bytes.readerIndex + from, length: cut - from) {
                        machine.receive(part, into: &output)
                    }
                    from = cut
                }
            }
            return Talk.words(output)
        }
        let whole = heard([])
        #expect(Array(whole.prefix(3)) == ["accepted", "text ab", "text €"])
        #expect(whole.last == "finish")
        let length = bytes.readableBytes
        for cut in 1..<length { #expect(heard([cut]) == whole, "cut at \(cut)") }
        for clump in [1, 2, 3, 7, 64] {
            #expect(heard(Array(stride(from: clump, to: length, by: clump))) == whole, "clumps of \(clump)")
        }
    }
}
