import Journaling
import NIOCore

/// The recording that an import writes: made with its first entry, so that a capture without sessions leaves nothing.
struct ImportJournal {
    private let settings: SessionWeaver.Settings
    private var assembler: JournalAssembler?
    private var desk: ImportDesk?
    private var batch = ImportDesk.Batch()
    private var epoch: WallTime?
    private(set) var now = Instant.zero

    init(_ settings: SessionWeaver.Settings) { self.settings = settings }

    var hasBegun: Bool { assembler != nil }
    var isKept: Bool { settings.directory != nil }

    /// The instant of a wall-clock time; never before the last one that was asked for.
    mutating func instant(_ time: WallTime) -> Instant {
        let time = time.onClock
        // The header tells instant zero in milliseconds.
        let zero = epoch ?? (time / 1_000_000 - (time % 1_000_000 < 0 ? 1 : 0)) * 1_000_000
        epoch = zero
        let (length, overflow) = time.subtractingReportingOverflow(zero)
        now = max(now, Instant(nanoseconds: overflow ? (time < zero ? 0 : .max) : length))
        return now
    }

    mutating func take(_ raw: [RawEntry]) throws(ImportError) {
        guard !raw.isEmpty else { return }
        do throws(RecordingError) {
            if assembler == nil { try begin() }
            assembler?.push(raw, loop: 0)
            assembler?.advance(loop: 0, to: now)
            try drain()
        } catch { throw ImportError(error) }
    }

    private mutating func begin() throws(RecordingError) {
        let epoch = epoch ?? 0
        desk = try ImportDesk(settings, epoch: epoch)
        assembler = JournalAssembler(
            loops: 1,
            Transcriber.Configuration(
                mode: settings.header.mode, limits: settings.limits, finder: settings.finder,
                redactionKey: settings.redactionKey, epochSeconds: epoch / 1_000_000_000))
    }

    private mutating func drain() throws(RecordingError) {
        while let isMore = assembler?.drain(into: &batch.entries, enough: ImportDesk.Batch.step) {
            // What is captured now is looked at now.
            if batch.isFull() || settings.isLive { try hand() }
            if !isMore { return }
        }
    }

    mutating func finish(_ counts: inout ImportCounts) throws(ImportError) {
        do throws(RecordingError) {
            assembler?.finish(loop: 0)
            try drain()
            try hand()
            if let told = try desk?.finish() { counts.add(entriesOf: told) }
        } catch { throw ImportError(error) }
    }

    private mutating func hand() throws(RecordingError) {
        guard !batch.entries.isEmpty, let desk else { return }
        defer { batch = ImportDesk.Batch() }
        batch.redactions = assembler?.redactions ?? 0
        try desk.hand(batch)
    }
}

extension ImportError {
    init(_ error: RecordingError) {
        self.init(
            place: error.place, sentence: error.sentence, expected: error.expected.isEmpty ? nil : error.expected,
            found: error.found.isEmpty ? nil : error.found, remedy: error.remedy.isEmpty ? nil : error.remedy)
    }
}
