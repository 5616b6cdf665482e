import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

/// The planted bugs of credentials, protocol and resources do what their rows say, and mark it; the clean backend does not.
@Suite struct PeerBugTests {
    private func start(_ user: String, _ more: String = "") -> String {
        #"{"type":"agent_started","user_id":"\#(user)"\#(more)}"#
    }

    private func open(_ stage: inout Stage, _ token: String, _ fields: [String] = []) -> BackendConnectionID {
        let id = stage.dial()
        stage.receive(Stage.head("/ws", ["Authorization: Bearer " + token] + fields), on: id)
        stage.pass(.milliseconds(2))
        return id
    }

    @Test(arguments: [true, false]) func b16GoesOnWhenTheTokenHasExpired(isPlanted: Bool) {
        var stage = Stage(bugs: isPlanted ? [.expiryIgnored] : [])
        let id = open(&stage, Stage.token("alice", expires: 5))
        stage.pass(.seconds(6))
        stage.say(start("alice"), on: id)
        stage.pass(.milliseconds(50))
        #expect(stage.types(id).last == (isPlanted ? "agent_completed" : "connected"))
        #expect(stage.closeCode(id) == (isPlanted ? nil : 4401))
        #expect(stage.triggered(.expiryIgnored).map { $0.user } == (isPlanted ? ["alice"] : []))
    }

    struct Asked: Sendable {
        var origin: String
        var clean: Int
        var planted: Int
    }
    @Test(arguments: [
        Asked(origin: "http://localhost", clean: 101, planted: 101), Asked(origin: "https://localhost:3000", clean: 101, planted: 101),
        Asked(origin: "http://127.0.0.1:8080", clean: 101, planted: 101), Asked(origin: "https://evil.example", clean: 403, planted: 403),
        Asked(origin: "https://localhost.evil.example", clean: 403, planted: 101), Asked(origin: "null", clean: 101, planted: 101),
        Asked(origin: "https://localhost:80.evil.example", clean: 403, planted: 101), Asked(origin: "localhost", clean: 403, planted: 403),
    ])
    func b17TakesAnOriginByItsBeginning(asked: Asked) {
        for isPlanted in [true, false] {
            var stage = Stage(bugs: isPlanted ? [.originPrefix] : [])
            let id = open(&stage, Stage.token("alice"), ["Origin: \(asked.origin)"])
            #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 \(isPlanted ? asked.planted : asked.clean) "))
            let isWrong = isPlanted && asked.planted != asked.clean
            #expect(stage.triggered(.originPrefix).map { $0.user } == (isWrong ? ["alice"] : []))
        }
    }

    private func compressed(_ size: Int) throws -> ByteBuffer {
        let payload = try Deflater(windowBits: 15, takeover: false).deflate(ByteBuffer(repeating: 0x20, count: size))
        return FrameWriter.bytes(Frame(rsv: 4, opcode: .text, maskKey: 1, payload: payload))
    }

    @Test func b21InflatesWhateverComes() throws {
        let offer = ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"]
        var clean = Stage()
        let other = open(&clean, Stage.token("alice"), offer)
        #expect(!clean.answer(other).head.contains("Extensions"), "no extension is spoken")
        var stage = Stage(bugs: [.inflateUnbounded])
        let id = open(&stage, Stage.token("alice"), offer)
        #expect(stage.answer(id).head.contains("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"))
        stage.handle(.received(id, try compressed(1_000)))
        #expect(stage.triggered(.inflateUnbounded).isEmpty)
        #expect(stage.errors(id) == ["message_processing_error"], "blanks are no JSON")
        stage.handle(.received(id, try compressed(4 << 20)))
        #expect(stage.errors(id).count == 2)
        #expect(stage.triggered(.inflateUnbounded).map { $0.user } == ["alice"])
        #expect(stage.machine.connections[id]?.socket.inflated.readableBytes == 4 << 20, "kept for the next one")
    }

    @Test func b22KeepsAMegabyteForEachFragment() {
        for isPlanted in [true, false] {
            var stage = Stage(bugs: isPlanted ? [.fragmentsPinned] : [])
            let id = stage.connect("alice")
            stage.handle(.received(id, Stage.masked(.text, "x", fin: false)))
            stage.handle(.received(id, Stage.masked(.continuation, "x", fin: false)))
            #expect(stage.machine.connections[id]?.socket.pinned.count == (isPlanted ? 2 : 0))
            stage.handle(.ended(id))
            #expect(stage.machine.pinned.count == (isPlanted ? 2 : 0), "it is never given back")
            #expect(stage.triggered(.fragmentsPinned).count == (isPlanted ? 1 : 0))
            let other = stage.connect("bob")
            stage.handle(.received(other, Stage.masked(.text, "[", fin: false)))
            stage.handle(.received(other, Stage.masked(.continuation, "]")))
            #expect(stage.machine.connections[other]?.socket.pinned.isEmpty == true, "a message that ends gives it back")
        }
    }

