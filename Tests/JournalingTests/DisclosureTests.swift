import NIOCore
import Testing
import Wire

@testable import Journaling

/// Credentials in what the server says: told as facts, live and from disk, redacted and raw alike.
@Suite struct DisclosureTests {
    private static let opaque = "sk-9f86d081884c7d659a2feaa0c55ad015"
    private static func token(_ user: String) -> String { JWT.sign(["sub": .string(user)], key: Array("k".utf8)) }

    private func told(
        _ credential: String = token("alice"), _ mode: RecordingHeader.Mode = .redacted, _ tell: (inout Wiretap) -> Void
    ) -> [Entry] {
        var tap = Wiretap()
        tap.upgrade(["Authorization: Bearer \(credential)"])
        tell(&tap)
        return tap.entries {
            $0.finder = RedactionTests.Finder(expectsJWT: false)
            $0.mode = mode
        }
    }

    private func disclosures(_ entries: [Entry]) -> [Facts] { entries.facts.filter { $0.tap == .serverIn } }

    private static func says(_ text: String) -> (inout Wiretap) -> Void {
        { $0.read(.toClient, Wiretap.text(text, mask: nil)) }
    }

    /// Each form, of each kind of credential, in each mode.
    @Test(arguments: [RecordingHeader.Mode.redacted, .raw, .meta]) func everyForm(mode: RecordingHeader.Mode) throws {
        for credential in [Self.token("alice"), Self.opaque, Self.opaque + "+/=?x"] {
            let percent = credential.utf8.map { byte in
                byte == 0x2b || byte == 0x2f || byte == 0x3d || byte == 0x3f
                    ? "%" + Digest.hex([byte]).uppercased() : String(decoding: [byte], as: UTF8.self)
            }.joined()
            var texts = [credential, "x=\(credential)&y", percent, percent.lowercased() == percent ? percent : "a \(percent)"]
            for before in ["", "a", "ab", "token="] {
                let url = Base64URL.encode(Array((before + credential + "?").utf8))
                texts += [url, String(url.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })]
            }
            for text in texts {
                let entries = told(credential, mode, Self.says(#"{"type":"error","message":"\#(text)"}"#))
                let found = try #require(disclosures(entries).first, "\(text)")
                #expect(disclosures(entries).count == 1 && found.place == "a message" && found.isSecret && found.user == nil)
                let own = entries.facts.first { $0.tap == .serverOut }
                #expect(own?.isSecret == true)
                if mode != .raw {
                    #expect(found.tag == own?.tag && found.tag != nil)
                    #expect(!entries.ndjson.contains(text.suffix(24)), "and nobody reads it")
                    #expect(entries.messages.last?.contains("‹\(found.tag ?? "?")›") == true)
                }
                #expect(!entries.facts.contains { $0.tag?.contains(credential) == true })
            }
        }
    }

    @Test func elsewhereThanInMessages() {
        let token = Self.token("alice")
        var body = ByteBuffer()
        body.writeInteger(UInt16(1008))
        body.writeString("bad \(Self.opaque)")
        let close = told(Self.opaque) { $0.read(.toClient, Wiretap.frame(.close, body)) }
        #expect(disclosures(close).map(\.place) == ["a close reason"])
        var refused = Wiretap()
        refused.piece(.toServer, .head, Wiretap.head(["GET /ws HTTP/1.1", "Authorization: Bearer \(token)"]))
        refused.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 401 No", "X-Reason: \(token)", "Content-Length: 9"]))
        refused.value(.became(.refused(status: 401)))
        refused.piece(.toClient, .bytes(.opaque), ByteBuffer(string: #"{"error":"\#(token)"}"#))
        let entries = refused.entries { $0.finder = RedactionTests.Finder(expectsJWT: false) }
        #expect(disclosures(entries).map(\.place) == ["the head of an answer", "an error page"])
        #expect(!entries.ndjson.contains("eyJ"))
    }

    /// Fragments, and deflate, hide nothing.
    @Test func acrossFragments() {
        let text = #"{"type":"error","message":"\#(Self.opaque)"}"#
        let entries = told(Self.opaque) { tap in
            tap.read(.toClient, Wiretap.text(String(text.prefix(40)), fin: false, mask: nil))
            tap.read(.toClient, Wiretap.text(String(text.dropFirst(40)), opcode: .continuation, mask: nil))
        }
        #expect(disclosures(entries).count == 1)
        #expect(!entries.ndjson.contains(Self.opaque.suffix(12)))
    }

    /// Another user's connection: no session knows the secrets of another, the recorder knows them all.
    @Test func toSomebodyElse() {
        var alice = Wiretap(1)
        alice.upgrade(["Authorization: Bearer \(Self.opaque)"])
        var bob = Wiretap(2)
        bob.now = 2_000
        bob.upgrade(["Authorization: Bearer \(Self.token("bob"))"])
        bob.read(.toClient, Wiretap.text("have \(Self.opaque)", mask: nil))
        var assembler = JournalAssembler(
            loops: 1, .init(finder: RedactionTests.Finder(expectsJWT: false), redactionKey: Array(0..<32), epochSeconds: 1_000))
        assembler.push(alice.raw + bob.raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        let found = disclosures(entries)
        #expect(found.count == 1 && found.first?.tag == entries.facts.first?.tag)
        let told = entries.first { if case .facts(let facts) = $0.body { facts.tap == .serverIn } else { false } }
        #expect(told?.session == SessionID(2))
        #expect(!entries.ndjson.contains(Self.opaque))
    }

    /// What a healthy server may say.
    @Test func notADisclosure() {
        let token = Self.token("alice")
        // The protocol chosen may have borne it, a cookie renews it, a redirect repeats where somebody asked.
        for field in [
            "Sec-WebSocket-Protocol: token.\(token)", "Set-Cookie: token=\(token)", "Location: /ws/?token=\(token)",
        ] {
            var tap = Wiretap()
            tap.piece(.toServer, .head, Wiretap.head(["GET /ws HTTP/1.1", "Authorization: Bearer \(token)"]))
            tap.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 302 No", field]))
            #expect(disclosures(tap.entries { $0.finder = RedactionTests.Finder(expectsJWT: false) }).isEmpty, "\(field)")
        }
        // Handed out where the contract says so.
        #expect(disclosures(told { Self.says(#"{"type":"session","token":"\#(token)"}"#)(&$0) }).isEmpty)
        // Said as content before, by whomever.
        let echo = told { tap in
            tap.read(.toServer, Wiretap.text("say \(token)"))
            tap.read(.toClient, Wiretap.text("you said: \(token)", mask: nil))
        }
        #expect(disclosures(echo).isEmpty)
        // A fault of ours put it there: the server never said it.
        let ours = told { tap in
            tap.piece(
                .toClient, .frame, Wiretap.text("have \(token)", mask: nil), arrives: false,
                Provenance(source: nil, faults: ["f1"]))
        }
        #expect(disclosures(ours).isEmpty)
        // Another token, and a part of this one.
        #expect(disclosures(told { Self.says("\(Self.token("bob")) \(token.prefix(30))")(&$0) }).isEmpty)
    }

    /// Names, words, short ones: anybody may say them.
    @Test(arguments: ["short-1234567", "alice.smith@example.com", "administrator-token", "aaaaaaaa11111111"])
    func nothingThatIsSaidByChance(credential: String) {
        let entries = told(credential, .raw, Self.says(#"{"type":"hello","user":"\#(credential)"}"#))
        #expect(disclosures(entries).isEmpty && !entries.facts.contains(where: \.isSecret))
    }

    @Test func nobodysOwnName() {
        #expect(!SecretForms.isUnguessable("user-4711-0815-abcdef", users: ["user-4711-0815-abcdef"]))
        #expect(!SecretForms.isUnguessable("user-4711-0815-abcdef", users: ["4711-0815"]))
        #expect(SecretForms.isUnguessable("9f86d081884c7d65", users: ["alice"]))
    }

    // MARK: The index

    @Test(arguments: 1...40 as ClosedRange<UInt64>) func findsEverySecretAnywhere(seed: UInt64) {
        var dice = Dice(DiceKey(seed: seed, profile: "index", user: "", connection: 0), direction: nil, message: 0, fault: "")
        let digits = Array("abcdefghijklmnopqrstuvwxyz0123456789-_/+=.".utf8)
        func text(_ count: Int) -> [UInt8] { (0..<count).map { _ in digits[dice.below(digits.count)] } }
        var index = SecretIndex()
        let secrets = (0..<(1 + dice.below(60))).map { _ in Array("same-beginning-".utf8.prefix(dice.below(16))) + text(16 + dice.below(60)) }
        for secret in secrets { index.remember(secret) }
        for secret in secrets {
            for form in SecretForms.all(of: secret) {
                let before = text(dice.below(40))
                let bytes = before + form + text(dice.below(40))
                let hits = index.hits(in: bytes)
                #expect(hits.contains { $0.secret == secret && $0.range == before.count..<(before.count + form.count) })
                #expect(hits.allSatisfy { hit in SecretForms.all(of: hit.secret).contains(Array(bytes[hit.range])) })
            }
        }
        #expect(index.hits(in: text(2_000)).isEmpty)
    }

    @Test func forgetsTheOldest() {
        var index = SecretIndex()
        let secrets = (0..<3_000).map { Digest.hex(Digest.sha256(Array("\($0)".utf8))) }
        for secret in secrets { index.remember(Array(secret.utf8)) }
        #expect(!index.hits(in: Array(secrets[2_999].utf8)).isEmpty)
        #expect(index.hits(in: Array(secrets[0].utf8)).isEmpty, "bounded")
    }

    @Test func takesNoMoreThanItsShare() {
        var index = SecretIndex()
        func secret(_ number: Int, _ length: Int) -> [UInt8] {
            Array(String(repeating: Digest.hex(Digest.sha256(Array("\(number)".utf8))), count: length / 64 + 1).utf8.prefix(length))
        }
        for number in 0..<600 {
            index.remember(secret(number, 4_000))
            #expect(index.bytes <= SecretIndex.mostBytes + 100_000, "bounded")
        }
        #expect(!index.hits(in: secret(599, 4_000)).isEmpty && index.hits(in: secret(0, 4_000)).isEmpty)
        let before = index.bytes
        index.remember(secret(1_000, 5_000))
        #expect(index.bytes == before)
    }

    /// It is hidden where it stands, and the session that bore it knows it.
    @Test func aLongOneIsHiddenAllTheSame() {
        let long = "sk-" + (0..<100).map { Digest.hex(Digest.sha256([UInt8($0)])) }.joined()
        let entries = told(long, .redacted) { tap in
            tap.read(.toServer, Wiretap.text(#"{"type":"auth","token":"\#(long)"}"#))
            tap.read(.toClient, Wiretap.text("have \(long)", mask: nil))
        }
        #expect(!entries.ndjson.contains(long.suffix(20)) && disclosures(entries).isEmpty)
    }

    /// Nothing that a peer can say takes longer than its bytes are worth.
    @Test(.timeLimit(.minutes(2))) func manyHitsAreCheap() {
        var index = SecretIndex()
        // They end alike, as only an attacker's do.
        for number in 0..<1_000 { index.remember(Array("a1b2c3d4e5\(number)-the-very-same-end0".utf8)) }
        let known = "a1b2c3d4e5999-the-very-same-end0"
        let bytes = Array(String(repeating: known + " ", count: 60_000).utf8)
        #expect(index.hits(in: bytes).count == 60_000)
    }

    // MARK: What is no secret, whoever brings it as one

    private static let thread = "thread_websocket_factory_1757371363786_274_898638db"

    /// Two sessions: what the first one says, and what comes of the second.
    private func told(
        _ says: (inout Wiretap) -> Void, then bring: (inout Wiretap) -> Void, _ finder: RedactionTests.Finder = .init(expectsJWT: false)
    ) -> [Entry] {
        var first = Wiretap(1)
        first.upgrade(["Authorization: Bearer \(Self.token("alice"))"])
        says(&first)
        var second = Wiretap(2)
        second.now = first.now + 1_000
        bring(&second)
        var assembler = JournalAssembler(loops: 1, .init(finder: finder, redactionKey: Array(0..<32), epochSeconds: 1_000))
        assembler.push(first.raw + second.raw, loop: 0)
        assembler.finish(loop: 0)
        var entries: [Entry] = []
        assembler.drain(into: &entries)
        return entries
    }

    /// Its echo and its history are a healthy server's, and nobody's entries miss it.
    @Test(arguments: [Direction.toServer, .toClient]) func whatWasSaidBeforeItWasBrought(by direction: Direction) {
        for word in [Self.opaque, Self.thread, "550e8400-e29b-41d4-a716-446655440000"] {
            let entries = told {
                $0.read(direction, Wiretap.text(#"{"type":"x","id":"\#(word)"}"#, mask: direction == .toServer ? 7 : nil))
            } then: { tap in
                tap.upgrade()
                tap.read(.toServer, Wiretap.text(#"{"type":"auth","token":"\#(word)"}"#))
                tap.read(.toClient, Wiretap.text("history: \(word)", mask: nil))
            }
            #expect(disclosures(entries).isEmpty, "\(word)")
            #expect(entries.messages.last?.hasSuffix("history: \(word)") == true && entries.messages.contains { $0.contains(#""token":"‹secret:"#) })
        }
    }

    /// Of a path as well.
    @Test func whatAPathSays() {
        let entries = told { _ in } then: { tap in
            tap.piece(.toServer, .head, Wiretap.head(["GET /threads/\(Self.thread) HTTP/1.1", "Authorization: Bearer \(Self.thread)"]))
            tap.piece(.toClient, .head, Wiretap.head(["HTTP/1.1 400 No", "X-Reason: \(Self.thread)"]))
        }
        #expect(disclosures(entries).isEmpty)
    }

    /// What a fault made of a credential, and what is none where tokens are due.
    @Test func whatIsNobodysCredential() {
        func entries(_ finder: RedactionTests.Finder, _ provenance: Provenance) -> [Entry] {
            told({ _ in }, then: { tap in
                tap.upgrade()
                tap.piece(
                    .toServer, .frame, Wiretap.text(#"{"type":"auth","token":"\#(Self.opaque)"}"#), arrives: provenance.faults.isEmpty, provenance)
                tap.piece(.toClient, .frame, Wiretap.text("bad token \(Self.opaque)", mask: nil))
            }, finder)
        }
        #expect(disclosures(entries(.init(expectsJWT: false), .none)).count == 1, "else it is told")
        #expect(disclosures(entries(.init(expectsJWT: false), Provenance(source: nil, faults: ["f1"]))).isEmpty)
        #expect(disclosures(entries(.init(expectsJWT: true), .none)).isEmpty)
    }

    @Test func wordsAreKeptWithinBounds() {
        var said = SaidWords()
        #expect(!said.holds("a1b2c3".utf8))
        said.add("x a1b2c3-d4e5f6 hello 12345".utf8, besides: [9..<15])
        #expect(said.holds("a1b2c3".utf8) && !said.holds("a1b2c3-d4e5f6".utf8) && !said.holds("hello".utf8) && !said.holds("12345".utf8))
        for number in 1_000_000..<1_060_000 { said.add("\(number)".utf8) }
        #expect(said.holds("a1b2c3".utf8) && said.holds("1000000-1059999".utf8) && !said.holds("1060000".utf8))
        for number in 3_000_000..<3_200_000 { said.add("\(number)".utf8) }
        #expect(!said.holds("a1b2c3".utf8) && !said.holds("1000000".utf8) && said.holds("3199999".utf8))
    }
}
