import Wire

/// How the backend answers the head of a request.
enum Upgrade: Sendable {
    /// 101 with these bytes; `user` nil when the credential comes in the first message.
    case accept(response: String, principal: Principal?)
    /// A plain HTTP answer, then the end.
    case answer(String)
    /// No valid credential: 401 unless a bug says otherwise. `subject` is whom the bad token names, `response` the 101.
    case unauthorized(subject: String?, response: String?)

    /// The path that takes the credential in the first message.
    static let latePath = "/ws/late"

    /// - Parameter now: seconds since 1970.
    static func decide(_ head: RequestHead, key: String, now: Int64, open: Int) -> Upgrade {
        let path = head.path
        if path == "/health" { return .answer(health(head, open: open)) }
        guard path == "/ws" || path.hasPrefix("/ws/") else { return .answer(page(404, "there is nothing here")) }
        let credential = Credential.find(in: head)
        let problem = problem(of: head)
        if credential == nil, path == latePath {
            return problem.map { .answer($0) } ?? .accept(response: switching(head), principal: nil)
        }
        guard let token = credential?.token, let principal = Principal(token: token, key: key, now: now) else {
            // The credential comes before the form: who is nobody learns nothing else.
            let subject = credential.flatMap { Principal.claimed(in: $0.token) }
            return .unauthorized(subject: subject, response: problem == nil ? switching(head) : nil)
        }
        return problem.map { .answer($0) } ?? .accept(response: switching(head), principal: principal)
    }

    /// What keeps this head from being an opening handshake (RFC 6455 section 4.2.1), as the answer to it.
    private static func problem(of head: RequestHead) -> String? {
        if let problem = head.upgradeProblem {
            let isUpgrade = head.has("websocket", in: "upgrade")
            return page(isUpgrade ? 400 : 426, problem, fields: isUpgrade ? [] : ["Upgrade: websocket"])
        }
        if head.value("host") == nil { return page(400, "no Host") }
        if head.value("sec-websocket-version") != "13" {
            return page(426, "the WebSocket version is not 13", fields: ["Sec-WebSocket-Version: 13"])
        }
        let keys = head.all("sec-websocket-key")
        guard keys.count == 1, isNonce(keys[0].value) else {
            return page(400, "Sec-WebSocket-Key is not 16 bytes in base64")
        }
        return nil
    }

    /// 16 bytes in base64: 22 digits, of which the last has four bits to spare, and `==`.
    private static func isNonce(_ key: String) -> Bool {
        let bytes = Array(key.utf8)
        guard bytes.count == 24, bytes[22] == 0x3d, bytes[23] == 0x3d else { return false }
        guard [UInt8(ascii: "A"), UInt8(ascii: "Q"), UInt8(ascii: "g"), UInt8(ascii: "w")].contains(bytes[21]) else {
            return false
        }
        return bytes[..<22].allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2b, 0x2f: true
            default: false
            }
        }
    }

    private static func switching(_ head: RequestHead) -> String {
        var lines = [
            "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Accept: " + AcceptKey.compute(head.value("sec-websocket-key") ?? ""),
        ]
        // A protocol beside the credential if one is offered; else the credential's own, for a browser fails a
        // connection whose offer is met with nothing.
        let offered = head.subprotocols.map(\.value).filter(isToken)
        if let chosen = offered.first(where: { $0 == "agent-chat" }) ?? offered.first(where: { !Credential.isToken($0) }
        )
            ?? offered.first
        {
            lines.append("Sec-WebSocket-Protocol: " + chosen)
        }
        return lines.joined(separator: "\r\n") + "\r\n\r\n"
    }

    /// RFC 9110 section 5.6.2; anything else is not repeated in a head.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains(byte)
            }
    }

    private static func health(_ head: RequestHead, open: Int) -> String {
        guard head.method == "GET" || head.method == "HEAD" else {
            return page(405, "health is read with GET", fields: ["Allow: GET, HEAD"])
        }
        let body = JSON.object([
            .init(key: "status", value: "ok"), .init(key: "connections", value: .number("\(open)")),
        ]).text
        return text(200, body: body, withBody: head.method == "GET")
    }

    /// A refusal with its reason as JSON.
    static func page(_ status: Int, _ reason: String, fields: [String] = []) -> String {
        text(status, body: JSON.object([.init(key: "error", value: .string(reason))]).text, fields: fields)
    }

    static func text(_ status: Int, body: String, fields: [String] = [], withBody: Bool = true) -> String {
        let lines =
            ["HTTP/1.1 \(status) \(phrase(status))"] + fields + [
                "Content-Type: application/json", "Content-Length: \(body.utf8.count)", "Connection: close",
            ]
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + (withBody ? body : "")
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 426: "Upgrade Required"
        case 431: "Request Header Fields Too Large"
        default: "Error"
        }
    }
}
