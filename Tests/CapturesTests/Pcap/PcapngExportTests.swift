import Journaling
import NIOCore
import Testing
import Wire

@testable import Captures

/// A capture made from a recording holds the recording's bytes, read back by our own reader; `.ci/pcap-tshark` asks
/// Wireshark's.
@Suite struct PcapngExportTests {
    private let session = SessionID(3)
    private func entry(_ nanoseconds: Int64, _ body: Entry.Body) -> Entry {
        Entry(
            instant: Instant(nanoseconds: nanoseconds), loop: 0, sequence: 0,
            ref: EntryRef(session: session, ordinal: 1), body: body)
    }
    private func passage(_ direction: Direction, _ nanoseconds: Int64) -> Passage {
        Passage(direction, in: Instant(nanoseconds: nanoseconds), out: Instant(nanoseconds: nanoseconds))
    }
    private func frame(_ direction: Direction, _ nanoseconds: Int64, _ frame: Frame, wireSize: UInt64? = nil) -> Entry {
        let record = FrameRecord(
            passage: passage(direction, nanoseconds), frame: frame,
            message: MessageRecord(opcode: frame.opcode, payload: frame.payload, ordinal: 1), wireSize: wireSize)
        return entry(nanoseconds, .frame(record))
    }
    private let request = "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n"
    private let response = "HTTP/1.1 101 Switching Protocols\r\n\r\n"

    private func story(peer: String = "127.0.0.1:50412", large: Int = 100_000) -> [Entry] {
        let hello = Frame(opcode: .text, maskKey: 0x0102_0304, payload: ByteBuffer(string: "hello"))
        return [
            entry(0, .opened(Opened(transport: TransportID(3), peer: peer))),
            entry(1_000, .head(HeadRecord(passage: passage(.toServer, 1_000), bytes: ByteBuffer(string: request)))),
            entry(1_000, .facts(Facts(tap: .clientIn, user: "alice", place: nil, state: .unknown))),
            entry(2_000, .head(HeadRecord(passage: passage(.toClient, 2_000), bytes: ByteBuffer(string: response)))),
            frame(.toServer, 3_000, hello),
            frame(.toClient, 4_000, Frame(opcode: .binary, payload: ByteBuffer(repeating: 0x61, count: large))),
            entry(5_000, .ended(EndRecord(side: .client, style: .finish, by: .peer))),
            entry(6_000, .closed(Totals(clientIn: 0, clientOut: 0, serverIn: 0, serverOut: 0))),
        ]
    }

    private func export(_ entries: [Entry], leg: PcapngExport.Leg = .client) -> [UInt8] {
        var export = PcapngExport(Sample.header, leg: leg, program: "miswire test")
        return entries.flatMap { export.add($0) } + export.end()
    }

    @Test func bytesAndTimesComeBack() throws {
        for peer in ["127.0.0.1:50412", "[::1]:50412", "", "nonsense"] {
            let (sink, summary) = try lift(export(story(peer: peer)))
            #expect(sink.notes == [])
            let hello: [UInt8] = [0x81, 0x85, 1, 2, 3, 4, 0x69, 0x67, 0x6f, 0x68, 0x6e]
            #expect(sink.only.clientBytes == joined(Array(request.utf8), hello))
            #expect(sink.only.serverBytes.count == response.utf8.count + 10 + 100_000)
            #expect(sink.events.suffix(2) == ["c finish", "s finish"])
            #expect(sink.only.times.first == WallClockText.iso(Sample.header.started).map { $0 + 1_000 })
            if peer.hasSuffix(":50412") { #expect(sink.only.client == peer) }
            // The calls, two heads, a frame, two pieces of the large one, ends with their acknowledgements.
            #expect(summary.records == 3 + 2 + 1 + 2 + 4)
        }
    }

    @Test func namesAndFaultsAreComments() throws {
        var entries = story()
        let influence = Influence(.message, [])
        entries.insert(
            entry(
                2_500,
                .fault(
                    FaultRecord(
                        id: "f1", kind: "delay", influence: influence, tap: .clientOut, on: nil, detail: "held 4 ms"))),
            at: 4)
        let text = String(decoding: export(entries), as: UTF8.self)
        #expect(text.contains("s3 alice"))
        #expect(text.contains("s3 alice; fault f1 delay: held 4 ms"))
        #expect(text.contains("miswire test"))
    }

    @Test func whatTheRecordingDoesNotHoldIsCutOff() throws {
        var entries = story()
        entries[5] = frame(
            .toClient, 4_000,
            Frame(
                firstByte: 0x82, lengthForm: .sixtyFour, declaredLength: 200_000, maskKey: nil, payload: ByteBuffer()),
            wireSize: 200_010)
        let sink = try lift(export(entries)).sink
        #expect(sink.events.filter { $0.contains("gap") }.count == 4)
        #expect(sink.events.suffix(2) == ["c finish", "s finish"])
    }

    @Test func aHostileSizeIsNoHang() {
        var entries = story()
        entries[5] = frame(
            .toClient, 4_000,
            Frame(firstByte: 0x82, lengthForm: .sixtyFour, declaredLength: .max, maskKey: nil, payload: ByteBuffer()),
            wireSize: .max)
        #expect(export(entries).count < 200_000)
    }

    @Test func aResetEndsTheConnection() throws {
        var entries = story()
        entries[6] = entry(5_000, .ended(EndRecord(side: .client, style: .reset, by: .peer)))
        #expect(try lift(export(entries)).sink.events.suffix(2) == ["c reset", "gone"])
    }

    @Test func eachLegShowsWhatPassedIt() throws {
        var entries = story()
        if case .frame(var record) = entries[4].body {
            record.passage.out = nil
            entries[4].body = .frame(record)
        }
        #expect(try lift(export(entries, leg: .client)).sink.only.clientBytes.count == request.utf8.count + 11)
        #expect(try lift(export(entries, leg: .server)).sink.only.clientBytes.count == request.utf8.count)
    }

    @Test func sessionsThatNeverEndedEndWithTheFile() throws {
        #expect(try lift(export(Array(story().dropLast(2)))).sink.events.suffix(2) == ["c finish", "s finish"])
    }

    @Test func checksumsAreRight() {
        let end = MadeUpTCP.End(address: [127, 0, 0, 1], port: 80)
        var tcp = MadeUpTCP(client: MadeUpTCP.End(address: [127, 0, 0, 1], port: 5), server: end, number: 1)
        for packet in tcp.handshake() + [tcp.data(from: .client, [1, 2, 3])] {
            #expect(sum(packet[14..<34]) == 0xffff)
            let whole = joined(Array(packet[26..<34]), [0, 6], .big16(packet.count - 34), Array(packet[34...]))
            #expect(sum(whole[...]) == 0xffff)
        }
    }

    private func sum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let all = joined(Array(bytes), zeros(bytes.count % 2))
        var total: UInt32 = 0
        for index in stride(from: 0, to: all.count, by: 2) { total += UInt32(all[index]) << 8 | UInt32(all[index + 1]) }
        while total > 0xffff { total = total & 0xffff + total >> 16 }
        return total
    }
}
