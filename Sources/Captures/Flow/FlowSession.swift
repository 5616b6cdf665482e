import Journaling
import NIOCore
import Wire

/// One WebSocket of a dump on its way into a recording: opens, then gives its messages one by one, then its close.
final class FlowSession: MessageSource {
    private let record: FlowRecord
    private let id: Connection.ID
    private let context: FlowContext
    private var reader: TnetstringReader
    private var offset: UInt64
    private var number = 0
    private var message: FlowMessage?
    private var scribe: MessageScribe?
    private var last: WallTime
    private var isClosing = false
    private(set) var next: WallTime?

    init(_ record: FlowRecord, id: Connection.ID, _ context: FlowContext) {
        self.record = record
        self.id = id
        self.context = context
        reader = TnetstringReader(context.file, chunk: context.chunk)
        offset = record.messages?.content.lowerBound ?? 0
        last = record.started
        next = last
    }

    func emit() throws(ImportError) {
        guard let scribe else { return try open() }
        if isClosing { return try finish(scribe) }
        if let message { try pass(message, scribe) }
        try step()
    }

    /// Finds the next message, or the end.
    private func step() throws(ImportError) {
        message = try FlowSession.checked { () throws(TnetstringReader.Fault) in try read() }
        if let message {
            last = max(last, message.time ?? last)
        } else {
            isClosing = true
            last = max(last, record.ended ?? last)
        }
        next = last
    }

    private func open() throws(ImportError) {
        let opening = try FlowSession.checked { () throws(TnetstringReader.Fault) in try FlowOpening(record, &reader) }
        guard let opening else {
            next = nil
            return
        }
        let scribe = try MessageScribe(
            context.sink, Connection(id: id, client: opening.client, server: opening.server), at: last)
        self.scribe = scribe
        // Up to version 4 the handshake's answer may be missing though messages passed.
        let isTalking = (record.messages?.content.isEmpty ?? true) == false
        try scribe.open(
            target: opening.target, host: opening.host, fields: opening.request,
            status: opening.status.map { isTalking && $0 < 300 ? 101 : $0 } ?? (isTalking ? 101 : nil),
            response: opening.response, at: last, answeredAt: opening.answered.map { max($0, last) })
        last = max(last, opening.answered ?? last)
        for phrase in opening.security { try context.remark(id, "\(place): \(phrase)") }
        if let failure = opening.failure { try context.remark(id, "\(place): mitmproxy says \(HARRow.excerpt(failure))") }
        try step()
    }

    private var place: String { "\(context.path) flow \(record.number)" }

    private func pass(_ message: FlowMessage, _ scribe: MessageScribe) throws(ImportError) {
        if let phrase = message.remark { try context.remark(id, "\(place), message \(number): \(phrase)") }
        guard let side = message.side, let opcode = message.opcode, let payload = message.payload else { return }
        if opcode == .close {
            let body = CloseBody(ByteBuffer(bytes: payload))
            try scribe.close(from: side, code: body.code, reason: body.reason ?? "", at: last)
        } else {
            try scribe.message(from: side, opcode, ByteBuffer(bytes: payload), at: last)
        }
    }

    /// Who closed says the dump; mitmproxy passes the close on, so the other side's answer is not in it.
    private func finish(_ scribe: MessageScribe) throws(ImportError) {
        next = nil
        if let isClient = record.closedByClient, let code = record.closeCode {
            let reason = try FlowSession.checked { () throws(TnetstringReader.Fault) in try reader.text(record.closeReason) }
            // 1005 and 1006 are never sent: no code, and no Close frame at all (RFC 6455 section 7.4.1).
            if code != 1006 {
                try scribe.close(
                    from: isClient ? .client : .server, code: code == 1005 ? nil : code, reason: (reason ?? nil) ?? "", at: last)
            }
        }
        try scribe.gone(at: last)
    }

    private func read() throws(TnetstringReader.Fault) -> FlowMessage? {
        guard let list = record.messages else { return nil }
        let start = offset
        do throws(TnetstringReader.Fault) {
            guard let value = try reader.next(&offset, end: list.content.upperBound) else { return nil }
            number += 1
            return try FlowMessage(value, &reader, limits: context.limits)
        } catch {
            guard case .form(let place, let reason) = error else { throw error }
            number += offset == start ? 1 : 0
            // Inside a message the next one begins where its length says; else nothing behind it can be found.
            if offset == start { offset = list.content.upperBound }
            return FlowMessage(remark: "\(reason), at byte \(place + 1)")
        }
    }

    /// Nil for a place where the file is no dump.
    private static func checked<Value>(
        _ body: () throws(TnetstringReader.Fault) -> Value?
    ) throws(ImportError) -> Value? {
        do throws(TnetstringReader.Fault) { return try body() } catch {
            if case .file(let failure) = error { throw failure }
            return nil
        }
    }
}

/// What all sessions of one dump share.
final class FlowContext {
    let file: SourceFile
    let sink: any ConnectionSink
    let limits: Limits
    /// Bytes of one read; many sessions are read at once.
    let chunk: Int
    private var remarks: Remarks

    var path: String { file.path }

    init(_ file: SourceFile, _ sink: any ConnectionSink, limits: Limits, chunk: Int) {
        self.file = file
        self.sink = sink
        self.limits = limits
        self.chunk = chunk
        remarks = Remarks(sink)
    }

    func remark(_ id: Connection.ID?, _ sentence: @autoclosure () -> String) throws(ImportError) {
        try remarks.add(id, sentence())
    }

    /// So many more could not be read, and nothing is known of them.
    func leaveOut(_ count: Int) { remarks.leaveOut(count) }

    func finish() throws(ImportError) { try remarks.finish() }
}
