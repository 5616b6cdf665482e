import Journaling
import NIOCore
import Testing
import Wire

@Suite struct RedactorTests {
    let token = JWT.sign(.object([.init(key: "sub", value: .string("alice"))]), key: [1])
    private func redactor() -> Redactor { Redactor(key: Array(0..<32)) }

    private func head(_ lines: [String], _ direction: Direction = .toServer) -> String {
        var redactor = redactor()
        let bytes = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
        return String(buffer: redactor.redact(head: bytes, direction, finder: StandardSecrets()).bytes)
    }

    @Test func tagsAreStableShortAndDistinct() {
        var redactor = redactor()
        var seen: Set<String> = []
        var tags: [String] = []
        for number in 0..<2_000 {
            let tag = redactor.tag(for: "secret number \(number)")
            #expect(seen.insert(tag).inserted, "two secrets share \(tag)")
            tags.append(tag)
        }
        for number in 0..<2_000 { #expect(redactor.tag(for: "secret number \(number)") == tags[number]) }
        #expect(tags[0].utf8.count == "secret:a1".utf8.count)
        var other = Redactor(key: [9])
        #expect(other.tag(for: "secret number 0") != tags[0], "the key decides")
        #expect(redactor.tag(for: token).hasPrefix("jwt:"))
    }

    @Test func headsLoseTheirSecretsAndNothingElse() {
        let text = head([
            "GET /ws/eyJhbGciOiJI.e30.x?token=abc&room=7&ACCESS_TOKEN=\(token) HTTP/1.1", "Host: h",
            "Authorization: Bearer \(token)", "Proxy-Authorization: Basic dXNlcg==", "Cookie: lang=en; token=\(token)",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: chat, bearer, opaquetoken",
            "X-Api-Key: 12345",
        ])
        #expect(!text.contains(token) && !text.contains("abc&") && !text.contains("dXNlcg") && !text.contains("=en"))
        #expect(!text.contains("opaquetoken") && !text.contains("12345") && !text.contains("eyJ"))
        var redactor = redactor()
        let tag = "‹\(redactor.tag(for: token))›"
        #expect(text.contains("Authorization: Bearer \(tag)\r\n"))
        #expect(text.contains("token=\(tag)\r\n"), "the same secret shows alike everywhere")
        #expect(text.contains("&room=7&ACCESS_TOKEN=\(tag) HTTP/1.1\r\nHost: h\r\n"))
        #expect(text.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
        #expect(text.contains("Sec-WebSocket-Protocol: chat, bearer, ‹"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func responsesLoseTheirCookies() {
        let text = head(
            ["HTTP/1.1 101 Switching Protocols", "Set-Cookie: sid=verysecret; Path=/; HttpOnly", "Server: x"], .toClient)
        #expect(!text.contains("verysecret"))
        #expect(text.contains("Set-Cookie: sid=‹secret:"))
        #expect(text.contains("›; Path=/; HttpOnly\r\nServer: x\r\n"))
    }

    @Test(arguments: ["", "\n", "GET", ": x", "A:\r\n B", "GET /?token= HTTP/1.1\r\nCookie: ;=;a\r\n\r\n", "\u{0}\u{ff}"])
    func oddHeadsStayAsTheyAre(text: String) {
        var redactor = redactor()
        let bytes = ByteBuffer(string: text)
        _ = redactor.redact(head: bytes, .toServer, finder: StandardSecrets())
        #expect(redactor.redact(loose: bytes, .toServer).readableBytes > 0 || text.isEmpty)
    }

    /// Folded lines, repeated fields, odd case: a head that no parser takes is searched all the same.
    @Test func illegalHeadsAreSearchedToo() {
        let text = head([
            "GET /ws HTTP/1.1", "AUTHORIZATION:Bearer   one-secret-a", "authorization : two-secret-b",
            "Cookie: a=three-secret-c", "\tfour-secret-d", "cookie:b=five-secret-e",
        ])
        for secret in ["one-secret", "two-secret", "three-secret", "four-secret", "five-secret"] {
            #expect(!text.contains(secret), "\(secret) in \(text)")
        }
    }

    @Test func aTokenCutOffAtTheEndIsNoLongerReadable() {
        var redactor = redactor()
        for length in 4..<token.utf8.count {
            let cut = "x=" + token.prefix(length)
            let text = String(buffer: redactor.redact(loose: ByteBuffer(string: cut), .toServer))
            #expect(text.hasPrefix("x=‹") && !text.contains("eyJ"), "\(text)")
        }
    }

    @Test func overlappingSpansBecomeOne() throws {
        var redactor = redactor()
        let bytes = Array("abcdefghij".utf8)
        let spans = [
            Redactor.Span(range: 2..<5, secret: [1]), .init(range: 4..<7, secret: [2]), .init(range: 4..<4, secret: [3]),
            .init(range: 8..<99, secret: [4]),
        ]
        let change = redactor.redact(bytes, spans)
        let replaced = try #require(change)
        let text = String(decoding: replaced.bytes, as: UTF8.self)
        #expect(text == "ab‹\(redactor.tag(for: [1]))›hij")
        #expect(replaced.offset(of: 0) == 0 && replaced.offset(of: 2) == 2)
        #expect(replaced.offset(of: 3) == replaced.offset(of: 7))
        #expect(replaced.offset(of: 10) == replaced.bytes.count)
    }
}
