import Faults
import Journaling
import NIOCore
import Testing
import Wire

@testable import ProxyRuntime

/// What a session has waiting for the recorder is counted as what becomes of it (trust.md L11).
@Suite struct QueueCostTests {
    private static func ends(of bytes: [UInt8]) -> [Int32] {
        var scanner = FrameScanner(.toClient)
        var ends: [Int32] = []
        _ = scanner.scan(ByteBuffer(bytes: bytes), ends: &ends)
        return ends
    }

    /// What counts beside storage, borders and entries: compressed bytes.
    private static func compressed(_ reads: [[UInt8]]) -> Int {
        var scanner = FrameScanner(.toClient)
        var cost = QueueCost()
        var sum = 0
        for read in reads {
            var ends: [Int32] = []
            let buffer = ByteBuffer(bytes: read)
            _ = scanner.scan(buffer, ends: &ends)
            let entry = RawEntry(instant: .zero, session: SessionID(1), ordinal: 1, body: .read(.toClient, buffer, ends: ends))
            var plain = cost
            sum += (cost.of(entry, expansion: 1) - plain.of(entry, expansion: 0))
        }
        return sum
    }

    @Test func compressedBytesAreFoundHoweverTheyAreCut() {
        let parts: [(bytes: [UInt8], isCompressed: Bool)] = [
            (Sample.frame(1, Sample.pattern(300)), false),
            (Sample.frame(1, Sample.pattern(200), fin: false, rsv: 4), true),
            (Sample.frame(9, Sample.pattern(9)), false),
            (Sample.frame(0, Sample.pattern(70), fin: false), true),
            (Sample.frame(0, []), true),
            (Sample.frame(0, Sample.pattern(5)), true),
            (Sample.frame(2, Sample.pattern(40), fin: false), false),
            (Sample.frame(0, Sample.pattern(50)), false),
            (Sample.frame(2, Sample.pattern(40), rsv: 4), true),
        ]
        let bytes = parts.flatMap(\.bytes)
        let want = parts.filter(\.isCompressed).map(\.bytes.count).reduce(0, +)
        #expect(Self.compressed([bytes]) == want)
        #expect(Self.compressed(bytes.map { [$0] }) == want)
        for cut in bytes.indices { #expect(Self.compressed([Array(bytes[..<cut]), Array(bytes[cut...])]) == want) }
    }

    @Test func aFrameIsAnEntryHoweverShortItIs() {
        let bytes = (0..<500).flatMap { _ in Sample.frame(9, []) }
        var cost = QueueCost()
        let read = RawEntry(
            instant: .zero, session: SessionID(1), ordinal: 1,
            body: .read(.toClient, ByteBuffer(bytes: bytes), ends: Self.ends(of: bytes)))
        #expect(cost.of(read, expansion: 1) >= 500 * QueueCost.entry)
    }

    @Test func theGreatestExpansionOfLateCounts() {
        let backlog = SessionBacklog(session: SessionID(1), loop: 0, limit: 100)
        #expect(backlog.expansion == SessionBacklog.usualExpansion)
        var inflated = Inflated()
        (inflated.from, inflated.to) = (16_000, 15 << 20)
        backlog.learn(inflated)
        #expect(backlog.expansion == 984)
        (inflated.from, inflated.to) = (1_000, 5_000)
        backlog.learn(inflated)
        #expect(backlog.expansion == 923)
        for _ in 0..<100 { backlog.learn(inflated) }
        #expect(backlog.expansion == SessionBacklog.usualExpansion)
        (inflated.from, inflated.to) = (0, .max / 2)
        backlog.learn(inflated)
        #expect(backlog.expansion == SessionBacklog.greatestExpansion)
    }

    @Test func readsShrinkWithWhatTheyCostAndGrowAgain() {
        var portion = ReadPortion(Limits.standard)
        func learn(_ count: Int, took: Duration, charge: Int) -> Bool { portion.learn(count, took: took, charge: charge) }
        #expect(portion.bytes == 64 << 10)
        let share = Limits.standard.recorderSessionBytes / 4
        #expect(!learn(64 << 10, took: .milliseconds(1), charge: share))
        #expect(learn(64 << 10, took: .milliseconds(16), charge: 0))
        #expect(portion.bytes == 16 << 10)
        #expect(learn(16 << 10, took: .zero, charge: share * 4))
        #expect(portion.bytes == 4 << 10)
        #expect(learn(4 << 10, took: .seconds(10), charge: .max))
        #expect(portion.bytes == ReadPortion.least)
        // What is small by itself says nothing of what a larger one would cost.
        #expect(!learn(200, took: .zero, charge: 0))
        for size in [2, 4, 8, 16, 32, 64] {
            #expect(learn(portion.bytes, took: .microseconds(100), charge: 300))
            #expect(portion.bytes == size << 10)
        }
        #expect(!learn(64 << 10, took: .microseconds(100), charge: 300))
    }
}
