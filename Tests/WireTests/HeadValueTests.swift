import NIOCore
import Testing

@testable import Wire

@Suite struct HeadValueTests {
    private static func request(_ target: String, _ fields: [String]) throws -> RequestHead {
        let text = "GET \(target) HTTP/1.1\r\nHost: h\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        return try RequestHead(ByteBuffer(string: text))
    }

    /// The head after a change, which must still be one, and its text without the first two lines' noise.
    private static func reread(_ bytes: ByteBuffer) throws -> RequestHead { try RequestHead(bytes) }

    /// Found by fuzzing heads: without its query such a target was empty, and the request line malformed.
    @Test(arguments: [("?token=a", "?"), ("?token=a&b", "?b"), ("?a#f", "#f"), ("/?token=a", "/")])
    func aTargetThatIsNothingButItsQuery(_ target: String, _ left: String) throws {
        let head = try Self.request(target, [])
        let part = try #require(head.queryItems.first)
        #expect(try Self.reread(head.removing(part.removalRange)).target == left)
    }

    @Test func query() throws {
        let head = try Self.request("/ws/a?token=a%2Bb&x=&token=c+d&flag", [])
        #expect(head.path == "/ws/a")
        #expect(head.queryItems.map(\.name) == ["token", "x", "token", "flag"])
        #expect(head.queryItems("token").map(\.value) == ["a+b", "c d"])
        #expect(head.queryItems("token").map { head.text($0.valueRange) } == ["a%2Bb", "c+d"])
        #expect(head.queryItems("flag").map(\.value) == [""])
        let targets = try head.queryItems.map { try Self.reread(head.removing($0.removalRange)).target }
        #expect(
            targets == [
                "/ws/a?x=&token=c+d&flag", "/ws/a?token=a%2Bb&token=c+d&flag", "/ws/a?token=a%2Bb&x=&flag",
                "/ws/a?token=a%2Bb&x=&token=c+d",
            ])
        let only = try Self.request("/ws?token=a", [])
        #expect(try Self.reread(only.removing(only.queryItems[0].removalRange)).target == "/ws")
        let changed = try Self.reread(only.replacing(only.queryItems[0].valueRange, with: "zz"))
        #expect(changed.target == "/ws?token=zz" && changed.fields.map(\.value) == ["h"])
        #expect(try Self.request("/ws", []).queryItems.isEmpty)
        #expect(try Self.request("/ws?", []).queryItems.isEmpty)
        #expect(try Self.request("/ws?a=%zz%4", []).queryItems("a").first?.value == "%zz%4")
    }

    @Test(arguments: [
        ("/a/b", "/a/b"), ("/", "/"), ("*", "*"), ("http://h:1/x/y?q", "/x/y"), ("http://h", "/"),
        ("http://h?q=1", "/"),
        ("/a?u=http://x/y", "/a"), ("wss://h/z", "/z"),
    ])
    func path(_ target: String, _ path: String) throws {
        #expect(try Self.request(target, []).path == path)
    }

    @Test func cookies() throws {
        let head = try Self.request("/", ["Cookie: a=1; token=\"t.x\";b=2", "cookie: token=y"])
        #expect(head.cookies.map(\.name) == ["a", "token", "b", "token"])
        #expect(head.cookies("token").map(\.value) == ["t.x", "y"])
        let first = try Self.reread(head.removing(head.cookies("token")[0].removalRange))
        #expect(first.all("cookie").map(\.value) == ["a=1; b=2", "token=y"])
        let last = try Self.reread(head.removing(head.cookies("token")[1].removalRange))
        #expect(last.all("cookie").map(\.value) == ["a=1; token=\"t.x\";b=2"])
        let end = try Self.reread(head.removing(head.cookies("b")[0].removalRange))
        #expect(end.all("cookie").map(\.value) == ["a=1; token=\"t.x\"", "token=y"])
    }

    @Test func subprotocols() throws {
        let head = try Self.request("/", ["Sec-WebSocket-Protocol: chat, jwt.abc , x"])
        #expect(head.subprotocols.map(\.value) == ["chat", "jwt.abc", "x"])
        let without = try Self.reread(head.removing(head.subprotocols[1].removalRange))
        #expect(without.value("sec-websocket-protocol") == "chat, x")
        let only = try Self.request("/", ["Sec-WebSocket-Protocol: jwt.abc", "X: y"])
        let bare = try Self.reread(only.removing(only.subprotocols[0].removalRange))
        #expect(bare.fields.map(\.name) == ["Host", "X"])
    }

    @Test func editsKeepAllOtherBytes() throws {
        let head = try Self.request("/", ["AUTHORIZATION:  Bearer abc ", "x:y", "Authorization: z"])
        let field = try #require(head.first("authorization"))
        #expect(field.value == "Bearer abc" && head.text(field.nameRange) == "AUTHORIZATION")
        #expect(head.text(field.lineRange) == "AUTHORIZATION:  Bearer abc \r\n")
        let start = "GET / HTTP/1.1\r\nHost: h\r\n"
        let text = { (buffer: ByteBuffer) in String(buffer: buffer) }
        #expect(
            text(head.setting("authorization", "q")) == start + "AUTHORIZATION:  q \r\nx:y\r\nAuthorization: z\r\n\r\n")
        #expect(text(head.removing(field.lineRange)) == start + "x:y\r\nAuthorization: z\r\n\r\n")
        #expect(text(head.removingAll("Authorization")) == start + "x:y\r\n\r\n")
        #expect(text(head.setting("new", "1")).hasSuffix("Authorization: z\r\nnew: 1\r\n\r\n"))
        #expect(head.removingAll("none") == head.bytes)
    }

    @Test func acceptKey() throws {
        // RFC 6455 section 1.3; RFC 3174 section 7.3 for lengths around a block.
        #expect(AcceptKey.compute("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        let hex = { (bytes: [UInt8]) in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        #expect(hex(SHA1.digest(Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(hex(SHA1.digest([])) == "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        let long = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(hex(SHA1.digest(Array(long.utf8))) == "84983e441c3bd26ebaae4aa1f95129e5e54670f1")
        #expect(hex(SHA1.digest(Array(repeating: 0x61, count: 1000))) == "291e9a6c66994949b57ba5e650361e98fc36b1ba")
        #expect(
            ["", "f", "fo", "foo", "foob"].map { AcceptKey.base64(Array($0.utf8)) } == [
                "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==",
            ])
    }

    @Test func acceptance() throws {
        let request = try Self.request(
            "/",
            [
                "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Sec-WebSocket-Protocol: a, b",
            ])
        let answer = { (fields: String) in
            try ResponseHead(ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\n\(fields)\r\n"))
        }
        let good = "Upgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
        #expect(request.isWebSocketUpgrade)
        #expect(try answer(good).accepts(request))
        #expect(try answer(good + "Sec-WebSocket-Protocol: b\r\n").subprotocol == "b")
        #expect(try answer(good + "Sec-WebSocket-Protocol: b\r\n").accepts(request))
        #expect(try !answer(good + "Sec-WebSocket-Protocol: c\r\n").accepts(request))
        #expect(try !answer(good + "Sec-WebSocket-Protocol: a, b\r\n").accepts(request))
        #expect(
            try !answer("Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n").accepts(request))
        #expect(
            try !answer("Connection: upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n").accepts(
                request))
        #expect(
            try !answer("Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n").accepts(request)
        )
        #expect(try !ResponseHead(ByteBuffer(string: "HTTP/1.1 200 OK\r\n\(good)\r\n")).accepts(request))
    }
}
