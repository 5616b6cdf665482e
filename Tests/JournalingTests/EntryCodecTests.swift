import NIOCore
import Testing
import Wire

@testable import Journaling

@Suite struct EntryCodecTests {
    private func line(_ entry: Entry) -> ByteBuffer {
        var buffer = ByteBuffer()
        EntryCodec.encode(entry, into: &buffer)
        return buffer
    }

    private func text(_ entry: Entry) -> String { String(buffer: line(entry)) }

    private func decode(_ text: String) throws -> EntryCodec.Line {
        try EntryCodec.decode(ByteBuffer(string: text), place: "rec/0001.ndjson:7")
    }

    @Test(arguments: 0..<EntryGenerator.cases) func readsBackWhatItWrote(kind: Int) throws {
        var generator = EntryGenerator(UInt64(kind) + 1)
        for _ in 0..<150 {
            let entry = generator.entry(kind)
            var written = line(entry)
            let whole = written.readableBytes
            let content = written.readSlice(length: whole - 1) ?? ByteBuffer()
            #expect(!content.readableBytesView.contains(0x0a), "one line an entry")
            #expect(try EntryCodec.decode(content, place: "x") == .entry(entry))
        }
    }

    /// Two ways lead through a line (`LineFields`): the quick one is enough for what we write, and says what the other says.
    @Test(arguments: 0..<EntryGenerator.cases) func linesAreReadInOrder(kind: Int) throws {
        var generator = EntryGenerator(UInt64(kind) + 500)
        var survivors = 0
        for _ in 0..<60 {
            let entry = generator.entry(kind)
            let written = ByteBuffer(bytes: line(entry).readableBytesView.dropLast())
            #expect(EntryCodec.inOrder(written, place: "x") == .entry(entry))
            #expect(try EntryCodec.byName(written, place: "x") == .entry(entry))
            for _ in 0..<40 {
                var bytes = Array(written.readableBytesView)
                let index = generator.dice.below(bytes.count)
                switch generator.dice.below(4) {
                case 0: bytes.remove(at: index)
                case 1: bytes.insert(generator.pick(Array(#"{}[]",:0\ "#.utf8)), at: index)
                case 2: bytes.append(contentsOf: bytes[index...])
                default: bytes[index] = generator.pick([0x30, 0x22, 0x5c, 0x2c, 0x7d, 0x61, 0xc3, 0x00])
                }
                guard let read = EntryCodec.inOrder(ByteBuffer(bytes: bytes), place: "x") else { continue }
                survivors += 1
                #expect(try EntryCodec.byName(ByteBuffer(bytes: bytes), place: "x") == read)
            }
        }
        #expect(survivors > 20, "what is still a line is compared")
    }

    @Test func fieldsMayStandInAnyOrder() throws {
        var generator = EntryGenerator(11)
        for kind in 0..<EntryGenerator.cases {
            let entry = generator.entry(kind)
            let members = try #require(try JSON.parse(text(entry)).object)
            let turned = JSON.object(members.reversed()).buffer
            #expect(EntryCodec.inOrder(turned, place: "x") == nil)
            #expect(try EntryCodec.decode(turned, place: "x") == .entry(entry))
        }
    }

    @Test func aFrameReadsLikeThis() {
        let frame = Frame(opcode: .text, maskKey: 0x37fa_213d, payload: ByteBuffer(string: #"{"type":"ping"}"#))
        let record = FrameRecord(
            passage: Passage(.toServer, in: Instant(nanoseconds: 5), out: Instant(nanoseconds: 9)), frame: frame,
            message: MessageRecord(opcode: .text, payload: frame.payload, ordinal: 2), read: 3)
        let entry = Entry(
            number: 4414, instant: Instant(nanoseconds: 9), loop: 0, sequence: 77,
            ref: EntryRef(session: SessionID(31), ordinal: 12), body: .frame(record))
        #expect(
            text(entry)
                == #"{"n":4414,"t":9,"seq":77,"ref":"s31.12","kind":"frame","dir":"toServer","in":5,"out":9,"first":129,"#
                + #""len":15,"mask":"37fa213d","text":"{\"type\":\"ping\"}","msg":{"n":2,"op":1,"same":true},"read":3}"#
                + "\n")
    }

    @Test func nothingThatMovesATerminalStandsInALine() {
        let note = "\u{1b}[2J\u{9b}1m\u{202e}abc\u{7f}\u{2028}\u{feff}\u{200b}"
        let entry = Entry(instant: .zero, loop: 0, sequence: 0, ref: nil, body: .note(note))
        let scalars = text(entry).dropLast().unicodeScalars
        #expect(scalars.allSatisfy { (0x20..<0x7f).contains($0.value) })
        #expect(text(entry).contains(#"\u001b[2J\u009b1m\u202eabc\u007f\u2028\ufeff\u200b"#))
    }

    @Test func headersAndEndsReadBack() throws {
        let header = RecordingHeader(
            program: "0.1.0", segment: 3, started: "2026-09-21T14:02:16.014Z", seed: .max, mode: .raw,
            profile: .init(name: "crossed", hash: "9be012", text: "faults:\n  - \"x\"\t\u{0}"),
            contract: .init(name: "echo", hash: "0", text: "a: ‹b›\r\n"), upstream: "ws://h:1/ws", purpose: "test",
            users: ["alice", "b*"], isImported: true, redactions: 5)
        var buffer = ByteBuffer()
        EntryCodec.encode(header, into: &buffer)
        EntryCodec.encode(RecordingEnd(entries: .max, redactions: 2), into: &buffer)
        let lines = String(buffer: buffer).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(try decode(String(lines[0])) == .header(header))
        #expect(EntryCodec.inOrder(ByteBuffer(substring: lines[0]), place: "x") == .header(header))
        #expect(EntryCodec.inOrder(ByteBuffer(substring: lines[1]), place: "x") == .end(RecordingEnd(entries: .max, redactions: 2)))
        #expect(try decode(String(lines[1])) == .end(RecordingEnd(entries: .max, redactions: 2)))
    }

    @Test(arguments: [
        (#"{"n":1,"t":0,"seq":0,"kind":"tick","extra":1}"#, #"unknown field "extra""#),
        (#"{"n":1,"t":0,"seq":0,"kind":"tock"}"#, #"field "kind" is wrong"#),
        (#"{"n":1,"t":0,"seq":0}"#, #"field "kind" is missing"#),
        (#"{"n":-1,"t":0,"seq":0,"kind":"tick"}"#, #"field "n" is wrong"#),
        (#"{"n":1,"t":9223372036854775808,"seq":0,"kind":"tick"}"#, #"field "t" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"ref":"31.2","kind":"tick"}"#, #"field "ref" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"frame","dir":"up","first":1,"len":0}"#, #"field "dir" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"frame","dir":"toServer","first":256,"len":0}"#, #"field "first" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"frame","dir":"toServer","first":1,"len":0,"form":8}"#, #"field "form" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"frame","dir":"toServer","first":1,"len":0,"mask":"12"}"#, #"field "mask" is wrong"#),
        (#"{"n":1,"t":0,"seq":0,"kind":"bytes","of":"opaque","dir":"toServer","b64":"a"}"#, #"field "b64" is wrong"#),
        (#"{"miswire-recording":2,"program":"9"}"#, "the recording is of another version"),
        (#"[1]"#, "the line is no entry"),
        (#"{"n":1,"t":0"#, "the line is no JSON"),
        ("", "the line is no JSON"),
    ])
    func aBrokenLineIsATypedError(line: String, sentence: String) {
        let error = #expect(throws: RecordingError.self) { try decode(line) }
        #expect(error?.place == "rec/0001.ndjson:7")
        #expect(error?.sentence.hasPrefix(sentence) == true, "\(error?.description ?? "no error")")
        #expect(error?.expected.isEmpty == false && error?.found.isEmpty == false && error?.remedy.isEmpty == false)
    }

    @Test func everyCutOfALineIsAnError() {
        var generator = EntryGenerator(99)
        for kind in 0..<EntryGenerator.cases {
            let whole = String(text(generator.entry(kind)).dropLast())
            for length in 0..<whole.utf8.count {
                let cut = ByteBuffer(bytes: whole.utf8.prefix(length))
                #expect(throws: RecordingError.self) { try EntryCodec.decode(cut, place: "x") }
            }
        }
    }

    @Test func base64RefusesWhatItNeverWrites() {
        for text in ["QQ", "QQ=", "Q===", "QR==", "QUJ=", "Q Q=", "Q-==", "=QQ="] { #expect(Base64.decode(text) == nil, "\(text)") }
        #expect(Base64.decode("QUI=") == ByteBuffer(string: "AB"))
        #expect(Base64.decode("") == ByteBuffer())
    }

    @Test func metaRecordingsHoldNoContent() {
        var generator = EntryGenerator(4)
        for kind in [1, 6, 7] {
            for _ in 0..<50 {
                let bare = generator.entry(kind).withoutContent
                // Of a Close frame the code is kept.
                if case .frame(let record) = bare.body, record.frame.opcode == .close {
                    #expect(record.frame.payload.readableBytes <= 2)
                    continue
                }
                let text = text(bare)
                #expect(!text.contains(#""text":"#) && !text.contains(#""b64":"#))
            }
        }
    }
}
