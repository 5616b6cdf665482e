/// From event loops to readers in one step: merges what the loops wrote, transcribes it and numbers the entries. The
/// runtime's recorder thread and the simulator use this one value, so both give readers equal journals.
package struct JournalAssembler: Sendable {
    private var merger: JournalMerger<RawEntry>
    private var transcriber: Transcriber
    private var number: UInt64 = 0
    private var sequences: [UInt64]
    /// What was inflated of each session since `takeInflated`: work that no queue of wire bytes shows.
    private var inflated: [SessionID: Inflated] = [:]

    package init(loops: Int, _ configuration: Transcriber.Configuration) {
        merger = JournalMerger(loops: loops)
        transcriber = Transcriber(configuration)
        sequences = Array(repeating: 0, count: max(1, loops))
    }

    package mutating func push(_ raw: [RawEntry], loop: Int) { merger.push(raw, loop: loop) }
    package mutating func advance(loop: Int, to instant: Instant) { merger.advance(loop: loop, to: instant) }
    package mutating func finish(loop: Int) { merger.finish(loop: loop) }

    /// No entry before this instant will come any more.
    package var watermark: Instant { merger.watermark }
    package var redactions: Int { transcriber.redactions }
    /// Raw entries that wait for a slower loop.
    package var waiting: Int { merger.waiting }

    /// Appends entries whose place in the order is settled, numbered from 1: all, or so many that `enough` is reached. A
    /// read of two-byte frames becomes hundreds of times as much, so whoever passes entries on takes them bit by bit.
    /// - Returns: whether there may be more.
    @discardableResult
    package mutating func drain(into entries: inout [Entry], enough: Int = .max) -> Bool {
        let before = entries.count
        while entries.count - before < enough {
            guard let merged = merger.next() else { return false }
            let first = entries.count
            transcriber.transcribe(merged.item, loop: merged.loop, into: &entries)
            count(transcriber.takeInflated(), of: merged.item.session)
            for index in entries.indices[first...] {
                number += 1
                entries[index].number = number
                entries[index].loop = merged.loop
                entries[index].sequence = sequences[Int(merged.loop)]
                sequences[Int(merged.loop)] += 1
            }
        }
        return true
    }

    private mutating func count(_ more: Inflated, of session: SessionID) {
        guard more.to > 0 else { return }
        inflated[session, default: Inflated()].from += more.from
        inflated[session, default: Inflated()].to += more.to
    }

    /// By session, what was inflated since the last call.
    package mutating func takeInflated() -> [SessionID: Inflated] {
        defer { if !inflated.isEmpty { inflated = [:] } }
        return inflated
    }
}
