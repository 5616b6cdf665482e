import Journaling
import NIOCore
import Testing

@Suite struct JournalMergerTests {
    private func note(_ instant: Int64, _ text: String) -> Entry {
        Entry(instant: Instant(nanoseconds: instant), loop: 0, sequence: 0, ref: nil, body: .note(text))
    }

    private func texts(_ merger: inout JournalMerger<Entry>) -> [String] {
        var texts: [String] = []
        while let merged = merger.next() {
            guard case .note(let text) = merged.item.body else { continue }
            texts.append("\(merged.loop).\(merged.sequence) \(text)")
        }
        return texts
    }

    @Test func waitsForASlowerLoop() {
        var merger = JournalMerger<Entry>(loops: 2)
        merger.push([note(5, "a"), note(7, "b")], loop: 0)
        #expect(texts(&merger) == [])
        merger.advance(loop: 1, to: Instant(nanoseconds: 5))
        #expect(texts(&merger) == ["0.0 a"])
        merger.push([note(6, "c")], loop: 1)
        #expect(texts(&merger) == ["1.0 c"])
        #expect(merger.watermark == Instant(nanoseconds: 6))
        merger.finish(loop: 1)
        #expect(texts(&merger) == ["0.1 b"])
        #expect(merger.waiting == 0)
    }

    @Test func aLowerLoopComesFirstAtEqualInstants() {
        var merger = JournalMerger<Entry>(loops: 2)
        merger.push([note(5, "late")], loop: 1)
        merger.advance(loop: 0, to: Instant(nanoseconds: 5))
        #expect(texts(&merger) == [], "loop 0 may still write at 5")
        merger.push([note(5, "early")], loop: 0)
        merger.advance(loop: 0, to: Instant(nanoseconds: 6))
        #expect(texts(&merger) == ["0.0 early", "1.0 late"])
    }

    @Test func anInstantBehindTheWatermarkIsRaisedToIt() {
        var merger = JournalMerger<Entry>(loops: 1)
        merger.advance(loop: 0, to: Instant(nanoseconds: 10))
        merger.push([note(3, "a")], loop: 0)
        #expect(merger.next()?.item.instant == Instant(nanoseconds: 10))
    }

    @Test func aLoopThatDoesNotExistIsIgnored() {
        var merger = JournalMerger<Entry>(loops: 1)
        merger.push([note(3, "a")], loop: 4)
        merger.push([note(3, "a")], loop: -1)
        merger.advance(loop: 4, to: .distantFuture)
        #expect(merger.next() == nil)
    }

    /// However the loops' batches and watermarks interleave, the output is the sorted whole.
    @Test(arguments: 0..<40) func anyInterleavingGivesOneOrder(seed: Int) {
        var generator = EntryGenerator(UInt64(seed) + 7)
        let loops = 1 + generator.dice.below(4)
        var lanes: [[Entry]] = []
        for _ in 0..<loops {
            var instant: Int64 = 0
            lanes.append(
                (0..<generator.dice.below(60)).map {
                    instant += Int64(generator.dice.below(3))
                    return note(instant, "\($0)")
                })
        }
        var expected: [(Int64, Int, Int, String)] = []
        for (loop, lane) in lanes.enumerated() {
            for (index, entry) in lane.enumerated() {
                expected.append((entry.instant.nanoseconds, loop, index, "\(loop).\(index) \(index)"))
            }
        }
        expected.sort { ($0.0, $0.1, $0.2) < ($1.0, $1.1, $1.2) }

        var merger = JournalMerger<Entry>(loops: loops)
        var given: [String] = []
        var done = Array(repeating: 0, count: loops)
        var open = Array(0..<loops)
        while !open.isEmpty {
            let loop = generator.pick(open)
            let count = min(lanes[loop].count - done[loop], generator.dice.below(4))
            merger.push(Array(lanes[loop][done[loop]..<(done[loop] + count)]), loop: loop)
            done[loop] += count
            if done[loop] == lanes[loop].count {
                merger.finish(loop: loop)
                open.removeAll { $0 == loop }
            } else if generator.flip() {
                merger.advance(loop: loop, to: lanes[loop][done[loop]].instant)
            }
            if generator.flip() { given += texts(&merger) }
        }
        given += texts(&merger)
        #expect(given == expected.map { $0.3 })
    }
}
