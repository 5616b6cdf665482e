import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

@Suite struct SocketTests {
    /// What the socket makes of some bytes, in words.
    private func transcript(_ pieces: [ByteBuffer]) -> [String] {
        var socket = ServerSocket()
        var out: [String] = []
        for piece in pieces {
            socket.feed(piece)
            while let happening = socket.next() {
                switch happening {
                case .text(let bytes): out.append("text " + String(buffer: bytes))
                case .binary(let bytes): out.append("binary \(bytes.readableBytes)")
                case .ping(let bytes): out.append("ping " + String(buffer: bytes))
                case .close(let body): out.append("close \(body.code.map { "\($0)" } ?? "-") \(body.reason ?? "-")")
                case .failure(let code, _): out.append("failure \(code)")
                }
            }
        }
        return out
    }

    private static let conversation: ByteBuffer = {
        var all = Stage.masked(.text, "héllo", fin: false)
        for frame in [
            Stage.masked(.ping, "p"), Stage.masked(.continuation, "", fin: false),
            Stage.masked(.continuation, " wörld"),
            Stage.masked(.pong, ""), Stage.masked(.binary, String(repeating: "b", count: 200)), Stage.masked(.text, ""),
            FrameWriter.bytes(Frame(opcode: .close, maskKey: 1, payload: CloseBody(code: 1000, reason: "bye").payload)),
        ] { all.writeImmutableBuffer(frame) }
        return all
    }()

    @Test func conversationAtEverySplit() {
        let whole = Self.conversation
        let expected = ["ping p", "text héllo wörld", "binary 200", "text ", "close 1000 bye"]
        #expect(transcript([whole]) == expected)
        let bytes = Array(whole.readableBytesView)
        for cut in 1..<bytes.count {
            #expect(transcript([ByteBuffer(bytes: bytes[..<cut]), ByteBuffer(bytes: bytes[cut...])]) == expected)
        }
        #expect(transcript(bytes.map { ByteBuffer(bytes: [$0]) }) == expected)
    }

    @Test(
        arguments: [
            ([0x81, 0x00], 1002), ([0xc1, 0x80], 1002), ([0x83, 0x80], 1002), ([0x80, 0x80], 1002),
            ([0x09, 0x80], 1002),
            ([0x89, 0xfe, 0x00, 0x7e], 1002), ([0x81, 0xfe, 0x00, 0x01], 1002),
            ([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], 1002), ([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1], 1009),
            ([0x81, 0x81, 0, 0, 0, 0, 0xff], 1007), ([0x81, 0x81, 0, 0, 0, 0, 0xc3], 1007),
            ([0x88, 0x81, 0, 0, 0, 0, 3], 1002), ([0x88, 0x82, 0, 0, 0, 0, 3, 0xed], 1002),
            ([0x88, 0x83, 0, 0, 0, 0, 3, 0xe8, 0xff], 1007),
        ] as [([UInt8], Int)])
    func brokenRuleFailsTheConnection(bytes: [UInt8], code: Int) {
        // Behind a header that already breaks a rule nothing need come: mask keys are added where one is missing.
        let padded = bytes + (bytes.count < 5 || bytes.count == 10 ? [0, 0, 0, 0] : [])
        #expect(transcript([ByteBuffer(bytes: padded)]) == ["failure \(code)"])
        #expect(transcript([ByteBuffer(bytes: padded), Stage.masked(.text, "later")]) == ["failure \(code)"])
    }

    @Test func messageOverTheLimitInFragments() {
        let half = String(repeating: "a", count: 700_000)
        let pieces = [Stage.masked(.text, half, fin: false), Stage.masked(.continuation, half)]
        #expect(transcript(pieces) == ["failure 1009"])
        let exact = String(repeating: "a", count: ServerSocket.messageLimit)
        #expect(transcript([Stage.masked(.text, exact)]) == ["text " + exact])
    }

    @Test func machineAnswersControlFrames() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.handle(.received(id, Stage.masked(.ping, "echo me")))
        #expect(stage.frames(id).last == Frame(opcode: .pong, payload: ByteBuffer(string: "echo me")))
        stage.handle(
            .received(id, FrameWriter.bytes(Frame(opcode: .close, maskKey: 0, payload: CloseBody(code: 1001).payload))))
        #expect(stage.closeCode(id) == 1001)
        #expect(stage.isReleased(id))
    }

    @Test func machineFailsTheConnection() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: id)
        stage.handle(.received(id, ByteBuffer(bytes: [0x83, 0x80, 0, 0, 0, 0])))
        #expect(stage.closeCode(id) == 1002)
        #expect(stage.isReleased(id))
        let before = stage.bytes(id)
        stage.pass(.seconds(1))
        #expect(stage.bytes(id) == before, "a run does not speak behind the Close")
    }

    @Test func binaryIsIgnored() {
        var stage = Stage()
        let id = stage.connect("alice")
        stage.handle(.received(id, Stage.masked(.binary, "{}")))
        stage.say("{", on: id)
        #expect(stage.types(id) == ["connected", "error"])
    }
}
