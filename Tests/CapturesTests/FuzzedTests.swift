@testable import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// What fuzzing found (`Tests/Fuzzers`), each with the smallest input that shows it.
@Suite struct FuzzedTests {
    private func run(_ importer: any Importer.Type, _ bytes: [UInt8]) throws -> (MessageLog, ImportSummary) {
        let folder = try Folder()
        try folder.write("input", bytes)
        let (log, result) = CaptureVector.run(importer, folder["input"])
        return (log, try result.get())
    }

    private func net(_ text: String, _ kind: String) -> String { "\(text.utf8.count):\(text)\(kind)" }

    /// The handshake is missing and the messages are no list: one flow that cannot be read, not two.
    @Test func aRecordWithTwoCausesIsUnreadableOnce() throws {
        let flow = net(net("type", ";") + net("websocket", ";") + net("version", ";") + net("7", "#"), "}")
        let (log, summary) = try run(FlowImporter.self, Array(flow.utf8))
        #expect(summary.records == 1 && summary.unreadable == 1)
        #expect(log.allNotes.count { $0.contains("flow 1:") } == 2, "\(log.allNotes)")
    }

    /// A file of nothing but wrong records has one for every few bytes: all are counted, and a hundred are kept.
    @Test func causesAreBounded() throws {
        let flows = String(repeating: net("", "~"), count: 5_000)
        let entries = #"{"log":{"entries":[0"# + String(repeating: ",0", count: 4_999) + "]}}"
        for (importer, text) in [(FlowImporter.self, flows), (HARImporter.self, entries)] as [(any Importer.Type, String)] {
            let (log, summary) = try run(importer, Array(text.utf8))
            #expect(summary.records == 5_000 && summary.unreadable == 5_000)
            #expect(log.allNotes.count == 101 && log.allNotes.last == "4900 more places are not listed")
        }
        var unread = Unreadable()
        for number in 1...1_000 {
            unread.add(number, "a")
            unread.add(number, "b")
        }
        #expect(unread.records == 1_000 && unread.causes.count == 100 && unread.unlisted == 1_900)
    }

    /// A packed segment that is damaged is read up to the damage, however many bytes are read at once.
    @Test(arguments: [1, 61, 256 << 10]) func aDamagedPackedSegmentIsReadUpToTheDamage(_ chunk: Int) throws {
        let folder = try Folder()
        try Sample.write(folder["rec"], Sample.entries(1...5))
        let gzip = try Gzip("x")
        var packed = Array(gzip.flush(ByteBuffer(bytes: try folder.read("rec/0001.ndjson"))).readableBytesView)
        packed += gzip.finish().readableBytesView
        packed[packed.count - 8] ^= 1
        try folder.write("bad.ndjson.gz", packed)
        var reader = try RecordingReader(folder["bad.ndjson.gz"], chunk: chunk)
        for number in 1...5 { #expect(try reader.next() == Sample.entry(UInt64(number))) }
        let error = #expect(throws: RecordingError.self) { try reader.next() }
        #expect(error?.found == "incorrect data check" && !reader.isComplete)
    }

    /// A reset ends both sides of a connection, so that what one of them still waited for is given up before, not behind it.
    @Test(arguments: [61, 256 << 10]) func aResetWhileTheOtherSideWaitsForSecrets(_ chunk: Int) throws {
        let sink = RecordingSink()
        let file = CaptureVector.path("reset-while-the-other-side-waits.pcap")
        _ = try PcapImporter.read([file], options: ImportOptions(chunk: chunk), into: sink)
        #expect(!sink.stories.isEmpty)
        #expect(sink.stories.values.compactMap(\.broken) == [])
    }

    /// Names are kept as long as their sessions are open, so a name is no place for a megabyte.
    @Test(arguments: [(256, 0), (257, 1)]) func aSessionsNameIsBounded(_ length: Int, _ unreadable: UInt64) throws {
        let name = String(repeating: "s", count: length)
        let line = #"{"session":"\#(name)","direction":"toServer","data":"a"}"# + "\n"
        let (log, summary) = try run(NDJSONImporter.self, Array(line.utf8))
        #expect(summary.records == 1 && summary.unreadable == unreadable)
        #expect(log.allNotes.contains { $0.hasSuffix("`session` takes more than 256 bytes") } == (unreadable == 1))
    }
}
