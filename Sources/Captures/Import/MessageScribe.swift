package import Journaling
package import NIOCore
package import Wire

/// For sources that know messages and not bytes (HAR, flow dumps, NDJSON): writes the heads and frames that would have
/// carried them, so that one way leads to entries. The key is fixed and its answer valid, deflate is not negotiated, a
/// message is one frame, a client's is masked with 00000000. One value for one connection.
package struct MessageScribe {
    package let connection: Connection
    private let sink: any ConnectionSink

    /// RFC 6455 section 1.3 uses it as its example.
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    /// Fields that make an upgrade, or that frame a body: ours, or nobody's.
    private static let ours: Set<String> = [
        "connection", "upgrade", "sec-websocket-key", "sec-websocket-version", "sec-websocket-accept",
        "sec-websocket-extensions", "content-length", "transfer-encoding",
    ]

    /// Opens the connection.
    package init(_ sink: any ConnectionSink, _ connection: Connection, at time: WallTime) throws(ImportError) {
        var connection = connection
        connection.isMadeUp = true
        self.sink = sink
        self.connection = connection
        try sink.opened(connection, at: time)
    }

    /// Writes the upgrade and the server's answer to it, unless `status` is nil: then the server never answered. Fields
    /// that make an upgrade (Connection, Upgrade, Sec-WebSocket-Key, -Version, -Accept, -Extensions) are ours, whatever
    /// is given; so is the length of a body, which is left out.
    /// - Parameters:
    ///   - target: `/ws?token=…`
    ///   - host: `chat.example:8080`, for when `fields` has no Host.
    package func open(
        target: String, host: String, fields: [(name: String, value: String)] = [], status: Int? = 101,
        response: [(name: String, value: String)] = [], at time: WallTime, answeredAt: WallTime? = nil
    ) throws(ImportError) {
        var head = "GET \(Self.target(target)) HTTP/1.1\r\n"
        if !fields.contains(where: { Self.folded($0.name) == "host" }) { head += "Host: \(Self.line(host))\r\n" }
        head += Self.lines(fields, onlyOneHost: true)
        head += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(Self.key)\r\n\r\n"
        try sink.bytes(connection.id, from: .client, ByteBuffer(string: head), at: time)
        guard let status else { return }
        var answer = "HTTP/1.1 \(min(max(status, 101), 999)) \(Self.reason(status))\r\n"
        answer += Self.lines(response, onlyOneHost: false)
        if status == 101 {
            answer += "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: \(AcceptKey.compute(Self.key))\r\n"
        } else {
            answer += "Content-Length: 0\r\n"
        }
        try sink.bytes(connection.id, from: .server, ByteBuffer(string: answer + "\r\n"), at: answeredAt ?? time)
    }

    /// A whole message or a control frame. The payload of a text may be any bytes; a control frame's is cut at 125.
    package func message(
        from side: Side, _ opcode: Opcode, _ payload: ByteBuffer, at time: WallTime
    ) throws(ImportError) {
        var payload = payload
        if opcode.isControl, payload.readableBytes > 125 { payload = payload.readSlice(length: 125) ?? ByteBuffer() }
        let frame = Frame(opcode: opcode, maskKey: side == .client ? 0 : nil, payload: payload)
        try sink.bytes(connection.id, from: side, FrameWriter.bytes(frame), at: time)
    }

    /// A Close frame; `code` nil = an empty one.
    package func close(
        from side: Side, code: UInt16?, reason: String = "", at time: WallTime
    ) throws(ImportError) {
        let payload = code.map { CloseBody(code: $0, reason: reason).payload } ?? ByteBuffer()
        try message(from: side, .close, payload, at: time)
    }

    /// What that side sent from here on, or sent at all, is not known.
    package func unknown(from side: Side, at time: WallTime) throws(ImportError) {
        try sink.gap(connection.id, from: side, count: 0, at: time)
    }

    /// The transport's end, when the source knows of it.
    package func ended(from side: Side, _ style: EndStyle, at time: WallTime) throws(ImportError) {
        try sink.ended(connection.id, from: side, style, at: time)
    }

    /// Nothing more is known. Last call.
    package func gone(at time: WallTime) throws(ImportError) { try sink.gone(connection.id, at: time) }

    // MARK: Lines of heads

    private static func lines(_ fields: [(name: String, value: String)], onlyOneHost: Bool) -> String {
        var text = ""
        var hasHost = false
        for (name, value) in fields {
            let folded = folded(name)
            // HTTP/2 tells the first line in fields of its own.
            guard !ours.contains(folded), !name.isEmpty, name.utf8.allSatisfy(isToken) else { continue }
            if folded == "host", onlyOneHost {
                if hasHost { continue }
                hasHost = true
            }
            text += "\(name): \(line(value))\r\n"
        }
        return text
    }

    private static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map { 0x41...0x5a ~= $0 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// What would end a line, or is no text, becomes a blank.
    private static func line(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 }, as: UTF8.self)
    }

    private static func target(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "#") {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let hex = String(byte, radix: 16, uppercase: true)
                out += "%" + (hex.utf8.count < 2 ? "0" + hex : hex)
            }
        }
        return out.hasPrefix("/") || out.contains("://") ? out : "/" + out
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 101: "Switching Protocols"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Answer"
        }
    }
}
