import Journaling
package import NIOCore
import Wire

/// Directories of raw files as AFL, libFuzzer and honggfuzz keep them: each file is what one client sent on one session.
/// A file whose lines are all JSON is a message a line; any other file is one message. What a server said to it stands
/// nowhere, so the recording says that too, and nothing of it can be judged; it serves as seeds and for replay.
package enum RawCorpusImporter: FileImporter {
    package static let name = "raw"
    package static let summary = "directories of raw files, as AFL and libFuzzer keep them: each is one client's messages"
    package static let records = (one: "file", many: "files")
    package static let isOrdered = true
    package static let isMessagesOnly = true

    /// Only when it is asked for by name: any file might be one.
    package static func recognizes(_ head: ByteBuffer, name: String) -> Bool { false }

    package static func recognizes(directory names: [String]) -> Bool {
        !names.isEmpty && !names.contains { SegmentName.number($0) != nil }
    }

    package static func read(
        _ path: String, options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        var summary = ImportSummary()
        var connections: UInt64 = 0
        for file in try files(path, sink) {
            connections += 1
            summary.records += 1
            try read(file, Connection(id: connections, client: name(file), server: "unknown"), options, sink, &summary)
            if summary.records.isMultiple(of: 1_000) { options.progress?(summary) }
        }
        return summary
    }

    /// Plain files there, and in the directories that AFL makes; in the order of their names.
    private static func files(_ path: String, _ sink: any ConnectionSink) throws(ImportError) -> [String] {
        do throws(RecordingError) {
            guard Directory.kind(path) == .directory else { return [path] }
            var found: [String] = []
            for name in try Directory.names(in: path) where !name.hasPrefix(".") {
                let inner = SegmentName.path(path, name)
                switch Directory.kind(inner) {
                case .file where !bookkeeping.contains(name): found.append(inner)
                case .directory where subdirectories.contains(name):
                    for name in try Directory.names(in: inner) where !name.hasPrefix(".") && name != "README.txt" {
                        let file = SegmentName.path(inner, name)
                        if Directory.kind(file) == .file { found.append(file) }
                    }
                default: break
                }
            }
            return found
        } catch { throw ImportError(error) }
    }

    private static let subdirectories: Set<String> = ["queue", "crashes", "hangs", "corpus", "seeds"]
    private static let bookkeeping: Set<String> = [
        "README.txt", "README.md", "cmdline", "fastresume.bin", "fuzz_bitmap", "fuzzer_setup", "fuzzer_stats", "plot_data", "target_hash",
    ]

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func read(
        _ path: String, _ connection: Connection, _ options: ImportOptions, _ sink: any ConnectionSink,
        _ summary: inout ImportSummary
    ) throws(ImportError) {
        let bytes: ByteBuffer
        do throws(RecordingError) {
            bytes = try Directory.contents(path, most: options.limits.messageBytes, chunk: options.chunk)
        } catch {
            summary.unreadable += 1
            return try sink.note(nil, "\(path): \(error.sentence)\(error.found.isEmpty ? "" : ": " + error.found)")
        }
        summary.bytes &+= UInt64(clamping: bytes.readableBytes)
        // Files tell no times: a second apart, so that sessions do not overlap.
        let start = WallTime(clamping: connection.id) &* 1_000_000_000
        let scribe = try MessageScribe(sink, connection, at: start)
        try scribe.open(target: "/", host: "unknown", at: start)
        try scribe.unknown(from: .server, at: start)
        var time = start
        for message in messages(bytes) {
            time += 1_000
            try scribe.message(from: .client, UTF8Validator.isValid(message) ? .text : .binary, message, at: time)
        }
        try scribe.gone(at: time)
    }

    private static func messages(_ bytes: ByteBuffer) -> [ByteBuffer] {
        let lines = bytes.readableBytesView.split(separator: 0x0a).map { $0.last == 0x0d ? $0.dropLast() : $0 }
            .filter { !$0.isEmpty }
        guard lines.count > 1, lines.allSatisfy({ first(of: $0).map(openings.contains) ?? false }) else { return [bytes] }
        let buffers = lines.map { ByteBuffer(bytes: $0) }
        let isJSON = buffers.allSatisfy { if case .value = JSON.decode($0) { true } else { false } }
        return isJSON ? buffers : [bytes]
    }

    private static let openings: Set<UInt8> = [UInt8(ascii: "{"), UInt8(ascii: "[")]

    private static func first(of line: ByteBufferView) -> UInt8? { line.first { $0 != 0x20 && $0 != 0x09 } }
}
