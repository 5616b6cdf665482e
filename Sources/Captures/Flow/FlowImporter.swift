import Journaling
package import NIOCore
import Wire

/// Dumps of mitmproxy (`mitmdump -w`), all versions of its format from 0.18 to 21.
package enum FlowImporter: FileImporter {
    package static let name = "flow"
    package static let summary = "flow dumps, as mitmproxy and mitmdump write them"
    package static let records = (one: "flow", many: "flows")
    package static let isOrdered = true
    package static let isMessagesOnly = true

    /// The length of a dictionary, and the length of its first key.
    package static func recognizes(_ head: ByteBuffer, name: String) -> Bool {
        var bytes = head.readableBytesView[...]
        for _ in 0..<2 {
            let digits = bytes.prefix { (0x30...0x39).contains($0) }
            bytes = bytes.dropFirst(digits.count)
            guard (1...12).contains(digits.count), bytes.popFirst() == 0x3a else { return false }
        }
        return true
    }

    package static func read(
        _ path: String, options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        let file = try SourceFile(path)
        let index = try FlowIndex(file, limits: options.limits, chunk: options.chunk)
        let chunk = max(1_024, min(options.chunk, (32 << 20) / max(1, index.records.count)))
        let context = FlowContext(file, sink, limits: options.limits, chunk: chunk)
        for (flow, phrase) in index.unread.causes { try context.remark(nil, "\(path) flow \(flow): \(phrase)") }
        context.leaveOut(index.unread.unlisted)
        var sessions: [FlowSession] = []
        for (number, record) in index.records.enumerated() {
            sessions.append(FlowSession(record, id: Connection.ID(number) + 1, context))
        }
        try MessageTimeline.play(sessions)
        try context.finish()
        if case .form(let offset, let reason)? = index.fault {
            throw ImportError(
                place: "\(path) byte \(offset + 1)", sentence: "the dump breaks off: \(reason)",
                remedy: index.count == 0
                    ? "name a dump that `mitmdump -w` wrote" : "the flows before this place were read; take the rest from a copy")
        }
        return ImportSummary(
            records: UInt64(index.count), bytes: file.size, unreadable: index.unread.records, skipped: UInt64(index.skipped))
    }
}
