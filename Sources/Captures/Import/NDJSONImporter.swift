import Journaling
package import NIOCore
import Wire

/// Messages as lines of JSON, one a line: `{"session":"s1","direction":"toServer","opcode":"text","time":…,"data":"…"}`.
/// Sessions may be interleaved; a session without a Close was still open when the file ended.
package enum NDJSONImporter: FileImporter {
    package static let name = "ndjson"
    package static let summary = "messages as lines of JSON, as `miswire export --format ndjson` writes them"
    package static let records = (one: "line", many: "lines")
    package static let isMessagesOnly = true

    package static func recognizes(_ head: ByteBuffer, name: String) -> Bool {
        guard let line = firstLine(head) else { return false }
        let reader = JSONReader(line)
        let values = reader.values(at: [["direction"], ["data"], ["data64"], ["miswire-recording"], ["opcode"]])
        guard values[3] == nil, values[0]?.string != nil else { return false }
        return values[1] != nil || values[2] != nil || values[4] != nil
    }

    /// The first line that is not empty; a long one counts when the head holds all of it.
    private static func firstLine(_ head: ByteBuffer) -> ByteBuffer? {
        let lines = head.readableBytesView.split(separator: 0x0a, maxSplits: 8, omittingEmptySubsequences: true)
        return lines.first { !$0.allSatisfy { $0 == 0x0d || $0 == 0x20 } }.map { ByteBuffer(bytes: $0) }
    }

    package static func read(
        _ path: String, options: ImportOptions, into sink: any ConnectionSink
    ) throws(ImportError) -> ImportSummary {
        var summary = ImportSummary()
        var reading = Reading(path, options: options, sink: sink)
        do { try reading.read(&summary) } catch {
            try reading.finish()
            throw error
        }
        try reading.finish()
        return summary
    }
}

/// One file being read.
private struct Reading {
    private struct Session {
        let scribe: MessageScribe
        var hasClosed: Set<Side> = []
    }
    let path: String
    let options: ImportOptions
    let sink: any ConnectionSink
    private var sessions: [String: Session] = [:]
    private var last: WallTime = 0
    private var connections: UInt64 = 0

    init(_ path: String, options: ImportOptions, sink: any ConnectionSink) {
        self.path = path
        self.options = options
        self.sink = sink
    }

    mutating func read(_ summary: inout ImportSummary) throws(ImportError) {
        let lines: LineReader
        do throws(RecordingError) {
            lines = try LineReader(path, longest: options.limits.importLineBytes, chunk: options.chunk)
        } catch { throw ImportError(error) }
        while true {
            let line: ByteBuffer
            do throws(RecordingError) {
                switch try lines.next() {
                case .end: return
                case .whole(let bytes), .cut(let bytes): line = bytes
                }
            } catch { throw ImportError(error) }
            summary.bytes &+= UInt64(clamping: line.readableBytes + 1)
            if line.readableBytesView.allSatisfy({ $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }) { continue }
            summary.records &+= 1
            if summary.records.isMultiple(of: 10_000) { options.progress?(summary) }
            let message: MessageLine
            do throws(MessageLine.Unreadable) {
                message = try MessageLine(line)
            } catch {
                try skip(lines.number, error.sentence, &summary)
                continue
            }
            guard sessions[message.session] != nil || sessions.count < options.limits.importFlows else {
                try skip(lines.number, "L15: more than \(options.limits.importFlows) sessions at once", &summary)
                continue
            }
            try take(message)
        }
    }

    private func skip(_ line: Int, _ sentence: String, _ summary: inout ImportSummary) throws(ImportError) {
        summary.unreadable &+= 1
        try sink.note(nil, "\(path):\(line): \(sentence)")
    }

    private mutating func take(_ message: MessageLine) throws(ImportError) {
        // Without a time it came right behind the line before it.
        let time = message.time ?? last &+ 1_000_000
        last = time
        let side = message.direction.source
        if sessions[message.session] == nil { sessions[message.session] = try open(message, at: time) }
        guard var session = sessions[message.session] else { return }
        if message.opcode == .close { session.hasClosed.insert(side) }
        try session.scribe.message(from: side, message.opcode, message.payload, at: time)
        if session.hasClosed.count == 2 {
            // A later line of that name begins another connection.
            sessions[message.session] = nil
            try session.scribe.ended(from: .server, .finish, at: time)
            try session.scribe.ended(from: .client, .finish, at: time)
            try session.scribe.gone(at: time)
        } else {
            sessions[message.session] = session
        }
    }

    private mutating func open(_ message: MessageLine, at time: WallTime) throws(ImportError) -> Session {
        connections += 1
        let connection = Connection(id: connections, client: message.session, server: "unknown")
        let scribe = try MessageScribe(sink, connection, at: time)
        var fields: [(name: String, value: String)] = []
        // A contract may find the user there: `user: header x-miswire-user`.
        if let user = message.user { fields.append(("X-Miswire-User", user)) }
        try scribe.open(target: message.target ?? "/", host: "unknown", fields: fields, at: time)
        return Session(scribe: scribe)
    }

    mutating func finish() throws(ImportError) {
        for name in sessions.keys.sorted() { try sessions[name]?.scribe.gone(at: last) }
        sessions = [:]
    }
}
