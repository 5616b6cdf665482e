import Journaling
import Testing
import Wire

@Suite struct JWTTests {
    /// RFC 7515 appendix A.1.
    let token =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    let key = Base64URL.decode(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow") ?? []

    @Test func theExampleOfTheStandardIsGenuine() throws {
        let jwt = try #require(JWT(token))
        #expect(jwt.isSigned(with: key))
        #expect(!jwt.isSigned(with: key + [0]))
        #expect(jwt.expires == 1_300_819_380)
        #expect(jwt.algorithm == "HS256")
    }

    @Test func statesTellWhatAServerWouldFind() {
        #expect(JWT.state(of: token, key: key, now: 1_300_819_379) == .intact)
        // Clocks may differ by a few minutes: what a server finds then is not known.
        #expect(JWT.state(of: token, key: key, now: 1_300_819_380) == .unknown)
        #expect(JWT.state(of: token, key: key, now: 1_300_819_680) == .unknown)
        #expect(JWT.state(of: token, key: key, now: 1_300_819_681) == .expired)
        #expect(JWT.state(of: token, key: [1], now: 0) == .forged)
        #expect(JWT.state(of: token, key: nil, now: 0) == .unknown)
        #expect(JWT.state(of: token, key: nil, now: .max) == .expired)
        #expect(JWT.state(of: String(token.dropLast()), key: key, now: 0) == .corrupt)
        #expect(JWT.state(of: "Bearer " + token, key: key, now: 0) == .corrupt)
        #expect(JWT.state(of: "", key: key, now: 0) == .corrupt)
    }

    /// Our key cannot vouch for a signature of another kind, nor accuse it.
    @Test(arguments: ["RS256", "ES384", "PS512", "EdDSA"]) func asymmetricOnesAreUnknown(algorithm: String) {
        let header = Base64URL.encode(Array(#"{"alg":"\#(algorithm)"}"#.utf8))
        let claims = Base64URL.encode(Array(#"{"exp":99}"#.utf8))
        #expect(JWT.state(of: "\(header).\(claims).AAAA", key: [1], now: 0) == .unknown)
    }

    @Test(arguments: [("HS256", 32), ("HS384", 48), ("HS512", 64)]) func whatIsSignedVerifies(algorithm: String, size: Int) throws {
        let claims: JSON = .object([.init(key: "sub", value: .string("alice")), .init(key: "exp", value: .number("99.7"))])
        let jwt = try #require(JWT(JWT.sign(claims, key: [1, 2, 3], algorithm: algorithm)))
        #expect(jwt.isSigned(with: [1, 2, 3]) && !jwt.isSigned(with: [1, 2]))
        #expect(jwt.algorithm == algorithm && jwt.signature.count == size)
        #expect(jwt.subject == "alice")
        #expect(jwt.expires == 99)
    }

    @Test func noneIsNeverGenuine() throws {
        let header = Base64URL.encode(Array(#"{"alg":"none"}"#.utf8))
        let claims = Base64URL.encode(Array("{}".utf8))
        let jwt = try #require(JWT("\(header).\(claims)."))
        #expect(!jwt.isSigned(with: []))
        #expect(JWT.state(of: jwt.text, key: [1], now: 0) == .forged)
    }

    @Test func everyCutAndEveryFlippedByteIsHandled() {
        let bytes = Array(token.utf8)
        for length in 0..<bytes.count {
            #expect(JWT.state(of: String(decoding: bytes[..<length], as: UTF8.self), key: key, now: 0) != .intact)
        }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(JWT.state(of: String(decoding: changed, as: UTF8.self), key: key, now: 0) != .intact)
        }
    }

    @Test func base64URLHasOneTextForEachValue() {
        for (text, bytes) in [("", []), ("Zg", [0x66]), ("Zm8", [0x66, 0x6f]), ("-_8", [0xfb, 0xff])] as [(String, [UInt8])] {
            #expect(Base64URL.decode(text) == bytes)
            #expect(Base64URL.encode(bytes) == text)
        }
        for text in ["Z", "Zh", "Zm9", "Zg==", "Z+", "é"] { #expect(Base64URL.decode(text) == nil, "\(text)") }
    }

    @Test func findsTheShapeAnywhereAndNothingElse() {
        let text = "a \(token), \"\(token)\" https://www.example.com eyJ.x.y e-commerce.of.today eyJhbGciOiJI.only"
        let found = JWTShape.ranges(in: Array(text.utf8)).map { String(decoding: Array(text.utf8)[$0], as: UTF8.self) }
        #expect(found == [token, token])
        #expect(JWT.first(in: "x \(token)!")?.text == token)
    }

    @Test func digestsAreThoseOfTheStandards() {
        #expect(
            Digest.sha256Hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(Digest.sha256Hex("abc", digits: 6) == "ba7816")
        // RFC 4231 test case 2.
        #expect(
            Digest.hex(Digest.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8)))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
