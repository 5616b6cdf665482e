package import Journaling
import NIOCore
import Wire

/// Says no in the server's stead: an HTTP answer to the upgrade, which the server then never sees, or a Close right behind
/// the server's own 101.
package struct Refuse: Fault {
    package static let name = "refuse"
    package static let group = FaultGroup.handshake
    package static let summary = "refuses the upgrade, or closes right behind the 101"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead, .responseHead]
    package static let parameters = [
        Parameter("status", .count, default: "503", range: 400...599, doc: "HTTP status of the answer, from 400 to 599; the server sees no request"),
        Parameter("headers", .names, doc: "further fields of the answer, each as `Name: value`"),
        Parameter("body", .text, doc: "body of the answer; the reason in one line when left out"),
        Parameter("retry-after", .duration, doc: "a Retry-After field (RFC 9110 section 10.2.3), rounded up to whole seconds"),
        Parameter(
            "close", .count, range: 0...65_535,
            doc: "instead of an answer: a Close with this code, 0 to 65535, behind the 101, then FIN to both sides"),
        Parameter("reason", .text, doc: "reason in that Close, cut to the 123 bytes that fit (RFC 6455 section 5.5)"),
    ]

    private let status: Int
    private let headers: [(String, String)]
    private let body: String?
    /// Of the Close; nil = the upgrade itself is refused.
    private let code: UInt16?
    private let reason: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        status = reader.count("status") ?? 503
        var fields: [(String, String)] = []
        for text in reader.texts("headers") { fields.append(try Self.field(text)) }
        if let wait = reader.duration("retry-after") {
            fields.append(("Retry-After", "\(wait.nanoseconds / 1_000_000_000 + (wait.nanoseconds % 1_000_000_000 > 0 ? 1 : 0))"))
        }
        headers = fields
        body = reader.text("body")
        reason = reader.text("reason") ?? ""
        code = reader.count("close").flatMap { UInt16(exactly: $0) }
        // One says no in one way.
        let given = settings.values.map(\.name)
        let others = given.filter { code == nil ? $0 == "reason" : !["close", "reason"].contains($0) }
        if let other = others.first {
            throw SettingsError(
                parameter: other, needs: code == nil ? "`close` beside it" : "a refusal without `close`",
                expected: code == nil ? "close: CODE" : "it to be left out", found: code == nil ? "none" : "close")
        }
    }

    /// A token, a colon and a text without line ends (RFC 9110 section 5).
    private static func field(_ text: String) throws(SettingsError) -> (String, String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let isToken = !parts[0].isEmpty && parts[0].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !"\"(),/:;<=>?@[\\]{}".utf8.contains($0) }
        guard parts.count == 2, isToken, !parts[1].utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7f }) else {
            throw SettingsError(parameter: "headers", needs: "fields", expected: "`Name: value`", found: "\"\(text)\"")
        }
        return (parts[0], String(parts[1].drop { $0 == " " }))
    }

    package var forecloses: [ParcelKind] { (code == nil ? [.responseHead] : []) + [.messageToServer, .messageToClient] }
    package var selects: [ParcelKind] { code == nil ? [.requestHead] : [.responseHead] }
    package var influence: Influence { Influence(.connection, [.success, .ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        switch (parcel, code) {
        case (.requestHead, nil):
            let word = Self.reasons[status] ?? "Refused"
            return .effects(
                [.respond(status: status, reason: word, headers: headers, body: body)], detail: "refused with \(status)")
        case (.responseHead(var head), let code?):
            let close = Frame(opcode: .close, payload: CloseBody(code: code, reason: reason).payload)
            head.tail = .frames(FrameWriter.bytes(close))
            return .effects(
                [.forward(.responseHead(head), at: nil)] + Side.allCases.map { .cut($0, .half) },
                detail: "closed with \(code) behind the 101")
        default: return .pass
        }
    }

    /// RFC 9110 section 15 and RFC 6585.
    private static let reasons = [
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 409: "Conflict",
        410: "Gone", 413: "Content Too Large", 421: "Misdirected Request", 426: "Upgrade Required", 428: "Precondition Required",
        429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error", 501: "Not Implemented",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout", 511: "Network Authentication Required",
    ]
}
