import Contracts
import Journaling
import NIOCore
import Oracles

/// The recorder of a simulation: merges, transcribes, encodes, and judges while it goes.
struct SimulatedJournal {
    private var assembler: JournalAssembler
    private var judge: Judge
    private(set) var lines = ByteBuffer()
    private(set) var entries: [Entry] = []
    private var last = Instant.zero

    init(loops: Int, contract: Contract, _ configuration: Transcriber.Configuration) {
        assembler = JournalAssembler(loops: loops, configuration)
        judge = Judge(contract: contract)
    }

    mutating func take(_ raw: [RawEntry], loop: Int, at now: Instant) {
        assembler.push(raw, loop: loop)
        assembler.advance(loop: loop, to: now)
        passOn()
    }

    mutating func finish(loop: Int) {
        assembler.finish(loop: loop)
        passOn()
    }

    private mutating func passOn() {
        let first = entries.count
        assembler.drain(into: &entries)
        for entry in entries[first...] {
            last = max(last, entry.instant)
            EntryCodec.encode(entry, into: &lines)
            judge.observe(entry)
        }
        let watermark = assembler.watermark
        guard watermark < .distantFuture else { return }
        last = max(last, watermark)
        judge.advance(to: watermark)
    }

    func conclude() -> Judgement { judge.conclude(at: last) }
}
