import Journaling
import NIOCore
import Testing
import Wire

@testable import ReferenceBackend

@Suite struct UpgradeTests {
    static let good = Stage.token("alice")

    @Test(arguments: [
        ("/ws", ["Authorization: Bearer \(good)"]), ("/ws/room/7", ["authorization: bearer \(good)"]),
        ("/ws?token=\(good)", []), ("/ws?a=1&token=\(good)&b", []), ("/ws", ["Cookie: a=b; token=\(good)"]),
        ("/ws", ["Sec-WebSocket-Protocol: agent-chat, token.\(good)"]), ("/ws/late", ["Authorization: Bearer \(good)"]),
    ])
    func credentialIsTakenFromEachPlace(path: String, fields: [String]) {
        var stage = Stage()
        let id = stage.dial()
        stage.receive(Stage.head(path, fields), on: id)
        stage.pass(.milliseconds(2))
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        #expect(stage.answer(id).head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
        #expect(stage.events(id).map { $0["type"] } == ["connected"])
        #expect(stage.events(id)[0]["user_id"] == "alice")
    }

    @Test(arguments: [
        [], ["Authorization: Bearer"], ["Authorization: Basic \(good)"], ["Authorization: Bearer \(good)x"],
        ["Authorization: Bearer \(Stage.token("alice", key: "other"))"],
        ["Authorization: Bearer \(Stage.token("alice", expires: 0))"], ["Authorization: Bearer \(Stage.token(""))"],
        ["Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."], ["Cookie: token="],
        ["Sec-WebSocket-Protocol: agent-chat, token.abc"],
        // The first place decides, so that a stripped or broken credential is not saved by another.
        ["Authorization: Bearer broken", "Cookie: token=\(good)"],
    ])
    func badCredentialIsRefusedBeforeTheUpgrade(fields: [String]) {
        var stage = Stage()
        let id = stage.dial()
        stage.receive(Stage.head("/ws", fields), on: id)
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 401 Unauthorized\r\n"))
        #expect(stage.isReleased(id))
    }

    @Test func badCredentialOutranksBadForm() {
        var stage = Stage()
        let id = stage.dial()
        stage.receive("GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", on: id)
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 401 "))
    }

