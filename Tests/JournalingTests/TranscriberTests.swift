import Journaling
import NIOCore
import Testing
import Wire

@Suite struct TranscriberTests {
    /// Three messages, one of them fragmented around a ping, one empty.
    private func stream(mask: UInt32? = 0x0102_0304) -> ByteBuffer {
        var bytes = Wiretap.text("one", mask: mask)
        for part in [
            Wiretap.text("tw", fin: false, mask: mask), Wiretap.frame(.ping, ByteBuffer(string: "p"), mask: mask),
            Wiretap.text("", fin: false, opcode: .continuation, mask: mask),
            Wiretap.text("o", opcode: .continuation, mask: mask), Wiretap.text("", mask: mask),
            Wiretap.text(String(repeating: "x", count: 300), mask: mask),
        ] { bytes.writeImmutableBuffer(part) }
        return bytes
    }

    @Test(arguments: [1, 2, 3, 5, 7, 11, 64, 1_000]) func framesComeOutHoweverTheReadsAreCut(size: Int) {
        for direction in Direction.allCases {
            var tap = Wiretap()
            tap.upgrade()
            tap.read(direction, stream(mask: direction == .toServer ? 0x0102_0304 : nil), size: size)
            tap.close()
            let entries = tap.entries()
            #expect(
                entries.messages == ["1 one", "0 p", "2 two", "3 ", "4 " + String(repeating: "x", count: 300)])
            let ordinals = entries.compactMap { if case .frame = $0.body { $0.ref?.ordinal } else { nil } }
            #expect(ordinals.sorted() == Array(3...9), "each frame has the next ordinal, by where it ends")
            #expect(entries.ledger.differences == [])
            #expect(entries.map(\.number) == Array(1...UInt64(entries.count)))
            #expect(zip(entries, entries.dropFirst()).allSatisfy { $0.instant <= $1.instant && $0.sequence < $1.sequence })
        }
    }

    @Test func everySplitOfOneReadGivesTheSameMessages() {
        let bytes = stream()
        for split in 1..<bytes.readableBytes {
            var tap = Wiretap()
            tap.read(.toServer, bytes.getSlice(at: 0, length: split) ?? ByteBuffer())
            tap.read(.toServer, bytes.getSlice(at: split, length: bytes.readableBytes - split) ?? ByteBuffer())
            #expect(tap.entries().messages.count == 5, "split at \(split)")
        }
    }

    @Test func framesOfOneReadShareItsNumber() {
        var tap = Wiretap()
        var two = Wiretap.text("a")
        two.writeImmutableBuffer(Wiretap.text("b"))
        tap.read(.toServer, two)
        tap.read(.toServer, Wiretap.text("c"))
        tap.read(.toClient, Wiretap.text("d", mask: nil))
        tap.piece(.toServer, .frame, Wiretap.text("e"))
        #expect(tap.entries().frames.map(\.read) == [1, 1, 2, 1, 3])
    }

    @Test func aFrameKeepsItsFormAndItsWireSize() throws {
        var tap = Wiretap()
        var odd = ByteBuffer(bytes: [0xc2, 0xff, 0, 0, 0, 0, 0, 0, 0, 2, 9, 8, 7, 6])
        odd.writeBytes([9 ^ 0x61, 8 ^ 0x62])
        tap.read(.toServer, odd)
        let frame = try #require(tap.entries().frames.first)
        #expect(frame.frame.lengthForm == .sixtyFour && frame.frame.firstByte == 0xc2)
        #expect(frame.frame.maskKey == 0x0908_0706)
        #expect(String(buffer: frame.frame.payload) == "ab")
        #expect(frame.wireSize == 16)
        #expect(FrameWriter.bytes(frame.frame) == odd)
    }

    @Test func fragmentsOfAMessageThatNeverEndsComeOutAtTheEnd() {
        var tap = Wiretap()
        tap.read(.toServer, Wiretap.text("secret half", fin: false))
        tap.read(.toServer, Wiretap.text("cut").getSlice(at: 0, length: 5) ?? ByteBuffer())
        tap.value(.ended(EndRecord(side: .client, style: .reset, by: .peer)))
        tap.close()
        let entries = tap.entries()
        #expect(entries.frames.map(\.redacted) == [true])
        #expect(entries.bytes.map(\.kind) == [.partial])
        #expect(entries.ledger.differences == [])
        #expect(!entries.ndjson.contains("secret half"))
        #expect(tap.entries { $0.mode = .raw }.ndjson.contains("secret half"))
    }

    /// A half-close of ours ends one direction of the transport; what the peer still says in the other stays whole.
    @Test func framesGoOnBehindAHalfCloseOfOurs() {
        var tap = Wiretap()
        tap.upgrade()
        let frame = Wiretap.text("0123456789", mask: nil)
        tap.value(.ended(EndRecord(side: .server, style: .finish, by: .fault)))
        tap.read(.toClient, frame.getSlice(at: 0, length: 5) ?? ByteBuffer())
        tap.value(.ended(EndRecord(side: .server, style: .finish, by: .fault)))
        tap.read(.toClient, frame.getSlice(at: 5, length: 7) ?? ByteBuffer())
        tap.close()
        let entries = tap.entries()
        #expect(entries.frames.map(\.wireSize) == [12])
        #expect(entries.bytes.isEmpty && entries.ledger.differences == [])
    }

    /// The client goes while a long frame passes; what still comes of the frame stays, whether it ends or not.
    @Test(arguments: [9, 12]) func aFrameOfWhichOnlyTheBeginningLeft(size: Int) {
        var tap = Wiretap()
        tap.upgrade()
        let frame = Wiretap.text("0123456789", mask: nil)
        tap.read(.toClient, frame.getSlice(at: 0, length: 5) ?? ByteBuffer())
        tap.value(.ended(EndRecord(side: .client, style: .reset, by: .peer)))
        let rest = frame.getSlice(at: 5, length: size - 5) ?? ByteBuffer()
        tap.piece(.toClient, .bytes(.oversize), rest, leaves: false)
        tap.close()
        let entries = tap.entries()
        #expect(entries.ledger.differences == [])
        #expect(entries.frames.map(\.wireSize) == (size == 12 ? [12] : []))
    }

    @Test(arguments: [9, 10, 11]) func aMessageOverTheLimitIsNotLifted(limit: Int) {
        for fragments in [false, true] {
            var tap = Wiretap()
            if fragments {
                tap.read(.toServer, Wiretap.text("01234", fin: false))
                tap.read(.toServer, Wiretap.text("56789", opcode: .continuation), size: 3)
            } else {
                tap.read(.toServer, Wiretap.text("0123456789"), size: 4)
            }
            tap.read(.toServer, Wiretap.text("next"))
            tap.close()
            let entries = tap.entries { $0.limits.messageBytes = limit }
            let expected = limit < 10 ? "1 – more than 9 bytes" : "1 0123456789"
            #expect(entries.messages == [expected, "2 next"])
            #expect(entries.limits.map(\.id) == (limit < 10 ? ["L4"] : []))
            #expect(entries.ledger.differences == [])
        }
    }

    @Test func tooManyFragmentsAreNotLifted() {
        for (limit, isLifted) in [(3, false), (4, true), (5, true)] {
            var tap = Wiretap()
            for index in 0..<4 {
                tap.read(.toServer, Wiretap.text("\(index)", fin: index == 3, opcode: index == 0 ? .text : .continuation))
            }
            #expect(
                tap.entries { $0.limits.messageFragments = limit }.messages
                    == [isLifted ? "1 0123" : "1 – more than 3 fragments"])
        }
    }

    @Test func framesThatPassInPiecesCountOnce() {
        var tap = Wiretap()
        let frame = Wiretap.text("0123456789")
        var rest = frame
        while let part = rest.readSlice(length: min(3, max(1, rest.readableBytes))) { tap.piece(.toServer, .bytes(.oversize), part) }
        tap.read(.toServer, Wiretap.text("next"))
        tap.close()
        let entries = tap.entries { $0.limits.messageBytes = 4 }
        #expect(entries.messages == ["1 – more than 4 bytes", "2 next"])
        #expect(entries.frames.first?.wireSize == UInt64(frame.readableBytes))
        #expect(entries.ledger.differences == [])
    }

    @Test func whatLeavesChangedBearsTheNumberOfWhatArrived() {
        var tap = Wiretap()
        tap.read(.toServer, Wiretap.text("first"))
        let source = tap.piece(.toServer, .frame, Wiretap.text("second"), leaves: false)
        tap.read(.toServer, Wiretap.text("third"))
        tap.piece(
            .toServer, .frame, Wiretap.text("2nd"), arrives: false, Provenance(source: source, faults: ["f1"]))
        let foreign = EntryRef(session: SessionID(9), ordinal: source.ordinal)
        tap.piece(
            .toServer, .frame, Wiretap.text("crossed"), arrives: false, Provenance(source: foreign, faults: ["f2"]))
        #expect(tap.entries().messages == ["1 first", "2 second", "3 third", "2 2nd", "0 crossed"])
    }

    @Test func valuesPassAndTheirSentencesLoseTokens() {
        var tap = Wiretap()
        let token = JWT.sign(.object([]), key: [1])
        tap.value(.note("target was /ws?x=\(token)"))
        tap.value(.became(.opaque("GET \(token)")))
        tap.value(.tick(crowded: 0))
        let entries = tap.entries()
        #expect(!entries.ndjson.contains(token) && entries.ndjson.contains("‹jwt:"))
        #expect(entries.last?.ref == nil)
    }

    @Test func aSessionIsForgottenWhenItCloses() {
        var transcriber = Transcriber(.init(redactionKey: [1], epochSeconds: 0))
        var entries: [Entry] = []
        for session in 1...50 {
            var tap = Wiretap(UInt32(session))
            tap.read(.toServer, Wiretap.text("x"))
            tap.close()
            for raw in tap.raw { transcriber.transcribe(raw, loop: 0, into: &entries) }
        }
        #expect(transcriber.openSessions == 0)
        #expect(entries.messages.count == 50)
    }

    /// Whatever the data path hands over, lies about ends included, nothing traps.
    @Test func oddRawEntriesAreHandled() {
        var generator = EntryGenerator(3)
        for _ in 0..<300 {
            var transcriber = Transcriber(.init(redactionKey: [1], epochSeconds: .max))
            var entries: [Entry] = []
            for _ in 0..<12 {
                let bytes = generator.bytes()
                let direction = generator.pick(Direction.allCases)
                let pieces: [RawEntry.Piece] = [.head, .frame] + BytesRecord.Kind.allCases.map { .bytes($0) }
                let body: RawEntry.Body = switch generator.dice.below(4) {
                case 0: .read(direction, bytes, ends: generator.pick([[], [3], [-4, 9, 2], [0, 0], [Int32.max], [2, 4, 6]]))
                case 1: .value(generator.body(generator.dice.below(EntryGenerator.cases)))
                default:
                    .piece(
                        direction, generator.pick(pieces), bytes, in: generator.flip() ? generator.instant() : nil,
                        out: generator.flip() ? generator.instant() : nil, generator.provenance())
                }
                transcriber.transcribe(
                    RawEntry(instant: generator.instant(), session: SessionID(1), ordinal: .max, body: body), loop: 0,
                    into: &entries)
            }
            var ledger = Ledger()
            for entry in entries { ledger.observe(entry) }
        }
    }
}
