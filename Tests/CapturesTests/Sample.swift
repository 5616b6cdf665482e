import Captures
import Journaling
import NIOCore
import Testing
import Wire

/// Small recordings, and what a reader makes of them.
enum Sample {
    static let header = RecordingHeader(
        program: "0.1.0", started: "2026-09-21T14:02:16.014Z", seed: .max, mode: .redacted,
        profile: .init(name: "crossed", hash: "9be012", text: "faults:\n  - \"x\"\t\u{1b}\n"),
        contract: .init(name: "echo", hash: "0", text: "a: ‹b›\r\n"), upstream: "ws://h:1/ws", purpose: "test")

    /// A note with a number, in session 1 or 2.
    static func entry(_ number: UInt64, text: String = "") -> Entry {
        Entry(
            number: number, instant: Instant(nanoseconds: Int64(clamping: number)), loop: 0, sequence: number - 1,
            ref: EntryRef(session: SessionID(number % 2 == 0 ? 2 : 1), ordinal: UInt32(clamping: number)),
            body: .note("entry \(number)\(text)"))
    }

    static func entries(_ numbers: ClosedRange<UInt64>) -> [Entry] { numbers.map { entry($0) } }

    static func write(
        _ path: String, _ entries: [Entry], header: RecordingHeader = header, limits: Limits = .standard,
        isFinished: Bool = true
    ) throws {
        let writer = try RecordingWriter(directory: path, header: header, limits: limits)
        try writer.append(entries)
        if isFinished { try writer.finish() } else { try writer.flush() }
    }

    struct Read {
        var header: RecordingHeader
        var entries: [Entry]
        var warnings: [String]
        var isComplete: Bool
    }

    static func read(
        _ path: String, limits: Limits = .standard, chunk: Int = 256 << 10
    ) throws(RecordingError) -> Read {
        var reader = try RecordingReader(path, limits: limits, chunk: chunk)
        var entries: [Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        #expect(UInt64(clamping: entries.count) <= reader.entries)
        return Read(
            header: reader.header, entries: entries, warnings: reader.warnings, isComplete: reader.isComplete)
    }
}
