import Journaling
import NIOCore
import Testing
import Wire

/// Redaction and derived facts through the transcriber (trust.md T34, T35; captures.md).
@Suite struct RedactionTests {
    let key: [UInt8] = Array("k".utf8)
    private func token(_ user: String, expires: Int = 2_000) -> String {
        JWT.sign(
            .object([.init(key: "sub", value: .string(user)), .init(key: "exp", value: .number("\(expires)"))]), key: key)
    }

    /// What a contract with `header authorization` and `request auth token` would find.
    struct Finder: SecretFinder {
        var verificationKey: [UInt8]? = Array("k".utf8)
        var isKeyPresumed = false
        var given: Set<String> = []
        func isGiven(_ credential: String) -> Bool { given.contains(credential) }
        var expectsJWT = true
        func secrets(inRequest head: HeadView) -> [FoundSecret] {
            head.values(of: "authorization").map {
                let range = StandardSecrets.withoutScheme($0, head)
                return FoundSecret(
                    place: "header authorization", value: head.text(range), range: range, isCredential: true)
            }
        }
        func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
        func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
            let text = String(buffer: payload)
            guard let start = text.firstRange(of: #""token":""#), let end = text[start.upperBound...].firstIndex(of: "\"") else {
                return []
            }
            let lower = text.utf8.distance(from: text.startIndex, to: start.upperBound)
            let upper = text.utf8.distance(from: text.startIndex, to: end)
            return [
                FoundSecret(
                    place: "request auth token", value: String(text[start.upperBound..<end]), range: lower..<upper,
                    isCredential: true)
            ]
        }
        func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] {
            credential.flatMap { JWT.first(in: $0.value)?.subject }.map { [$0] } ?? []
        }
        func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? {
            JWT.first(in: credential.value)?.subject
        }
    }

    private func entries(_ tap: Wiretap) -> [Entry] { tap.entries { $0.finder = Finder() } }

    @Test func anUnchangedHeadTellsBothTaps() {
        var tap = Wiretap()
        tap.upgrade(["Authorization: Bearer \(token("alice"))"])
        let facts = entries(tap).facts
        #expect(facts.map(\.tap) == [.clientIn, .serverOut])
        for fact in facts {
            #expect(fact.user == "alice" && fact.state == .intact && fact.place == "header authorization")
            #expect(fact.expires == 2_000 && fact.tag?.hasPrefix("jwt:") == true && fact.faults == [])
        }
        #expect(!entries(tap).ndjson.contains("eyJ"))
        #expect(entries(tap).heads.first.map { String(buffer: $0.bytes).contains("‹\(facts[0].tag ?? "")›") } == true)
    }

    @Test func aChangedHeadTellsEachTapItsOwn() {
        var tap = Wiretap()
        let source = tap.piece(
            .toServer, .head, Wiretap.head(["GET / HTTP/1.1", "Authorization: Bearer \(token("alice"))"]), leaves: false)
        tap.piece(
            .toServer, .head, Wiretap.head(["GET / HTTP/1.1", "X: y"]), arrives: false,
            Provenance(source: source, faults: ["f2"]))
        let facts = entries(tap).facts
        #expect(facts.map(\.state) == [.intact, .absent])
        #expect(facts.map(\.faults) == [[], ["f2"]])
        #expect(facts.map(\.user) == ["alice", nil])
        #expect(entries(tap).ledger.differences == [])
    }

    @Test func statesOfACredential() {
        let forged = JWT.sign(.object([.init(key: "sub", value: .string("alice"))]), key: [9])
        let broken = String(token("alice").dropLast(2))
        for (value, state) in [
            (token("alice"), Facts.State.intact), (token("alice", expires: 100), .expired), (forged, .forged),
            (broken, .corrupt), ("opaque", .corrupt),
        ] {
            var tap = Wiretap()
            tap.upgrade(["Authorization: Bearer \(value)"])
            #expect(entries(tap).facts.map(\.state) == [state, state], "\(value)")
        }
    }

    /// A real service signs with a key of its own, of which the demo's says nothing.
    @Test func aPresumedKeyCountsOnceItsSignatureWasLetIn() {
        let others = JWT.sign(.object([.init(key: "sub", value: .string("alice"))]), key: [9])
        func states(_ upgrades: [(token: String, status: String)]) -> [Facts.State] {
            var tap = Wiretap()
            for (token, status) in upgrades {
                tap.piece(.toServer, .head, Wiretap.head(["GET /ws HTTP/1.1", "Authorization: Bearer \(token)"]))
                tap.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 \(status)"]))
            }
            return tap.entries { $0.finder = Finder(isKeyPresumed: true) }.facts.filter { $0.tap == .serverOut }.map(\.state)
        }
        let (ours, yes, no) = (token("alice"), "101 Switching Protocols", "401 Unauthorized")
        #expect(states([(others, yes), (others, yes)]) == [.unknown, .unknown])
        #expect(states([(ours, no), (others, yes)]) == [.intact, .unknown], "the server does not go by it")
        #expect(states([(others, yes), (ours, yes), (others, yes)]) == [.unknown, .intact, .forged])
        #expect(states([(token("alice", expires: 100), no)]) == [.expired], "whoever signed it")
    }

    @Test func aGivenCredentialIsSignedByWhoKnowsWhom() {
        let others = JWT.sign(.object([.init(key: "sub", value: .string("alice"))]), key: [9])
        var tap = Wiretap()
        tap.upgrade(["Authorization: Bearer \(others)"])
        #expect(tap.entries { $0.finder = Finder(given: [others]) }.facts.map(\.state) == [.unknown, .unknown])
        #expect(tap.entries { $0.finder = Finder(given: [others + "x"]) }.facts.map(\.state) == [.forged, .forged])
    }

    /// A text in the token's place that is no credential of this session may be a run that others name.
    @Test(arguments: [true, false]) func whatTheSessionBeganWithIsHiddenWhereverItStands(hasOther: Bool) {
        var tap = Wiretap()
        tap.upgrade(hasOther ? ["Authorization: Bearer \(token("alice"))"] : [])
        tap.read(.toServer, Wiretap.text(#"{"type":"auth","token":"run_chat_00001"}"#))
        tap.read(.toServer, Wiretap.text(#"{"run_id":"run_chat_00001"}"#))
        let messages = entries(tap).messages
        #expect(messages.count == 2 && !messages[0].contains("run_chat"))
        #expect(messages[1].contains("run_chat") == hasOther)
    }

    /// Which of several credentials counts is the server's choice (trust.md: no verdict may rest on a guess).
    @Test func severalCredentialsOfOneHead() {
        let (alice, other, bob) = (token("alice"), token("alice", expires: 3_000), token("bob"))
        let (stale, forged) = (token("alice", expires: 100), String(token("bob").dropLast(2)))
        for (values, state, user, rivals) in [
            ([alice, alice], Facts.State.intact, "alice", []), ([alice, other], .intact, "alice", []),
            ([alice, stale], .ambiguous, "alice", []), ([alice, bob], .ambiguous, "alice", ["bob"]),
            ([bob, alice, bob], .ambiguous, "bob", ["alice"]), ([stale, stale], .expired, "alice", []),
            ([stale, forged], .expired, "alice", []), ([alice, "opaque"], .ambiguous, "alice", []),
        ] as [([String], Facts.State, String, [String])] {
            var tap = Wiretap()
            tap.upgrade(values.map { "Authorization: Bearer \($0)" })
            for facts in entries(tap).facts {
                #expect(facts.state == state && facts.user == user && facts.rivals == rivals, "\(values) \(facts)")
            }
            #expect(entries(tap).facts.count == 2 && !entries(tap).ndjson.contains("eyJ"))
        }
    }

    @Test func withoutAContractAnOpaqueTokenIsUnknown() {
        var tap = Wiretap()
        tap.upgrade(["Authorization: Bearer opaque"])
        #expect(tap.entries().facts.map(\.state) == [.unknown, .unknown])
        var none = Wiretap()
        none.upgrade()
        #expect(none.entries().facts.map(\.state) == [.absent, .absent])
    }

    @Test func aCredentialInAMessageIsToldBehindIt() {
        var tap = Wiretap()
        tap.upgrade()
        tap.read(.toServer, Wiretap.text(#"{"type":"auth","token":"\#(token("bob"))"}"#))
        let entries = entries(tap)
        let facts = entries.facts.dropFirst(2)
        #expect(facts.map(\.user) == ["bob", "bob"])
        #expect(facts.map(\.place) == ["request auth token", "request auth token"])
        #expect(facts.allSatisfy { $0.state == .intact })
        #expect(entries.messages == [#"1 {"type":"auth","token":"‹\#(facts.last?.tag ?? "")›"}"#])
        #expect(entries.frames[0].redacted)
    }

    /// The token lies across fragments cut at every place, and across reads.
    @Test func fragmentsAreRedactedTogether() throws {
        let secret = token("alice")
        let text = #"{"a":1,"x":"\#(secret)","b":2}"#
        for cut in stride(from: 1, to: text.utf8.count - 1, by: 3) {
            var tap = Wiretap()
            tap.read(.toServer, Wiretap.text(String(text.prefix(cut)), fin: false), size: 50)
            tap.read(.toServer, Wiretap.frame(.ping, ByteBuffer(), mask: 1))
            tap.read(.toServer, Wiretap.text(String(text.dropFirst(cut)), opcode: .continuation), size: 50)
            tap.close()
            let entries = tap.entries()
            #expect(!entries.ndjson.contains("eyJ"), "cut at \(cut)")
            let data = entries.frames.filter { !$0.frame.opcode.isControl }
            let joined = data.map { String(buffer: $0.frame.payload) }.joined()
            #expect(joined == data.last?.message?.payload.map { String(buffer: $0) })
            #expect(joined.hasPrefix(#"{"a":1,"x":"‹jwt:"#) && joined.hasSuffix(#"›","b":2}"#))
            #expect(data.allSatisfy { $0.redacted })
            #expect(entries.ledger.differences == [], "wire sizes stay those of the wire")
        }
    }

    @Test func compressedSecretsGoToo() throws {
        var tap = Wiretap()
        tap.upgrade(extensions: "permessage-deflate")
        let secret = token("alice")
        let deflater = try Deflater()
        for _ in 0..<3 {
            let payload = try deflater.deflate(ByteBuffer(string: "t=\(secret)."))
            tap.read(.toServer, Wiretap.frame(.text, payload, rsv: 4, mask: 3))
        }
        let entries = tap.entries()
        #expect(entries.frames.allSatisfy { $0.redacted && $0.frame.rsv == 4 })
        #expect(Set(entries.messages.map { $0.dropFirst(2) }).count == 1, "the same tag each time")
        for frame in entries.frames { #expect(String(buffer: frame.frame.payload).hasPrefix("t=‹jwt:")) }
    }

    @Test func aTokenThatTheServerRepeatsIsKnown() {
        var tap = Wiretap()
        tap.upgrade(["Authorization: Bearer opaque-0123456789"])
        tap.read(.toClient, Wiretap.text("you sent opaque-0123456789!", mask: nil))
        tap.read(.toClient, Wiretap.frame(.close, ByteBuffer(string: "\u{3}\u{20}bad opaque-0123456789")))
        let entries = tap.entries()
        #expect(!entries.ndjson.contains("opaque-0123456789"))
        let tag = entries.facts[0].tag ?? ""
        #expect(entries.messages.first == "1 you sent ‹\(tag)›!")
    }

    @Test func bytesThatAreNoFramesKeepNoSecret() {
        var tap = Wiretap()
        let request = "GET / HTTP/1.1\r\nCookie: a=hidden-cookie\r\nAuthorization: Bearer \(token("alice"))"
        tap.piece(.toServer, .bytes(.preamble), ByteBuffer(string: request))
        tap.piece(.toServer, .bytes(.illegal), ByteBuffer(string: "rest of \(token("alice"))"))
        tap.piece(.toClient, .bytes(.opaque), ByteBuffer(string: "HTTP/1.1 200\r\nSet-Cookie: a=b\r\n"))
        tap.close()
        let entries = tap.entries()
        #expect(!entries.ndjson.contains("eyJ") && !entries.ndjson.contains("hidden-cookie"))
        #expect(String(buffer: entries.bytes[0].bytes).hasPrefix("GET / HTTP/1.1\r\nCookie: a=‹"))
        #expect(entries.bytes.dropFirst().allSatisfy { $0.bytes.readableBytes == 0 && $0.wireSize > 0 })
        #expect(entries.ledger.differences == [])
        #expect(tap.entries { $0.mode = .raw }.ndjson.contains("hidden-cookie"))
    }

    /// Canaries in every place that T34 names: none is left, in any form.
    @Test func noCanaryReachesALine() throws {
        var canaries: [String] = []
        var tap = Wiretap()
        func canary() -> String {
            let user = "canary\(canaries.count)"
            canaries.append(token(user))
            return canaries[canaries.count - 1]
        }
        tap.piece(
            .toServer, .head,
            Wiretap.head([
                "GET /ws?token=\(canary())&jwt=\(canary()) HTTP/1.1", "Authorization: Bearer \(canary())",
                "Cookie: session=\(canary())", "Sec-WebSocket-Protocol: chat, \(canary())", "X-Trace: \(canary())",
            ]))
        tap.piece(
            .toClient, .head,
            Wiretap.head([
                "HTTP/1.1 101 Switching Protocols", "Set-Cookie: s=\(canary())",
                "Sec-WebSocket-Extensions: permessage-deflate",
            ]))
        let deflater = try Deflater()
        for size in [3, 100, 1_000] {
            tap.read(.toServer, Wiretap.text(#"{"deep":{"x":["\#(canary())"]}}"#), size: size)
            tap.read(.toClient, Wiretap.frame(.binary, ByteBuffer(string: "\u{0}\(canary())\u{1}")), size: size)
            let payload = try deflater.deflate(ByteBuffer(string: canary()))
            tap.read(.toServer, Wiretap.frame(.text, payload, rsv: 4, mask: 5), size: size)
            tap.read(.toClient, Wiretap.frame(.close, ByteBuffer(string: "\u{3}\u{20}\(canary().prefix(120))")))
        }
        tap.close()
        let text = tap.entries().ndjson
        for canary in canaries {
            for form in [canary, String(canary.suffix(43)), Digest.hex(Array(canary.utf8))] {
                #expect(!text.contains(form))
            }
            var encoded = ByteBuffer()
            Base64.write(ByteBuffer(string: canary), into: &encoded)
            #expect(!text.contains(String(buffer: encoded).dropLast(4)))
        }
    }

    /// A message with more secrets than anybody cuts out one by one.
    private struct Overwhelmed: SecretFinder {
        var verificationKey: [UInt8]? { nil }
        var expectsJWT: Bool { false }
        func secrets(inRequest head: HeadView) -> [FoundSecret] { [] }
        func secrets(inResponse head: HeadView) -> [FoundSecret] { [] }
        func secrets(inMessage payload: ByteBuffer, opcode: Opcode, _ direction: Direction) -> [FoundSecret] {
            String(buffer: payload).contains("many") ? [.withheld("card", payload.readableBytes)] : []
        }
        func users(inRequest head: HeadView, credential: FoundSecret?) -> [String] { [] }
        func user(inMessage payload: ByteBuffer, credential: FoundSecret) -> String? { nil }
    }

    @Test(arguments: [RecordingHeader.Mode.redacted, .raw]) func aMessageIsWithheldWhole(mode: RecordingHeader.Mode) {
        var tap = Wiretap()
        tap.upgrade()
        tap.read(.toServer, Wiretap.text("as many as you like"))
        tap.read(.toServer, Wiretap.text("a few"))
        let entries = tap.entries {
            $0.finder = Overwhelmed()
            $0.mode = mode
        }
        #expect(entries.ndjson.contains("as many") == (mode == .raw) && entries.ndjson.contains("a few"))
        #expect(entries.ndjson.contains("withheld: more secrets") == (mode == .redacted))
    }
}
