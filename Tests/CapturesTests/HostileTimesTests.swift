@testable import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// Clocks that say what no clock can say: everything is read, written and exported all the same.
@Suite struct HostileTimesTests {
    private static let marks: [Int64] = [.min, .min + 1, -9_223_372_037, -9_223_372_036, -1, 0, 9_223_372_036, 9_223_372_037, .max]

    /// The sample of the classic form as blocks, its clock shifted by so many seconds.
    private func blocks(_ seconds: Int64, ticks: [UInt64] = [0]) -> [UInt8] {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(1, options: blocks.option(14, blocks.field(UInt64(bitPattern: seconds), 8)))
        var file = ImporterContractTests.pcap.dropFirst(24)
        var count = 0
        while file.count >= 16 {
            let length = file.dropFirst(8).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            let packet = TestPacket(bytes: Array(file.dropFirst(16).prefix(length)))
            blocks.enhanced(0, ticks: ticks[count % ticks.count], packet)
            file = file.dropFirst(16 + length)
            count += 1
        }
        return blocks.bytes
    }

    @Test(arguments: marks) func aClockShiftedByAnything(_ seconds: Int64) throws {
        for ticks in [[0], [.max], [0, .max], [.max, 0], [1_999_999, 7]] as [[UInt64]] {
            let folder = try Folder()
            let read = try ImporterContractTests.read("pcap", blocks(seconds, ticks: ticks), into: folder)
            #expect(read.result?.failures == [] && read.result?.counts.sessions == 1, "\(seconds) \(ticks)")
            #expect(read.entries.map(\.instant) == read.entries.map(\.instant).sorted())
            try export(folder["rec"])
        }
    }

    /// Damage to blocks goes through the weaver too, the shift of the clock included.
    @Test func flippedBitsOfBlocksAreSurvived() throws {
        let whole = blocks(.min)
        for seed in 0..<200 as Range<UInt64> {
            var dice = SplitMix(seed)
            var bytes = whole
            for _ in 0...seed % 4 {
                // Every second one within the description of the interface.
                let range = seed % 2 == 0 ? 28..<60 : 0..<bytes.count
                let bit = dice.next() % UInt64(range.count * 8)
                bytes[range.lowerBound + Int(bit / 8)] ^= 1 << UInt8(bit % 8)
            }
            let read = try ImporterContractTests.read("pcap", bytes)
            for error in [read.error].compactMap({ $0 }) + (read.result?.failures ?? []) {
                #expect(!error.place.isEmpty && !error.sentence.isEmpty, "seed \(seed)")
            }
        }
    }

    @Test(arguments: [
        ("2262-04-11T23:47:16Z", 9_223_372_036_000_000_000), ("2262-04-11T23:47:16.854775807Z", .max),
        ("2262-04-11T23:47:16.9Z", nil), ("2262-04-11T23:47:16.854775808Z", nil), ("9999-12-31T23:59:60.999999999Z", nil),
        ("0000-01-01T00:00:00Z", nil), ("1677-09-21T00:12:44Z", -9_223_372_036_000_000_000),
        ("2026-09-21T14:02:16.014Z", Weaving.start),
    ] as [(String, WallTime?)])
    func theEdgesOfTime(text: String, time: WallTime?) { #expect(WallClockText.iso(text) == time) }

    @Test(arguments: ["2262-04-11T23:47:16.9Z", "2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:44Z"])
    func filesOfMessagesAtTheEdges(_ text: String) throws {
        let har = ImporterContractTests.har.replacing("2026-09-21T14:02:16Z", with: text)
        let lines = ImporterContractTests.ndjson.replacing("2026-09-21T14:02:16.014Z", with: text)
        for (kind, file) in [("har", har), ("ndjson", lines)] {
            let folder = try Folder()
            let read = try ImporterContractTests.read(kind, Array(file.utf8), into: folder)
            #expect((read.result?.counts.sessions ?? 0) == 2, "\(kind)")
            try export(folder["rec"])
        }
    }

    @Test func aRecordingThatBeganAtTheEdge() throws {
        for started in ["2262-04-11T23:47:16.9Z", "2262-04-11T23:47:16.854775807Z", "1677-09-21T00:12:44Z"] {
            let folder = try Folder()
            var header = ExportSample.header
            header.started = started
            try Sample.write(folder["rec"], ExportSample.two().entries, header: header)
            try export(folder["rec"])
        }
    }

    @Test func anEntryOfAnyLength() throws {
        let head = ByteBuffer(string: Weaving.upgrade())
        for (first, answered, last) in [
            (.min, .max, .max), (.max, .min, .min), (-2, .max, .max), (.max, -2, .min), (5, 4, 3), (.min, .min, .max),
        ] as [(WallTime, WallTime, WallTime)] {
            var session = ExportedSession(id: SessionID(1), opened: first, last: last)
            session.request = (head, first)
            session.response = (ByteBuffer(string: Weaving.accepted), answered)
            let bytes = try #require(HAREntryText(session, upstream: "ws://h")).bytes(rows: [], isFirst: true)
            let entry = try JSON.parse(ByteBuffer(bytes: bytes))
            let wait = try #require(entry["timings"]?["wait"]?.text), whole = try #require(entry["time"]?.text)
            #expect(Double(wait) ?? -1 >= 0 && Double(whole) ?? -1 >= Double(wait) ?? 0)
        }
    }

    private func export(_ path: String) throws {
        for exporter in ExporterRegistry.all {
            let output = ExportMemory()
            do {
                _ = try exporter.write(ExportSource(path), options: ExportOptions(frames: true), to: output)
                #expect(!output.bytes.isEmpty, "\(exporter.name)")
            } catch {
                #expect(error.sentence.contains("plans, and one file takes one"), "\(exporter.name): \(error)")
            }
        }
    }
}
