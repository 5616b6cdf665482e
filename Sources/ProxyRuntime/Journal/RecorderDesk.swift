import Captures
import Journaling
import Oracles

/// The recorder's work itself, on one thread: assemble, write, judge, count, tell.
final class RecorderDesk {
    private var assembler: JournalAssembler
    private var writer: RecordingWriter?
    /// Nil: everything is recorded.
    private var users: RecordedUsers?
    private var kept: [Entry] = []
    private let directory: String?
    private var writeError: String?
    private var ledger: Ledger?
    private var judge: Judge
    /// False: it only watches connections.
    private let isJudging: Bool
    private var teller: Teller
    private let onEntry: EntryObserver?
    private let onEvent: EventObserver
    /// Batches of which entries may still wait for a slower loop.
    private var unsettled: [Batch] = []
    private var entries: [Entry] = []
    /// Entries that are made of what the loops wrote, and passed on, at once.
    private static let enough = 1_024
    private var count: UInt64 = 0
    private var last = Instant.zero
    private var knownDifferences = 0
    /// Segments that retention deleted.
    private var deleted = 0

    init(
        assembler: JournalAssembler, writer: RecordingWriter?, users: RecordedUsers?, directory: String?, ledger: Ledger?, judge: Judge, isJudging: Bool,
        onEntry: EntryObserver?, onEvent: @escaping EventObserver
    ) {
        self.assembler = assembler
        self.writer = writer
        self.users = users
        self.directory = directory
        self.ledger = ledger
        self.judge = judge
        self.isJudging = isJudging
        self.onEntry = onEntry
        self.onEvent = onEvent
        teller = Teller(counts: ledger != nil)
    }

    /// What `work` leaves for the recorder to tell the loops.
    struct Outcome {
        /// Batches of which nothing waits any more.
        var settled: [Batch]
        /// What was inflated of sessions, which their backlogs are to know.
        var inflated: [(backlog: SessionBacklog, inflated: Inflated)]
        /// Much waits for slower loops: they are to publish their watermark now.
        var needsWatermarks: Bool
    }

    func work(_ batch: Batch) -> Outcome {
        assembler.push(batch.entries, loop: batch.loop)
        assembler.advance(loop: batch.loop, to: batch.watermark)
        if batch.isLast { assembler.finish(loop: batch.loop) }
        for sample in batch.samples { teller.statistics.added.record(sample) }
        var light = batch
        light.entries = []
        unsettled.append(light)
        passOn()
        let inflated = sizes()
        let settled = assembler.waiting == 0 ? .distantFuture : assembler.watermark
        let done = unsettled.filter { $0.watermark < settled }
        unsettled.removeAll { $0.watermark < settled }
        return Outcome(
            settled: done, inflated: inflated, needsWatermarks: assembler.waiting > 256 || unsettled.contains { $0.bytes > 64 << 10 })
    }

    /// Whatever was inflated came in a batch that was not settled before.
    private func sizes() -> [(backlog: SessionBacklog, inflated: Inflated)] {
        var known = assembler.takeInflated()
        guard !known.isEmpty else { return [] }
        var sizes: [(backlog: SessionBacklog, inflated: Inflated)] = []
        for (backlog, _) in unsettled.lazy.flatMap(\.charges) {
            if let inflated = known.removeValue(forKey: backlog.session) { sizes.append((backlog, inflated)) }
        }
        return sizes
    }

    private func passOn() {
        var isMore = true
        while isMore {
            entries.removeAll(keepingCapacity: entries.capacity <= 4 * Self.enough)
            isMore = assembler.drain(into: &entries, enough: Self.enough)
            pass()
        }
        // The judge's clock goes with the journal alone, ticks included, so that it is the same when judged later.
        let watermark = assembler.watermark
        if watermark < .distantFuture { last = max(last, watermark) }
        flushIfDue()
        tellNews()
    }

    private func pass() {
        count &+= UInt64(entries.count)
        if !entries.isEmpty { write() }
        for entry in entries {
            last = max(last, entry.instant)
            ledger?.observe(entry)
            judge.observe(entry)
            teller.observe(entry, tell: onEvent)
            onEntry?(entry)
        }
    }

    private func write() {
        guard let writer, writeError == nil else { return }
        guard users != nil else { return append(entries, to: writer) }
        kept.removeAll(keepingCapacity: kept.capacity <= 4 * Self.enough)
        users?.pass(entries, into: &kept)
        append(kept, to: writer)
    }

    private func append(_ entries: [Entry], to writer: RecordingWriter) {
        do { try writer.append(entries, redactions: assembler.redactions) } catch { failed(error) }
    }

    /// What is told at its end.
    private func finish(_ writer: RecordingWriter) {
        kept.removeAll()
        users?.conclude(at: last, into: &kept)
        if !kept.isEmpty { append(kept, to: writer) }
        kept.removeAll()
        guard writeError == nil else { return }
        do { try writer.finish() } catch { failed(error) }
    }

    private func flushIfDue() {
        guard let writer, writeError == nil else { return }
        do { try writer.flushIfDue() } catch { failed(error) }
        for deletion in writer.takeDeletions() {
            deleted += deletion.failure == nil ? 1 : 0
            onEvent(RuntimeEvent(instant: last, session: nil, user: nil, kind: .segmentDeleted(deletion.description)))
        }
    }

    /// The disk failed: sessions go on, the recording does not, and the run cannot pass.
    private func failed(_ error: RecordingError) {
        writeError = error.description
        onEvent(RuntimeEvent(instant: last, session: nil, user: nil, kind: .recordingFailed(error.description)))
    }

    private func tellNews() {
        for finding in judge.newFindings() {
            onEvent(
                RuntimeEvent(
                    instant: finding.instant, session: finding.sessions.first, user: finding.users.first, kind: .violation(finding)))
        }
        for change in judge.newAlerts() {
            onEvent(RuntimeEvent(instant: change.instant, session: change.alert.session, user: change.alert.user, kind: .alert(change)))
        }
        guard let ledger, ledger.differences.count > knownDifferences else { return }
        for difference in ledger.differences[knownDifferences...] {
            onEvent(RuntimeEvent(instant: last, session: difference.session, user: nil, kind: .toolError(difference)))
        }
        knownDifferences = ledger.differences.count
    }

    func conclude(lasted: Duration, drained: Bool) -> RunResult {
        passOn()
        tellNews()
        if let writer, writeError == nil { finish(writer) }
        writer = nil
        return result(lasted: lasted, drained: drained)
    }

    func result(lasted: Duration, drained: Bool) -> RunResult {
        let judgement = judge.conclude(at: last)
        return RunResult(
            statistics: teller.statistics, judgement: isJudging ? judgement : nil, alerts: judgement.alerts,
            monitors: judgement.monitors, vitals: judgement.vitals,
            ledgerDifferences: ledger?.differences ?? [], recording: directory,
            recordingComplete: writeError == nil, recordingError: writeError, deletedSegments: deleted, unrecorded: users?.leftOut, entries: count, end: last,
            lasted: lasted, drained: drained)
    }

    /// Numbers of this instant. Nothing is concluded for it, so that it may be asked for at any time.
    func gauges(now: Instant) -> Gauges {
        Gauges(statistics: teller.statistics, report: judge.standing, isJudging: isJudging, lag: max(.zero, last.duration(to: now)))
    }
}
