import NIOCore
import NIOHPACK
import Wire

/// Heads of HTTP/2 as heads of HTTP/1.1 that mean the same, and back, so that everything that reads or changes heads knows one
/// form of them. Fields keep their order; names are in lower case on an HTTP/2 hop (RFC 9113 section 8.2).
enum EquivalentHeads {
    /// Fields of one hop alone (RFC 9113 section 8.2.2), and what the opening of HTTP/1.1 has that RFC 8441 does without.
    private static let ofOneHop: Set<String> = [
        "connection", "upgrade", "keep-alive", "proxy-connection", "transfer-encoding", "http2-settings",
    ]

    // MARK: From HTTP/2

    /// True for the extended CONNECT of RFC 8441 section 4.
    static func opensWebSocket(_ fields: HPACKHeaders) -> Bool {
        fields.first(name: ":method") == "CONNECT" && fields.first(name: ":protocol") == "websocket"
    }

    /// A request that is read from HTTP/2.
    /// - Parameters:
    ///   - key: the `Sec-WebSocket-Key` of an extended CONNECT that has none.
    ///   - isChunked: it has a body of no known length.
    static func request(_ fields: HPACKHeaders, key: String, isChunked: Bool) -> ByteBuffer {
        let opens = opensWebSocket(fields)
        let method = opens ? "GET" : fields.first(name: ":method") ?? "GET"
        var text = "\(method) \(fields.first(name: ":path") ?? "/") HTTP/1.1\r\n"
        let authority = fields.first(name: ":authority")
        if let authority { text += "Host: \(authority)\r\n" }
        if opens { text += "Upgrade: websocket\r\nConnection: Upgrade\r\n" }
        if opens, !fields.contains(name: "sec-websocket-key") { text += "Sec-WebSocket-Key: \(key)\r\n" }
        if isChunked { text += "Transfer-Encoding: chunked\r\n" }
        var cookies: [String] = []
        for (name, value, _) in fields where name == "cookie" { cookies.append(value) }
        for (name, value, _) in fields where !name.hasPrefix(":") && !ofOneHop.contains(name) {
            if name == "host", value == authority { continue }
            if name == "cookie" {
                // Sent apart for the sake of compression, one field here (RFC 9113 section 8.2.3).
                if !cookies.isEmpty { text += "cookie: \(cookies.joined(separator: "; "))\r\n" }
                cookies = []
                continue
            }
            text += "\(name): \(value)\r\n"
        }
        return ByteBuffer(string: text + "\r\n")
    }

    /// A response that is read from HTTP/2.
    /// - Parameters:
    ///   - key: of the upgrade that it answers; nil when a plain request was asked.
    ///   - hasEnded: no body follows.
    static func response(_ fields: HPACKHeaders, key: String?, hasEnded: Bool) -> ByteBuffer {
        let status = fields.first(name: ":status").flatMap { Int($0) } ?? 502
        var text: String
        var isTunnel = false
        if let key, 200..<300 ~= status {
            isTunnel = true
            text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            text += "Sec-WebSocket-Accept: \(AcceptKey.compute(key))\r\n"
        } else {
            text = "HTTP/1.1 \(status) \(reason(status))\r\n"
        }
        for (name, value, _) in fields where !name.hasPrefix(":") && !ofOneHop.contains(name) {
            if isTunnel, name == "sec-websocket-accept" || name == "content-length" { continue }
            text += "\(name): \(value)\r\n"
        }
        if !isTunnel, status >= 200 {
            // A stream is one exchange; its end is the end of what has no length.
            if hasEnded, !fields.contains(name: "content-length"), status != 204, status != 304 { text += "Content-Length: 0\r\n" }
            text += "Connection: close\r\n"
        }
        return ByteBuffer(string: text + "\r\n")
    }

    /// RFC 9110 section 15 names them; HTTP/2 does not send them.
    private static func reason(_ status: Int) -> String {
        let known = [
            100: "Continue", 103: "Early Hints", 200: "OK", 201: "Created", 202: "Accepted", 204: "No Content",
            206: "Partial Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
            307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
            404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout", 409: "Conflict", 410: "Gone",
            413: "Content Too Large", 421: "Misdirected Request", 426: "Upgrade Required", 429: "Too Many Requests",
            431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
            503: "Service Unavailable", 504: "Gateway Timeout",
        ]
        return known[status] ?? ""
    }

    // MARK: To HTTP/2

    /// A request that goes on by HTTP/2.
    /// - Parameter scheme: `http` or `https`, what the hop is.
    static func fields(of head: RequestHead, scheme: String) -> HPACKHeaders {
        let opens = head.isWebSocketUpgrade
        var fields = HPACKHeaders()
        fields.add(name: ":method", value: opens ? "CONNECT" : head.method)
        if opens { fields.add(name: ":protocol", value: "websocket") }
        fields.add(name: ":scheme", value: scheme)
        fields.add(name: ":path", value: target(head))
        if let host = head.value("host") { fields.add(name: ":authority", value: host) }
        copy(head, to: &fields, without: opens ? ["host", "sec-websocket-key"] : ["host"])
        return fields
    }

    /// A response that goes on by HTTP/2.
    /// - Parameter key: of the upgrade that it answers.
    static func fields(of head: ResponseHead, key: String?) -> HPACKHeaders {
        var fields = HPACKHeaders()
        let accepts = head.status == 101
        fields.add(name: ":status", value: accepts ? "200" : "\(head.status)")
        // RFC 8441 section 5 does without it. A wrong one is news for whoever looks.
        let isRight = accepts && key != nil && head.value("sec-websocket-accept") == key.map { AcceptKey.compute($0) }
        copy(head, to: &fields, without: isRight ? ["sec-websocket-accept"] : [])
        return fields
    }

    private static func copy(_ head: some HTTPHead, to fields: inout HPACKHeaders, without left: Set<String>) {
        let named = Set(head.list("connection").map { $0.value.lowercased() })
        for field in head.fields {
            let name = field.name.lowercased()
            if ofOneHop.contains(name) || left.contains(name) || named.contains(name) { continue }
            if name == "te", field.value.lowercased() != "trailers" { continue }
            fields.add(name: name, value: field.value)
        }
    }

    /// In origin form: path and query.
    private static func target(_ head: RequestHead) -> String {
        guard let scheme = head.target.firstIndex(of: ":"), head.target[scheme...].hasPrefix("://") else { return head.target }
        let rest = head.target[head.target.index(scheme, offsetBy: 3)...]
        guard let start = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
        return rest[start] == "?" ? "/" + rest[start...] : String(rest[start...])
    }
}
