import Journaling
import NIOCore
import Wire

/// One row of `_webSocketMessages`.
struct HARRow: Equatable {
    enum Content: Equatable {
        case message(Side, Opcode, [UInt8])
        case close(Side, CloseBody)
        /// Nothing that passed on the wire, or nothing that can be understood: one phrase.
        case remark(String)
    }
    /// Nil when it bears none.
    var time: WallTime?
    var content: Content

    /// - Parameter isRawUnlessMarked: the writer marks base64 (gori), so that what is unmarked is plain.
    init(_ row: JSON, isRawUnlessMarked: Bool) {
        if case .number(let text)? = row["time"] { time = WallClockText.sinceEpoch(text) }
        if case .string(let text)? = row["time"] { time = WallClockText.iso(text) ?? WallClockText.sinceEpoch(text) }
        guard row.object != nil else {
            content = .remark("a message is a \(row.kind), not an object")
            return
        }
        let type = row["type"]?.string ?? ""
        let opcode = HARRow.opcode(row["opcode"])
        if type == "error" || opcode == -1 {
            content = .remark("error: \(HARRow.excerpt(row["data"]?.string ?? row["errorMessage"]?.string ?? "no text"))")
            return
        }
        guard let side = HARRow.side(type) else {
            content = .remark("the type \(HARRow.excerpt(type.isEmpty ? "(none)" : type)) is unknown, expected send or receive")
            return
        }
        guard let opcode, let wire = UInt8(exactly: opcode), wire < 16 else {
            content = .remark("the opcode \(HARRow.excerpt(row["opcode"]?.text ?? "")) is none")
            return
        }
        guard let data = HARRow.data(row) else {
            content = .remark("a message without data")
            return
        }
        let isMarked = row["encoding"]?.string?.lowercased() == "base64"
        let form = Form(opcode: Opcode(rawValue: wire), isMarked: isMarked, isPlain: isRawUnlessMarked)
        if form.opcode == .close {
            content = .close(side, HARRow.closeBody(row, data, form))
        } else {
            content = .message(side, form.opcode, form.bytes(data))
        }
    }

    private struct Form {
        var opcode: Opcode
        var isMarked: Bool
        var isPlain: Bool

        /// Text is text; anything else is base64 where it can be, else the characters themselves.
        func bytes(_ data: String) -> [UInt8] {
            let isText = opcode == .text || isPlain
            guard isMarked || !isText, let decoded = Base64.decode(data) else { return Array(data.utf8) }
            return Array(decoded.readableBytesView)
        }
    }

    /// A missing opcode is text. Nil for what is no number.
    private static func opcode(_ value: JSON?) -> Int? {
        switch value {
        case nil, .null: 1
        case .string(let word):
            ["text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10, "continuation": 0][word.lowercased()] ?? Int(word)
        default: value?.integer
        }
    }

    private static func side(_ type: String) -> Side? {
        switch type.lowercased() {
        case "send", "sent", "request", "outgoing": .client
        case "receive", "received", "response", "incoming": .server
        default: nil
        }
    }

    private static func data(_ row: JSON) -> String? {
        switch row["data"] {
        case .string(let text): text
        case nil, .null: ""
        // Some writers put parsed JSON where its text was.
        case let value?: value.text
        }
    }

    /// Code and reason in fields of their own, in the body's bytes, or as text: `1001 going away`.
    private static func closeBody(_ row: JSON, _ data: String, _ form: Form) -> CloseBody {
        if let code = (row["code"] ?? row["closeCode"])?.integer.flatMap(UInt16.init(exactly:)) {
            let reason = (row["reason"] ?? row["closeReason"])?.string
            return CloseBody(code: code, reason: reason ?? (form.isMarked ? "" : data))
        }
        if let decoded = Base64.decode(data), form.isMarked || !data.isEmpty {
            let body = CloseBody(decoded)
            if form.isMarked || (body.code.map { (1000...4999).contains($0) } ?? false) && body.reason != nil { return body }
        }
        let digits = data.utf8.prefix { (0x30...0x39).contains($0) }
        if digits.count == 4, let code = UInt16(String(decoding: digits, as: UTF8.self)) {
            let rest = data.utf8.dropFirst(4).drop { $0 == 0x20 || $0 == 0x3a }
            return CloseBody(code: code, reason: String(decoding: rest, as: UTF8.self))
        }
        return CloseBody(ByteBuffer(bytes: data.utf8))
    }

    /// At most 80 characters, for a sentence.
    static func excerpt(_ text: String) -> String { text.count > 80 ? text.prefix(79) + "…" : text }
}
