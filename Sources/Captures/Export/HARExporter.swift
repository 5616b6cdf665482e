package import Journaling
import NIOCore
import Wire

/// HTTP archives in Chrome's form (HAR 1.2 and `_webSocketMessages`): one entry a session, in the order in which they
/// began. A HAR has no place for frames, close codes or bytes that are no messages. With `--frames` control frames are
/// rows as well, as other proxies write them.
package enum HARExporter: Exporter {
    package static let name = "har"
    package static let summary = "HTTP archive with WebSocket messages, as Chrome DevTools reads it"

    /// A session whose entry waits for its end, or for the entries before it.
    private struct Waiting {
        var id: SessionID
        var rows: [UInt8] = []
        var count = 0
        var isOver = false
    }

    /// Rows of sessions that are not over.
    private struct Queue {
        var waiting: [Waiting] = []
        /// Index into `waiting` plus `gone`.
        var place: [SessionID: Int] = [:]
        var gone = 0
        var bytes = 0
        var isFirst = true
        var summary = ExportSummary()
        var bare = 0
    }

    package static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary {
        var reader: ExportReader?
        var queue = Queue()
        var upstream = ""
        let read = try source.read(limits: options.limits) { (entry, header) throws(RecordingError) in
            if reader == nil {
                reader = ExportReader(header)
                upstream = header.upstream
                try output.write(Array(HAREntryText.beginning(header).utf8))
            }
            switch reader?.take(entry) {
            case .began(let session):
                queue.place[session.id] = queue.gone + queue.waiting.count
                queue.waiting.append(Waiting(id: session.id))
            case .message(let message):
                guard options.frames || !message.opcode.isControl else { return }
                try add(message, &queue, options.limits, source)
            case .ended(let id):
                if let place = queue.place[id] { queue.waiting[place - queue.gone].isOver = true }
                try drain(&queue, reader, upstream, output, all: false)
            case nil: break
            }
        }
        try drain(&queue, reader, upstream, output, all: true)
        if reader == nil { try output.write(Array(HAREntryText.beginning(read.header).utf8)) }
        try output.write(Array(HAREntryText.end.utf8))
        queue.summary.left = reader?.left ?? []
        if queue.bare > 0 { queue.summary.left.append("\(ExportReader.count(queue.bare, "session")) without an upgrade") }
        queue.summary.take(read)
        return queue.summary
    }

    private static func add(
        _ message: ExportedMessage, _ queue: inout Queue, _ limits: Limits, _ source: ExportSource
    ) throws(RecordingError) {
        guard let place = queue.place[message.session] else { return }
        let row = HAREntryText.row(message, isFirst: queue.waiting[place - queue.gone].count == 0)
        queue.waiting[place - queue.gone].rows += row
        queue.waiting[place - queue.gone].count += 1
        queue.bytes += row.count
        guard queue.bytes <= limits.importHARBytes else {
            throw RecordingError(
                place: source.path, sentence: "sessions that overlap hold too much for one HAR",
                expected: "at most \(limits.importHARBytes >> 20) MiB at once (limit L15)", found: "more",
                remedy: "name one session with `--session`, or choose ndjson")
        }
    }

    /// Entries whose turn it is.
    private static func drain(
        _ queue: inout Queue, _ reader: ExportReader?, _ upstream: String, _ output: any ExportOutput, all: Bool
    ) throws(RecordingError) {
        var done = 0
        while done < queue.waiting.count, all || queue.waiting[done].isOver {
            let waiting = queue.waiting[done]
            done += 1
            queue.place[waiting.id] = nil
            queue.bytes -= waiting.rows.count
            guard let session = reader?.sessions[waiting.id], let entry = HAREntryText(session, upstream: upstream) else {
                queue.bare += 1
                continue
            }
            try output.write(entry.bytes(rows: waiting.rows, isFirst: queue.isFirst))
            queue.isFirst = false
            queue.summary.sessions += 1
            queue.summary.messages += waiting.count
        }
        queue.waiting.removeFirst(done)
        queue.gone += done
    }
}
