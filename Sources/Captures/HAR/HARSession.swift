import Journaling
import NIOCore
import Wire

/// One WebSocket of a HAR on its way into a recording: opens, then gives its messages one by one.
final class HARSession: MessageSource {
    private let entry: HAREntry
    private let id: Connection.ID
    private let context: HARContext
    private var rows: HARRows
    /// The row to be passed on; nil before the opening and behind the last one.
    private var row: (number: Int, row: HARRow)?
    private var scribe: MessageScribe?
    private var last: WallTime
    private(set) var next: WallTime?

    init(_ entry: HAREntry, id: Connection.ID, _ context: HARContext) throws(ImportError) {
        self.entry = entry
        self.id = id
        self.context = context
        rows = try HARRows(entry, context)
        last = 0
        row = try rows.next()
        // An entry without a date began when its first message passed.
        last = entry.started ?? row?.row.time ?? 0
        next = last
    }

    func emit() throws(ImportError) {
        guard let scribe else { return try open() }
        guard let (number, row) = row else { return try finish(scribe) }
        try pass(row, number, scribe)
        self.row = try rows.next()
        guard let following = self.row else { return try finish(scribe) }
        advance(to: following.row.time)
    }

    /// Rows keep their order: one whose clock went back passes at the time of the one before.
    private func advance(to time: WallTime?) {
        last = max(last, time ?? last)
        next = last
    }

    private func open() throws(ImportError) {
        let exchange = HARExchange(context.file, request: entry.request, response: entry.response)
        guard let opening = exchange.opening else {
            next = nil
            return
        }
        let server = entry.serverAddress.map { $0.contains(":") && !$0.hasPrefix("[") ? "[\($0)]" : $0 } ?? opening.url.host
        let connection = Connection(
            id: id, client: "entry \(entry.number)", server: "\(server):\(entry.serverPort ?? opening.url.port)")
        let scribe = try MessageScribe(context.sink, connection, at: last)
        self.scribe = scribe
        try scribe.open(
            target: opening.url.target, host: opening.url.authority, fields: opening.request.map { ($0.name, $0.value) },
            status: status(opening.response), response: (opening.response?.fields ?? []).map { ($0.name, $0.value) }, at: last)
        if let failure = opening.failure ?? entry.failure {
            try context.remark(id, "\(place): the browser says \(HARRow.excerpt(failure))")
        }
        if opening.method.uppercased() != "GET" {
            try context.remark(id, "\(place): the opening was \(HARRow.excerpt(opening.method)); it is written as GET")
        }
        if let row { advance(to: row.row.time) } else { try finish(scribe) }
    }

    /// Where messages passed, the opening was accepted: over HTTP/2 with 200, and some writers put 0. Nil: no answer.
    private func status(_ response: HAROpening.Response?) -> Int? {
        guard row != nil else { return response?.status }
        guard let status = response?.status, status >= 300 else { return 101 }
        return status
    }

    private var place: String { "\(context.path) entry \(entry.number)" }

    private func pass(_ row: HARRow, _ number: Int, _ scribe: MessageScribe) throws(ImportError) {
        switch row.content {
        case .message(let side, let opcode, let payload):
            try scribe.message(from: side, opcode, ByteBuffer(bytes: payload), at: last)
        case .close(let side, let body):
            try scribe.close(from: side, code: body.code, reason: body.reason ?? "", at: last)
        case .remark(let phrase):
            try context.remark(id, "\(place), message \(number): \(phrase)")
        }
    }

    private func finish(_ scribe: MessageScribe) throws(ImportError) {
        for phrase in rows.remarks { try context.remark(id, "\(place): \(phrase)") }
        next = nil
        try scribe.gone(at: last)
    }
}

/// What all sessions of one HAR share.
final class HARContext {
    let file: SourceFile
    let sink: any ConnectionSink
    let limits: Limits
    /// Bytes of one read; many sessions are read at once.
    let chunk: Int
    let isRawUnlessMarked: Bool
    private var remarks: Remarks

    var path: String { file.path }

    init(_ file: SourceFile, _ sink: any ConnectionSink, limits: Limits, chunk: Int, creator: String) {
        self.file = file
        self.sink = sink
        self.limits = limits
        self.chunk = chunk
        isRawUnlessMarked = creator.lowercased() == "gori"
        remarks = Remarks(sink)
    }

    func remark(_ id: Connection.ID?, _ sentence: @autoclosure () -> String) throws(ImportError) {
        try remarks.add(id, sentence())
    }

    /// So many more could not be read, and nothing is known of them.
    func leaveOut(_ count: Int) { remarks.leaveOut(count) }

    func finish() throws(ImportError) { try remarks.finish() }
}
