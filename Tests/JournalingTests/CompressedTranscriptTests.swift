import Journaling
import NIOCore
import Testing
import Wire

/// permessage-deflate (RFC 7692) as the recorder sees it.
@Suite struct CompressedTranscriptTests {
    private let words = ["the quick brown fox", "the quick brown dog", "the quick brown fox again", ""]

    private func compressed(_ text: String, _ deflater: Deflater, mask: UInt32? = 7) throws -> ByteBuffer {
        Wiretap.frame(.text, try deflater.deflate(ByteBuffer(string: text)), rsv: 4, mask: mask)
    }

    @Test(arguments: [true, false]) func messagesAreInflatedWithTheirContext(takeover: Bool) throws {
        var tap = Wiretap()
        tap.upgrade(
            extensions: takeover ? "permessage-deflate" : "permessage-deflate; client_no_context_takeover")
        let deflater = try Deflater(takeover: takeover)
        for text in words { tap.read(.toServer, try compressed(text, deflater), size: 5) }
        tap.read(.toServer, Wiretap.text("plain between"))
        tap.read(.toServer, try compressed("the quick", deflater))
        let expected = words.enumerated().map { "\($0 + 1) \($1)" } + ["5 plain between", "6 the quick"]
        #expect(tap.entries().messages == expected)
    }

    @Test func fragmentsAreInflatedTogether() throws {
        var tap = Wiretap()
        tap.upgrade(extensions: "permessage-deflate")
        var data = try Deflater().deflate(ByteBuffer(string: String(repeating: "abc", count: 50)))
        tap.read(.toServer, Wiretap.frame(.text, data.readSlice(length: 4) ?? data, fin: false, rsv: 4, mask: 1))
        tap.read(.toServer, Wiretap.frame(.continuation, data, mask: 1))
        #expect(tap.entries().messages == ["1 " + String(repeating: "abc", count: 50)])
    }

    /// After a rewrite the two taps have different compression contexts, and both stay readable.
    @Test func tapsMayHaveDifferentContexts() throws {
        var tap = Wiretap()
        tap.upgrade(extensions: "permessage-deflate")
        let client = try Deflater()
        let ours = try Deflater()
        for text in words.prefix(2) {
            let frame = try compressed(text, client)
            _ = try ours.deflate(ByteBuffer(string: text))
            tap.read(.toServer, frame)
        }
        let first = tap.piece(.toServer, .frame, try compressed(words[2], client), leaves: false)
        tap.piece(
            .toServer, .frame, try compressed("the quick brown rewrite", ours), arrives: false,
            Provenance(source: first, faults: ["f1"]))
        let second = tap.piece(.toServer, .frame, try compressed(words[0], client), leaves: false)
        tap.value(.recoded(Recoded(on: second, reason: "an earlier message was changed")))
        tap.piece(.toServer, .frame, try compressed(words[0], ours), arrives: false, Provenance(source: second))
        tap.close()
        let entries = tap.entries()
        #expect(
            entries.messages == [
                "1 \(words[0])", "2 \(words[1])", "3 \(words[2])", "3 the quick brown rewrite", "4 \(words[0])",
                "4 \(words[0])",
            ])
        #expect(entries.ledger.differences == [])
    }

    @Test func aBrokenStreamIsSaidAndLosesWhatIsBehindIt() throws {
        var tap = Wiretap()
        tap.upgrade(extensions: "permessage-deflate")
        let deflater = try Deflater()
        tap.read(.toServer, Wiretap.frame(.text, ByteBuffer(bytes: [0xff, 0xff, 0xff]), rsv: 4, mask: 1))
        tap.read(.toServer, try compressed("later", deflater))
        tap.read(.toServer, Wiretap.text("plain"))
        let entries = tap.entries()
        #expect(entries.frames.map { $0.message?.payload == nil } == [true, true, false])
        #expect(entries.frames.allSatisfy { $0.message?.unlifted != nil || $0.message?.payload != nil })
        #expect(entries.frames.map(\.redacted) == [true, true, false], "what cannot be searched is not kept")
    }

    @Test(arguments: [(9_999, false), (10_000, true), (10_001, true)]) func aBombStopsAtTheLimit(limit: Int, isLifted: Bool) throws {
        var tap = Wiretap()
        tap.upgrade(extensions: "permessage-deflate")
        tap.read(.toServer, try compressed(String(repeating: "0", count: 10_000), Deflater()))
        let entries = tap.entries { $0.limits.messageBytes = limit }
        #expect((entries.frames.last?.message?.payload != nil) == isLifted)
        #expect(entries.limits.map(\.id) == (isLifted ? [] : ["L4"]))
    }

    @Test func contextsAreCountedAndGivenBack() throws {
        var transcriber: Transcriber.Configuration = .init(redactionKey: [1], epochSeconds: 0)
        transcriber.limits.inflateContexts = 1
        var value = Transcriber(transcriber)
        var entries: [Entry] = []
        for (session, closes) in [(UInt32(1), true), (2, false), (3, true)] {
            var tap = Wiretap(session)
            tap.upgrade(extensions: "permessage-deflate")
            tap.read(.toServer, try compressed("hello", Deflater()))
            if closes { tap.close() }
            for raw in tap.raw { value.transcribe(raw, loop: 0, into: &entries) }
        }
        #expect(entries.messages.prefix(2) == ["1 hello", "1 hello"], "the first gave its context back")
        #expect(entries.frames.last?.message?.unlifted?.contains("inflate contexts") == true)
        #expect(entries.limits.map(\.id) == ["L5"])
    }

    @Test func anUnknownExtensionLeavesItsFramesAlone() {
        var tap = Wiretap()
        tap.upgrade(extensions: "x-mystery")
        tap.read(.toServer, Wiretap.frame(.text, ByteBuffer(string: "?"), rsv: 2, mask: 1))
        tap.read(.toServer, Wiretap.text("plain"))
        let entries = tap.entries()
        #expect(entries.frames.map { $0.message?.payload == nil } == [true, false])
    }
}