    @Test func b23LeavesSomethingBehindAnAbort() {
        func leaks(_ stage: Stage) -> Int { stage.effects.count { effect in if case .leak = effect { true } else { false } } }
        for isPlanted in [true, false] {
            var stage = Stage(bugs: isPlanted ? [.abortLeaks] : [])
            let id = stage.dial()
            stage.receive("GET /ws HT", on: id)
            stage.handle(.ended(id))
            stage.handle(.ended(stage.dial()))
            #expect(leaks(stage) == (isPlanted ? 2 : 0))
            let whole = stage.connect("alice")
            stage.handle(.ended(whole))
            #expect(leaks(stage) == (isPlanted ? 2 : 0), "whoever was served leaves nothing")
            #expect(stage.triggered(.abortLeaks).count == (isPlanted ? 2 : 0))
        }
    }

    @Test func b24ReadsOneAtATime() {
        for isPlanted in [true, false] {
            var stage = Stage(bugs: isPlanted ? [.stuckReadBlocks] : [])
            let (alice, bob) = (stage.connect("alice"), stage.connect("bob"))
            var message = Stage.masked(.text, start("bob"))
            let half = message.readSlice(length: 20) ?? ByteBuffer()
            stage.handle(.received(bob, half))
            stage.say(start("alice"), on: alice)
            stage.pass(.seconds(1))
            #expect(stage.types(alice).contains("agent_completed") == !isPlanted)
            #expect(stage.triggered(.stuckReadBlocks).map { $0.user } == (isPlanted ? ["bob"] : []))
            stage.handle(.received(bob, message))
            stage.pass(.seconds(1))
            #expect(stage.types(alice).last == "agent_completed" && stage.types(bob).last == "agent_completed")
        }
        var stage = Stage(bugs: [.stuckReadBlocks])
        let (alice, bob) = (stage.connect("alice"), stage.connect("bob"))
        stage.handle(.received(bob, Stage.masked(.text, start("bob")).getSlice(at: 0, length: 20) ?? ByteBuffer()))
        stage.say(start("alice"), on: alice)
        stage.handle(.ended(bob))
        stage.pass(.seconds(1))
        #expect(stage.types(alice).last == "agent_completed", "who goes blocks nobody")
    }

    @Test func b25PutsAReservedCodeOnTheWire() {
        for isPlanted in [true, false] {
            var stage = Stage(bugs: isPlanted ? [.reservedCloseCode] : [])
            let id = stage.connect("alice")
            stage.handle(.received(id, Stage.masked(.close, "")))
            #expect(stage.frames(id).last?.opcode == .close)
            #expect(stage.closeCode(id) == (isPlanted ? 1005 : nil))
            #expect(stage.triggered(.reservedCloseCode).count == (isPlanted ? 1 : 0))
        }
    }

    @Test func b26RefusesASplitCharacter() {
        let text = Array(start("alice", #","message":"é""#).utf8)
        for isPlanted in [true, false] {
            for border in [5, (text.firstIndex(of: 0xc3) ?? 0) + 1] {
                var stage = Stage(bugs: isPlanted ? [.splitCharacterRejected] : [])
                let id = stage.connect("alice")
                for (part, opcode, fin) in [(text[..<border], Opcode.text, false), (text[border...], .continuation, true)] {
                    let frame = Frame(fin: fin, opcode: opcode, maskKey: 1, payload: ByteBuffer(bytes: part))
                    stage.handle(.received(id, FrameWriter.bytes(frame)))
                }
                stage.pass(.milliseconds(50))
                let isWrong = isPlanted && border > 5
                #expect(stage.closeCode(id) == (isWrong ? 1007 : nil))
                #expect(stage.types(id).last == (isWrong ? "connected" : "agent_completed"))
                #expect(stage.triggered(.splitCharacterRejected).count == (isWrong ? 1 : 0))
            }
        }
    }

    @Test func b29IsLateWithErrors() {
        var stage = Stage(bugs: [.lateError])
        let id = stage.connect("alice")
        stage.say(#"{"type":"invalid_type","request_id":"q1"}"#, on: id)
        stage.pass(.milliseconds(2_900))
        #expect(stage.errors(id).isEmpty)
        stage.pass(.milliseconds(200))
        #expect(stage.errors(id) == ["message_processing_error"])
        #expect(stage.triggered(.lateError).map { $0.request } == ["q1"])
    }
}
