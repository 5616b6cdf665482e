import Journaling
import NIOCore
import Wire

/// The text of one entry of a HAR (HAR 1.2, and what Chrome adds to it).
struct HAREntryText {
    private let session: ExportedSession
    private let request: RequestHead
    private let response: ResponseHead?
    private let url: HARURL
    private let requestBytes: Int
    private let responseBytes: Int

    /// Nil for a session that asked for no WebSocket.
    /// - Parameter upstream: for the scheme, and for a request without a Host.
    init?(_ session: ExportedSession, upstream: String) {
        guard let sent = session.request, let request = try? RequestHead(sent.head), request.isWebSocketUpgrade else { return nil }
        if case .opaque? = session.became { return nil }
        self.session = session
        self.request = request
        requestBytes = sent.head.readableBytes
        response = session.response.flatMap { try? ResponseHead($0.head) }
        responseBytes = session.response?.head.readableBytes ?? -1
        let server = HARURL(upstream)
        let host = request.value("host") ?? server?.authority ?? "unknown"
        let scheme = server?.isSecure == true ? "wss" : "ws"
        let target = request.target.hasPrefix("/") ? request.target : request.path
        guard let url = HARURL("\(scheme)://\(host)\(target)") ?? HARURL("\(scheme)://unknown\(target)") else { return nil }
        self.url = url
    }

    static func beginning(_ header: RecordingHeader) -> String {
        var text = ExportText()
        text.object { creator in
            creator.write("name", "miswire")
            creator.write("version", header.program)
        }
        return "{\"log\":{\"version\":\"1.2\",\"creator\":\(String(decoding: text.bytes, as: UTF8.self)),\"pages\":[],\"entries\":["
    }

    static let end = "\n]}}\n"

    /// One row of `_webSocketMessages`. Text that is no UTF-8 cannot stand in JSON; it is base64, and marked.
    static func row(_ message: ExportedMessage, isFirst: Bool) -> [UInt8] {
        var text = ExportText()
        text.object { row in
            row.write("type", message.direction == .toServer ? "send" : "receive")
            row.write("time", literal: ExportText.seconds(message.time))
            row.write("opcode", message.opcode.rawValue)
            if message.opcode == .text, UTF8Validator.isValid(message.payload) {
                row.key("data")
                row.quote(message.payload.readableBytesView)
            } else {
                row.write("data", AcceptKey.base64(Array(message.payload.readableBytesView)))
                if message.opcode != .binary { row.write("encoding", "base64") }
            }
        }
        return Array((isFirst ? "\n  " : ",\n  ").utf8) + text.bytes
    }

    func bytes(rows: [UInt8], isFirst: Bool) -> [UInt8] {
        var text = ExportText()
        text.raw(isFirst ? "\n" : ",\n")
        let started = session.request?.time ?? session.opened
        let answered = session.response?.time
        text.object { entry in
            entry.write("_resourceType", "websocket")
            entry.key("_webSocketMessages")
            entry.raw("[" + String(decoding: rows, as: UTF8.self) + "]")
            entry.object("_miswire") { own in
                own.write("session", session.id.description)
                if let user = session.user { own.write("user", user) }
            }
            entry.object("cache") { _ in }
            if let transport = session.transport { entry.write("connection", String(transport.value)) }
            entry.object("request") { writeRequest(&$0) }
            entry.object("response") { writeResponse(&$0) }
            entry.write("startedDateTime", WallClockText.isoText(started))
            let wait = Self.length(from: started, to: answered ?? started)
            let whole = max(wait, Self.length(from: started, to: session.last))
            entry.write("time", literal: ExportText.milliseconds(whole))
            entry.object("timings") { timings in
                for name in ["blocked", "dns", "connect", "ssl"] { timings.write(name, -1) }
                timings.write("send", 0)
                timings.write("wait", literal: ExportText.milliseconds(wait))
                timings.write("receive", literal: ExportText.milliseconds(whole - wait))
            }
        }
        return text.bytes
    }

    /// Never negative; a recording's times may be any.
    private static func length(from start: WallTime, to end: WallTime) -> Int64 {
        let (length, overflow) = end.subtractingReportingOverflow(start)
        return max(0, overflow ? (end < start ? 0 : .max) : length)
    }

    private func writeRequest(_ text: inout ExportText) {
        text.write("method", request.method)
        text.write("url", "\(url.isSecure ? "wss" : "ws")://\(url.authority)\(url.target)")
        text.write("httpVersion", request.version)
        Self.write("headers", request.fields.map { ($0.name, $0.value) }, &text)
        Self.write("queryString", request.queryItems.map { ($0.name, $0.value) }, &text)
        Self.write("cookies", request.cookies.map { ($0.name, $0.value) }, &text)
        text.write("headersSize", requestBytes)
        text.write("bodySize", 0)
    }

    private func writeResponse(_ text: inout ExportText) {
        text.write("status", response?.status ?? 0)
        text.write("statusText", response?.reason ?? "")
        text.write("httpVersion", response?.version ?? "")
        Self.write("headers", (response?.fields ?? []).map { ($0.name, $0.value) }, &text)
        let cookies = (response?.all("set-cookie") ?? []).map { field in
            let pair = field.value.prefix { $0 != ";" }
            let mark = pair.firstIndex(of: "=") ?? pair.endIndex
            return (String(pair[..<mark]), String(pair[mark...].dropFirst()))
        }
        Self.write("cookies", cookies, &text)
        text.object("content") { content in
            content.write("size", 0)
            content.write("mimeType", "x-unknown")
        }
        text.write("redirectURL", response?.value("location") ?? "")
        text.write("headersSize", responseBytes)
        text.write("bodySize", response == nil ? -1 : 0)
        if response == nil { text.write("_error", "no answer") }
    }

    private static func write(_ key: String, _ pairs: [(String, String)], _ text: inout ExportText) {
        text.array(key) { list in
            for (name, value) in pairs {
                list.element()
                list.object { pair in
                    pair.write("name", name)
                    pair.write("value", value)
                }
            }
        }
    }
}
