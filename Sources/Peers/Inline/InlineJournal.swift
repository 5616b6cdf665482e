import Contracts
import Journaling
import Oracles

/// The recorder of one case: transcribes, judges and keeps what happens, in the order in which it happens.
struct InlineJournal {
    private var assembler: JournalAssembler
    private var judge: Judge
    private(set) var entries: [Entry] = []
    private var fresh: [Entry] = []
    private var last = Instant.zero
    private var lastTick = Instant.zero

    init(_ configuration: Transcriber.Configuration, judge: Judge) {
        assembler = JournalAssembler(loops: 1, configuration)
        self.judge = judge
    }

    mutating func take(_ raw: [RawEntry], at now: Instant) {
        assembler.push(raw, loop: 0)
        passOn(now)
    }

    /// Tells the judge that we were awake.
    /// - Parameter crowded: nanoseconds of the last `span` that the machine was short of processors.
    mutating func tick(crowded: UInt64, at now: Instant) {
        let share = min(crowded, UInt64(clamping: lastTick.duration(to: now).nanoseconds))
        lastTick = now
        assembler.push([RawEntry(instant: now, session: SessionID(0), ordinal: 0, body: .value(.tick(crowded: share)))], loop: 0)
        passOn(now)
    }

    /// What is known of the target beside its connections.
    mutating func tell(_ record: TargetRecord, at now: Instant) {
        assembler.push([RawEntry(instant: now, session: SessionID(0), ordinal: 0, body: .value(.target(record)))], loop: 0)
        passOn(now)
    }

    mutating func finish(at now: Instant) {
        last = max(last, now)
        assembler.finish(loop: 0)
        drain()
    }

    private mutating func passOn(_ now: Instant) {
        last = max(last, now)
        assembler.advance(loop: 0, to: now)
        drain()
        judge.advance(to: now)
    }

    private mutating func drain() {
        fresh.removeAll(keepingCapacity: true)
        assembler.drain(into: &fresh)
        for entry in fresh {
            judge.observe(entry)
            if !entry.body.isTick { entries.append(entry) }
        }
    }

    mutating func newFindings() -> [Finding] { judge.newFindings() }
    func conclude() -> Judgement { judge.conclude(at: last) }
}
