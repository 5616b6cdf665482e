import Journaling
import NIOCore

/// The recording that an import writes: made with its first entry, so that a capture without sessions leaves nothing.
struct ImportJournal {
    private let settings: SessionWeaver.Settings
    private var assembler: JournalAssembler?
    private var writer: RecordingWriter?
    private var fresh: [Entry] = []
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

    mutating func take(_ raw: [RawEntry], _ counts: inout ImportCounts) throws(ImportError) {
        guard !raw.isEmpty else { return }
        do throws(RecordingError) {
            try begin()
            assembler?.push(raw, loop: 0)
            assembler?.advance(loop: 0, to: now)
            try drain(&counts)
        } catch { throw ImportError(error) }
    }

    mutating func finish(_ counts: inout ImportCounts) throws(ImportError) {
        do throws(RecordingError) {
            assembler?.finish(loop: 0)
            try drain(&counts)
            try writer?.finish()
        } catch { throw ImportError(error) }
    }

    private mutating func begin() throws(RecordingError) {
        guard assembler == nil else { return }
        let epoch = epoch ?? 0
        var header = settings.header
        header.started = UTC.text(epoch)
        if let directory = settings.directory {
            writer = try RecordingWriter(
                directory: directory, header: header, limits: settings.limits, isPacked: settings.isPacked)
        }
        assembler = JournalAssembler(
            loops: 1,
            Transcriber.Configuration(
                mode: header.mode, limits: settings.limits, finder: settings.finder,
                redactionKey: settings.redactionKey, epochSeconds: epoch / 1_000_000_000))
    }

    private mutating func drain(_ counts: inout ImportCounts) throws(RecordingError) {
        fresh.removeAll(keepingCapacity: true)
        assembler?.drain(into: &fresh)
        for entry in fresh { counts.count(entry) }
        try writer?.append(fresh, redactions: assembler?.redactions ?? 0)
        for deletion in writer?.takeDeletions() ?? [] { counts.note(deletion.description) }
    }
}

extension ImportError {
    init(_ error: RecordingError) {
        self.init(
            place: error.place, sentence: error.sentence, expected: error.expected.isEmpty ? nil : error.expected,
            found: error.found.isEmpty ? nil : error.found, remedy: error.remedy.isEmpty ? nil : error.remedy)
    }
}
