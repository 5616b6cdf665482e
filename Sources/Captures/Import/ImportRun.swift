import Journaling
import NIOCore
import Wire

/// Files on their way into one recording: each is recognised by what it holds, and what they hold is merged by time.
package struct ImportRun {
    /// Files that are read together.
    package struct Source: Sendable {
        package let importer: any Importer.Type
        package let paths: [String]
    }
    /// What became of a source.
    package struct Told: Sendable {
        package let source: Source
        package var summary: ImportSummary
        /// Why its reading ended before its end.
        package var failure: ImportError?
    }
    package struct Result: Sendable {
        package var sources: [Told]
        package var counts: ImportCounts
        /// False: nothing was found, and nothing was written.
        package var hasRecording: Bool
        package var failures: [ImportError] { sources.compactMap(\.failure) }
    }

    package let sources: [Source]
    private let options: ImportOptions

    /// Recognises the files. Nothing is written yet.
    /// - Parameter kind: an importer's name, when the files do not tell by themselves.
    package init(_ paths: [String], kind: String? = nil, options: ImportOptions) throws(ImportError) {
        self.options = options
        var sources: [Source] = []
        for path in paths {
            let importer = try ImportRun.importer(of: path, kind)
            if importer.joinsFiles, let index = sources.firstIndex(where: { $0.importer == importer }) {
                sources[index] = Source(importer: importer, paths: sources[index].paths + [path])
            } else {
                sources.append(Source(importer: importer, paths: [path]))
            }
        }
        self.sources = sources
    }

    /// Phrases for the header: `imported from chat.pcap and trace.har; frames of trace.har are made up`.
    package var purpose: String {
        let made = sources.filter { $0.importer.isMessagesOnly }.flatMap(\.paths).map(ImportRun.name)
        let all = sources.flatMap(\.paths).map(ImportRun.name)
        return "imported from \(ImportRun.listed(all))"
            + (made.isEmpty ? "" : "; heads and frames of \(made.count == all.count ? "it all" : ImportRun.listed(made)) are made up from its messages")
    }

    /// Reads everything. A source that fails ends there, and the others are read all the same.
    /// - Parameter scratch: a directory on the recording's file system.
    /// - Throws: what concerns the recording, not the sources.
    package func run(into weaver: SessionWeaver, scratch: String) throws(ImportError) -> Result {
        let isOrdered = sources.count == 1 && sources.allSatisfy { $0.importer.isOrdered }
        let sorter = isOrdered ? nil : TimeSorter(into: weaver, scratch: scratch)
        var told: [Told] = []
        for source in sources {
            sorter?.beginSource()
            var one = Told(source: source, summary: ImportSummary())
            let sink: any ConnectionSink = sorter ?? weaver
            let gate = SinkGate(sink)
            do throws(ImportError) {
                one.summary = try source.importer.read(source.paths, options: options, into: gate)
                one.failure = one.summary.failure
            } catch {
                // The sink's own failure is nobody's file's.
                if let failure = gate.failure { throw failure }
                one.failure = error
            }
            told.append(one)
        }
        try sorter?.finish()
        try weaver.finish()
        return Result(sources: told, counts: weaver.counts, hasRecording: weaver.hasRecording)
    }

    // MARK: Recognition

    private static func importer(of path: String, _ kind: String?) throws(ImportError) -> any Importer.Type {
        let place = Directory.kind(path)
        if place == .missing {
            throw ImportError(
                place: path, sentence: "there is no file here", expected: "a capture", found: "nothing", remedy: "name a path that exists")
        }
        if let kind {
            if let importer = ImporterRegistry.named(kind) { return importer }
            throw ImportError(
                place: "--format", sentence: "no importer is called `\(kind)`",
                expected: listed(ImporterRegistry.all.map { $0.name }, "or"), remedy: "write one of these")
        }
        do throws(RecordingError) {
            if place == .directory {
                let names = try Directory.names(in: path)
                if let importer = ImporterRegistry.all.first(where: { $0.recognizes(directory: names) }) { return importer }
                throw names.contains { SegmentName.number($0) != nil } ? alreadyRecording(path) : unknown(path, "a directory of something else")
            }
            let head = try Directory.head(path, ImporterRegistry.headBytes)
            if let importer = ImporterRegistry.importer(for: head, name: name(path)) { return importer }
            if head.readableBytesView.starts(with: "{\"miswire-recording\"".utf8) { throw alreadyRecording(path) }
            throw unknown(path, head.readableBytes == 0 ? "an empty file" : "a file that begins with \(excerpt(head))")
        } catch { throw ImportError(error) }
    }

    private static func alreadyRecording(_ path: String) -> RecordingError {
        RecordingError(
            place: path, sentence: "this is a recording already", expected: "a capture of another form", found: "a recording of miswire",
            remedy: "judge it with `miswire check \(path)`")
    }

    private static func unknown(_ path: String, _ found: String) -> RecordingError {
        RecordingError(
            place: path, sentence: "no importer knows this file", expected: listed(ImporterRegistry.all.map { $0.name }, "or"),
            found: found, remedy: "name a capture, or say what it is with --format")
    }

    /// The first bytes, printable or as hexadecimal digits.
    private static func excerpt(_ head: ByteBuffer) -> String {
        let bytes = head.readableBytesView.prefix(16)
        if bytes.allSatisfy({ 0x20..<0x7f ~= $0 || $0 == 0x0a }) {
            return "`\(String(decoding: bytes.prefix { $0 != 0x0a }, as: UTF8.self))`"
        }
        return bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private static func listed(_ words: [String], _ word: String = "and") -> String {
        guard words.count > 1, let last = words.last else { return words.first ?? "" }
        if words.count > 6, word == "and" { return words.prefix(5).joined(separator: ", ") + " and \(words.count - 5) more" }
        return words.dropLast().joined(separator: ", ") + " \(word) " + last
    }
}

/// Tells failures of what stands behind it from failures of the one who reads.
private final class SinkGate: ConnectionSink {
    private let next: any ConnectionSink
    private(set) var failure: ImportError?

    init(_ next: any ConnectionSink) { self.next = next }

    private func pass(_ body: () throws(ImportError) -> Void) throws(ImportError) {
        do throws(ImportError) { try body() } catch {
            failure = error
            throw error
        }
    }

    func opened(_ connection: Connection, at time: WallTime) throws(ImportError) {
        try pass { () throws(ImportError) in try next.opened(connection, at: time) }
    }
    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) throws(ImportError) {
        try pass { () throws(ImportError) in try next.bytes(id, from: side, bytes, at: time) }
    }
    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) throws(ImportError) {
        try pass { () throws(ImportError) in try next.gap(id, from: side, count: count, at: time) }
    }
    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError) {
        try pass { () throws(ImportError) in try next.ended(id, from: side, style, at: time) }
    }
    func gone(_ id: Connection.ID, at time: WallTime) throws(ImportError) {
        try pass { () throws(ImportError) in try next.gone(id, at: time) }
    }
    func note(_ id: Connection.ID?, _ sentence: String) throws(ImportError) {
        try pass { () throws(ImportError) in try next.note(id, sentence) }
    }
}
