import Journaling
package import NIOCore
import Wire

/// HTTP archives with `_webSocketMessages`, as Chrome DevTools, mitmproxy, Playwright and others write them.
package enum HARImporter: FileImporter {
    package static let name = "har"
    package static let summary = "HTTP archives with WebSocket messages: Chrome DevTools, Playwright, mitmproxy and others"
    package static let records = (one: "entry", many: "entries")
    package static let isOrdered = true
    package static let isMessagesOnly = true

    package static func recognizes(_ head: ByteBuffer, name: String) -> Bool {
        let name = name.lowercased()
        if [".har", ".zhar", ".har.zip"].contains(where: name.hasSuffix) { return true }
        var bytes = head.readableBytesView[...]
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes = bytes.dropFirst(3) }
        bytes = bytes.drop(while: isSpace)
        guard bytes.first == UInt8(ascii: "{") else { return false }
        bytes = bytes.dropFirst().drop(while: isSpace)
        guard bytes.starts(with: "\"log\"".utf8) else { return false }
        bytes = bytes.dropFirst(5).drop(while: isSpace)
        guard bytes.first == UInt8(ascii: ":") else { return false }
        return bytes.dropFirst().drop(while: isSpace).first == UInt8(ascii: "{")
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    package static func read(
        _ path: String, options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        let file = try SourceFile(path)
        try check(file, options.limits)
        let index = HARIndex(file, limits: options.limits, chunk: options.chunk)
        if case .file(let error)? = index.fault { throw error }
        guard index.hasEntries || index.fault != nil else {
            throw ImportError(
                place: "\(path):1:1", sentence: "this is no HAR", expected: "an object `log` with an array `entries`",
                found: "other JSON", remedy: "name a HAR that a browser or a proxy wrote")
        }
        // Windows of all sessions are open at once.
        let chunk = max(1_024, min(options.chunk, (32 << 20) / max(1, index.entries.count)))
        let context = HARContext(file, sink, limits: options.limits, chunk: chunk, creator: index.creator)
        for (entry, phrase) in index.unread.causes { try context.remark(nil, "\(path) entry \(entry): \(phrase)") }
        context.leaveOut(index.unread.unlisted)
        var sessions: [HARSession] = []
        for (number, entry) in index.entries.enumerated() {
            sessions.append(try HARSession(entry, id: Connection.ID(number) + 1, context))
        }
        try MessageTimeline.play(sessions)
        try context.finish()
        if case .json(let offset, let reason)? = index.fault {
            throw ImportError(
                place: try file.place(of: offset), sentence: "the HAR stops being JSON: \(reason)",
                remedy: "save it again; the entries before this place were read")
        }
        return ImportSummary(
            records: UInt64(index.count), bytes: file.size, unreadable: index.unread.records,
            skipped: UInt64(index.skipped))
    }

    /// What is no text, and what is larger than we read.
    private static func check(_ file: SourceFile, _ limits: Limits) throws(ImportError) {
        guard file.size <= UInt64(clamping: limits.importHARBytes) else {
            throw ImportError(
                place: file.path, sentence: "the HAR is too large", expected: "at most \(limits.importHARBytes >> 20) MiB (limit L15)",
                found: "\(file.size >> 20) MiB", remedy: "save fewer entries, or without bodies")
        }
        let head = try file.read(at: 0, 4)
        let isZip = head.starts(with: Array("PK".utf8)), isGzip = head.starts(with: [0x1f, 0x8b])
        let isZlib = head.first == 0x78 && head.count > 1 && (0x7800 + UInt16(head[1])) % 31 == 0
        guard isZip || isGzip || isZlib else { return }
        throw ImportError(
            place: file.path, sentence: "the HAR is packed", expected: "JSON",
            found: isZip ? "a ZIP archive" : isGzip ? "gzip" : "zlib, as mitmproxy writes .zhar",
            remedy: isZip ? "unpack it and name the .har inside" : "unpack it and name what comes out")
    }
}