    @Test(arguments: [
        ("GET /other HTTP/1.1\r\nHost: x\r\n\r\n", "404"), ("GET /wsx HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
        ("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "200"), ("POST /health HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        ("GET /ws?token=\(good) HTTP/1.1\r\nHost: x\r\n\r\n", "426"),
        (Stage.head("/ws?token=\(good)").replacing("Version: 13", "Version: 8"), "426"),
        (Stage.head("/ws?token=\(good)").replacing("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="), "400"),
        (Stage.head("/ws?token=\(good)").replacing("Host: localhost\r\n", ""), "400"),
        ("GET /ws HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"), ("\u{16}\u{3}\u{1}hello\r\n\r\n", "400"),
    ])
    func otherRequestsGetPlainAnswers(request: String, status: String) {
        var stage = Stage()
        let id = stage.dial()
        stage.receive(request, on: id)
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 \(status) "))
        #expect(stage.isReleased(id))
        stage.receive(request, on: id)
        #expect(stage.effects.count == 2, "nothing is said after the end")
    }

    @Test func headMayComeByteByByte() {
        var stage = Stage()
        let id = stage.dial()
        for byte in Stage.head("/ws", ["Authorization: Bearer \(Self.good)"]).utf8 {
            stage.handle(.received(id, ByteBuffer(bytes: [byte])))
        }
        #expect(stage.types(id) == ["connected"])
    }

    @Test func neverAProtocolWithTheCredentialIfAnotherIsOffered() {
        var stage = Stage()
        let both = stage.dial()
        stage.receive(Stage.head("/ws", ["Sec-WebSocket-Protocol: token.\(Self.good), other"]), on: both)
        #expect(stage.answer(both).head.contains("Sec-WebSocket-Protocol: other\r\n"))
        let alone = stage.dial()
        stage.receive(Stage.head("/ws", ["Sec-WebSocket-Protocol: token.\(Self.good)"]), on: alone)
        #expect(stage.answer(alone).head.contains("Sec-WebSocket-Protocol: token.\(Self.good)\r\n"))
        let none = stage.connect("alice")
        #expect(!stage.answer(none).head.contains("Protocol:"))
    }

    @Test func framesRightBehindTheHeadAreServed() {
        var stage = Stage()
        for _ in 1...2 {
            let id = stage.dial()
            var bytes = ByteBuffer(string: Stage.head("/ws?token=\(Self.good)"))
            bytes.writeImmutableBuffer(Stage.masked(.text, #"{"type":"invalid_type"}"#))
            stage.handle(.received(id, bytes))
            #expect(stage.types(id) == ["connected", "error"], "the greeting comes first on every connection")
        }
    }

    @Test func slowHeadIsEnded() {
        var stage = Stage()
        let id = stage.dial()
        stage.receive("GET /ws HTTP/1.1\r\n", on: id)
        stage.pass(.seconds(11))
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 408 "))
    }

    @Test func expiredMidSessionIsClosed() {
        var stage = Stage()
        let id = stage.dial()
        stage.receive(Stage.head("/ws?token=\(Stage.token("alice", expires: 3))"), on: id)
        stage.pass(.seconds(2))
        #expect(stage.closeCode(id) == nil)
        stage.pass(.seconds(2))
        #expect(stage.closeCode(id) == 4401)
        stage.pass(.seconds(2))
        #expect(stage.isReleased(id), "a Close that nobody answers does not hold the connection")
    }
}

@Suite struct LateCredentialTests {
    private func late(_ stage: inout Stage) -> BackendConnectionID {
        let id = stage.dial()
        stage.receive(Stage.head("/ws/late"), on: id)
        return id
    }

    @Test func firstMessageAuthenticates() {
        var stage = Stage()
        let id = late(&stage)
        #expect(stage.answer(id).head.hasPrefix("HTTP/1.1 101 "))
        #expect(stage.types(id) == [])
        stage.say(#"{"type":"auth","token":"\#(Stage.token("alice"))"}"#, on: id)
        #expect(stage.types(id) == ["connected"])
        stage.pass(.seconds(5))
        #expect(stage.closeCode(id) == nil)
    }

    @Test func silenceIsClosedInTime() {
        var stage = Stage()
        let id = late(&stage)
        stage.pass(.milliseconds(1_900))
        #expect(stage.closeCode(id) == 4401)
    }

    @Test func badTokenIsClosed() {
        var stage = Stage()
        let id = late(&stage)
        stage.say(#"{"type":"auth","token":"x"}"#, on: id)
        #expect(stage.closeCode(id) == 4401)
        stage.say(#"{"type":"auth","token":"\#(Stage.token("alice"))"}"#, on: id)
        #expect(stage.types(id) == [], "nothing behind our own Close")
    }

    @Test func requestBeforeTheCredentialIsRefused() {
        var stage = Stage()
        let id = late(&stage)
        stage.say("{", on: id)
        stage.say(#"{"type":"connection_test","action":"force_disconnect"}"#, on: id)
        #expect(stage.errors(id) == ["message_processing_error", "connection_error"])
        stage.say(#"{"type":"agent_started","user_id":"alice"}"#, on: id)
        #expect(stage.errors(id).last == "authentication_error")
        #expect(stage.closeCode(id) == 4401)
    }

    @Test func aNewerTokenMovesTheEnd() {
        var stage = Stage()
        let id = stage.dial()
        stage.receive(Stage.head("/ws?token=\(Stage.token("alice", expires: 3))"), on: id)
        stage.say(#"{"type":"auth","token":"\#(Stage.token("alice", expires: 9))"}"#, on: id)
        stage.pass(.seconds(7))
        #expect(stage.closeCode(id) == nil)
        stage.pass(.seconds(4))
        #expect(stage.closeCode(id) == 4401)
        let other = stage.connect("alice")
        stage.say(#"{"type":"auth","token":"\#(Stage.token("bob"))"}"#, on: other)
        #expect(stage.closeCode(other) == 4403)
    }
}

extension String {
    func replacing(_ old: String, _ new: String) -> String {
        guard let range = range(of: old) else { return self }
        return String(self[..<range.lowerBound]) + new + self[range.upperBound...]
    }
}
