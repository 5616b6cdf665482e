import Wire

/// Where in the file one entry that opened a WebSocket stands: all that is held of it until it is its turn.
struct HAREntry {
    /// From 1, in the file's order.
    var number: Int
    var started: WallTime?
    /// Where its `request` and `response` begin.
    var request: UInt64
    var response: UInt64?
    var serverAddress: String?
    var serverPort: UInt16?
    /// Why it failed, told by the entry itself.
    var failure: String?
    var messages: Messages

    enum Messages: Equatable {
        /// An array that begins there.
        case embedded(UInt64)
        /// Playwright's `content: attach`: one message a line.
        case attached(String)
        case none
    }
}

/// What request and response of an entry say.
struct HAROpening {
    var url: HARURL
    var method: String
    var request: [HARField]
    /// Nil when no answer came, or none was written down.
    var response: Response?
    /// Why it failed: Playwright's `_failureText`, Chrome's `_error`.
    var failure: String?

    struct Response {
        var status: Int
        var reason: String
        var fields: [HARField]
    }

    static let requestFields: Set<String> = ["method", "url", "headers", "cookies"]
    static let responseFields: Set<String> = [
        "status", "statusText", "headers", "cookies", "_failureText", "_error", "content",
    ]

    /// Nil without a URL that we know.
    init?(request: [String: JSON], response: [String: JSON]) {
        guard let url = request["url"]?.string.flatMap({ HARURL($0) }) else { return nil }
        self.url = url
        method = request["method"]?.string ?? "GET"
        self.request = HARField.fields(request["headers"], cookies: request["cookies"], cookieHeader: "cookie")
        failure = [response["_failureText"], response["_error"]].compactMap { $0?.string }.first { !$0.isEmpty }
        guard let status = response["status"]?.integer, (100...999).contains(status) else { return }
        self.response = Response(
            status: status, reason: HARField.oneLine(response["statusText"]?.string ?? ""),
            fields: HARField.fields(response["headers"], cookies: response["cookies"], cookieHeader: "set-cookie"))
    }

    /// The request asks for an upgrade, by its fields or by its URL.
    var isUpgrade: Bool {
        url.isWebSocket
            || request.contains { $0.name.lowercased() == "upgrade" && $0.value.lowercased() == "websocket" }
    }
}

struct HARField: Equatable {
    var name: String
    var value: String
}

/// The parts of a URL that an opening needs.
struct HARURL: Equatable {
    var isSecure: Bool
    /// `ws` or `wss`
    var isWebSocket: Bool
    /// As it stands, with brackets around IPv6.
    var host: String
    var port: UInt16
    /// Path and query, as sent.
    var target: String

    /// Nil unless it is a `ws`, `wss`, `http` or `https` URL with a host.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: Array("://".utf8)) else { return nil }
        let scheme = String(decoding: bytes[..<colon], as: UTF8.self).lowercased()
        guard ["ws", "wss", "http", "https"].contains(scheme) else { return nil }
        isSecure = scheme == "wss" || scheme == "https"
        isWebSocket = scheme.hasPrefix("ws")
        let rest = bytes[(colon + 3)...]
        let end = rest.firstIndex { [UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#")].contains($0) } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) { authority = authority[(at + 1)...] }
        var port: UInt16 = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: UInt8(ascii: ":")), !authority[colon...].contains(UInt8(ascii: "]")) {
            guard let given = UInt16(String(decoding: authority[(colon + 1)...], as: UTF8.self)) else { return nil }
            port = given
            authority = authority[..<colon]
        }
        guard !authority.isEmpty, authority.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { return nil }
        host = String(decoding: authority, as: UTF8.self)
        self.port = port
        var tail = rest[end...]
        if let hash = tail.firstIndex(of: UInt8(ascii: "#")) { tail = tail[..<hash] }
        let target = String(decoding: tail, as: UTF8.self)
        self.target = HARURL.safe(target.hasPrefix("/") ? target : "/" + target)
    }

    /// `chat.example:8080`, without the port where it is the scheme's own.
    var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }

    /// A request line holds no white space and no control characters.
    private static func safe(_ target: String) -> String {
        guard target.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else { return target }
        return target.utf8.reduce(into: "") { out, byte in
            let digits = String(byte, radix: 16, uppercase: true)
            if byte <= 0x20 || byte == 0x7f {
                out += "%" + (digits.count == 1 ? "0" : "") + digits
            } else {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            }
        }
    }
}

extension HARField {
    /// Headers, pseudo-headers of HTTP/2 left out, with cookies that stand only in the list of cookies.
    static func fields(_ headers: JSON?, cookies: JSON?, cookieHeader: String) -> [HARField] {
        var fields = pairs(headers).filter { !$0.name.hasPrefix(":") && isToken($0.name) }
        for index in fields.indices { fields[index].value = oneLine(fields[index].value) }
        let cookies = pairs(cookies)
        guard !cookies.isEmpty, !fields.contains(where: { $0.name.lowercased() == cookieHeader }) else { return fields }
        let texts = cookies.map { oneLine("\($0.name)=\($0.value)") }
        if cookieHeader == "cookie" {
            fields.append(HARField(name: "Cookie", value: texts.joined(separator: "; ")))
        } else {
            fields += texts.map { HARField(name: "Set-Cookie", value: $0) }
        }
        return fields
    }

    private static func pairs(_ list: JSON?) -> [HARField] {
        (list?.array ?? []).compactMap { pair in
            guard let name = pair["name"]?.string, let value = pair["value"] else { return nil }
            return HARField(name: name, value: value.string ?? value.text)
        }
    }

    /// A header's name may hold nothing that would end it (RFC 9110 section 5.6.2).
    static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Line ends and zeros in a value, which some writers put between repeated headers, become spaces: what stands in a
    /// file must not add lines to a head.
    static func oneLine(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else { return value }
        return String(decoding: value.utf8.map { $0 == 0x0a || $0 == 0x0d || $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
    }
}
