import Journaling
import NIOCore
import Wire

/// One line of an NDJSON file of messages, as `miswire export --format ndjson` writes them and as others do by hand.
struct MessageLine {
    /// `s31`, or whatever the file calls it.
    var session: String
    var user: String?
    var direction: Direction
    var opcode: Opcode
    var payload: ByteBuffer
    var time: WallTime?
    /// `/ws?x=1`, when the line tells it; the first line of a session is asked.
    var target: String?

    /// Bytes of a session's name. Names of all open sessions are kept (trust.md T28).
    private static let longestSession = 256

    struct Unreadable: Error {
        var sentence: String
    }

    init(_ line: ByteBuffer) throws(Unreadable) {
        let json: JSON
        do {
            json = try JSON.parse(line)
        } catch {
            throw Unreadable(sentence: "no JSON: \(error.reason) at byte \(error.offset + 1)")
        }
        guard case .object = json else { throw Unreadable(sentence: "expected an object, found \(json.kind)") }
        session = try Self.word(json["session"], "session") ?? "s1"
        guard session.utf8.count <= Self.longestSession else {
            throw Unreadable(sentence: "`session` takes more than \(Self.longestSession) bytes")
        }
        user = try Self.word(json["user"], "user")
        target = try Self.word(json["path"] ?? json["target"], "path")
        direction = try Self.direction(json["direction"] ?? json["type"])
        (opcode, payload) = try Self.content(json)
        time = try Self.time(json["time"])
    }

    private static func word(_ value: JSON?, _ key: String) throws(Unreadable) -> String? {
        switch value {
        case nil, .null: nil
        case .string(let text): text
        case .number(let text): text
        case .bool, .array, .object: throw Unreadable(sentence: "`\(key)` is no text")
        }
    }

    private static func direction(_ value: JSON?) throws(Unreadable) -> Direction {
        switch value?.string {
        case "toServer", "to-server", "client", "send", "sent", "out", "c>s", "▸": return .toServer
        case "toClient", "to-client", "server", "receive", "received", "in", "s>c", "◂": return .toClient
        case let text?: throw Unreadable(sentence: "`direction` is `\(text.prefix(20))`, expected toServer or toClient")
        case nil: throw Unreadable(sentence: "no `direction`, expected toServer or toClient")
        }
    }

    private static func content(_ json: JSON) throws(Unreadable) -> (Opcode, ByteBuffer) {
        let opcode = try opcode(json["opcode"])
        if let text = json["data64"] {
            guard let bytes = text.string.flatMap(Base64.decode) else { throw Unreadable(sentence: "`data64` is no base64") }
            return (opcode ?? .binary, bytes)
        }
        switch json["data"] {
        case .string(let text): return (opcode ?? .text, ByteBuffer(string: text))
        case nil: return (opcode ?? .text, ByteBuffer())
        // A message written as the JSON that it is.
        case let value?: return (opcode ?? .text, ByteBuffer(string: value.text))
        }
    }

    private static func opcode(_ value: JSON?) throws(Unreadable) -> Opcode? {
        if value == nil || value == .null { return nil }
        if let number = value?.integer, let raw = UInt8(exactly: number), raw < 16 { return Opcode(rawValue: raw) }
        switch value?.string {
        case "text": return .text
        case "binary": return .binary
        case "close": return .close
        case "ping": return .ping
        case "pong": return .pong
        case "continuation": throw Unreadable(sentence: "a continuation is no whole message")
        default: throw Unreadable(sentence: "`opcode` is `\(value?.text.prefix(20) ?? "")`, expected text, binary, close, ping or pong")
        }
    }

    private static func time(_ value: JSON?) throws(Unreadable) -> WallTime? {
        switch value {
        case nil, .null: return nil
        case .string(let text):
            if let time = WallClockText.iso(text) ?? WallClockText.sinceEpoch(text) { return time }
            throw Unreadable(sentence: "`time` is `\(text.prefix(40))`, expected 2026-09-21T14:02:16.014Z or seconds since 1970")
        case .number(let text):
            if let time = WallClockText.sinceEpoch(text) { return time }
            throw Unreadable(sentence: "`time` is `\(text.prefix(40))`, expected seconds since 1970")
        case let value?: throw Unreadable(sentence: "`time` is no text but \(value.kind)")
        }
    }
}
