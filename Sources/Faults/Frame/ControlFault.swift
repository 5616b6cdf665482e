package import Journaling
import NIOCore
import Wire

/// Sends control frames that are too long, fragmented or too many, or that nobody asked for (RFC 6455 section 5.5).
package struct ControlFault: Fault {
    package static let name = "control"
    package static let group = FaultGroup.frame
    package static let summary = "sends control frames beside the message"
    package static let excuse = "everything later on that connection, if they are illegal"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["oversize", "fragmented", "flood", "unsolicited-pong"]), default: "unsolicited-pong",
            doc: "longer than 125 bytes, in two fragments, many pings at once, or a pong that answers no ping"),
        Parameter("opcode", .choice(["ping", "pong", "close"]), default: "ping", doc: "what is too long or fragmented"),
        Parameter("size", .bytes, default: "126", range: 126...(1 << 20), doc: "payload of one that is too long, 126 to 1MiB"),
        Parameter("count", .count, default: "1000", range: 1...10_000, doc: "pings of a flood, 1 to 10000"),
        Parameter("place", .choice(["before", "behind"]), default: "before", doc: "where they go, seen from the message"),
    ]

    private let how: String
    private let opcode: Opcode
    private let size: Int
    private let count: Int
    private let isBehind: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "unsolicited-pong"
        opcode = reader.text("opcode") == "pong" ? .pong : reader.text("opcode") == "close" ? .close : .ping
        size = reader.bytes("size") ?? 126
        count = reader.count("count") ?? 1_000
        isBehind = reader.text("place") == "behind"
    }

    package var influence: Influence {
        how == "unsolicited-pong" ? .legalFrame : how == "flood" ? Influence(.message, [.deadline]) : .hostileFrame
    }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var beside = message
        // No message of a compression context.
        beside.isCompressed = false
        let ours = Effect.frames(frames(message, &dice).map(FrameWriter.bytes), of: beside, at: nil)
        let current = Effect.forward(parcel, at: nil)
        return .effects(isBehind ? [current, ours] : [ours, current], detail: "\(detail) \(isBehind ? "behind" : "before") the message")
    }

    private var detail: String {
        let word = opcode == .ping ? "ping" : opcode == .pong ? "pong" : "Close"
        switch how {
        case "oversize": return "a \(word) of \(size) bytes"
        case "fragmented": return "a \(word) in two fragments"
        case "flood": return "\(count) pings"
        default: return "a pong that answers no ping"
        }
    }

    private func frames(_ message: Message, _ dice: inout Dice) -> [Frame] {
        // The body of a Close begins with a code.
        let start = opcode == .close ? CloseBody(code: 1000).payload : ByteBuffer()
        switch how {
        case "oversize":
            var payload = start
            payload.writeRepeatingByte(UInt8(ascii: "x"), count: size - payload.readableBytes)
            return [message.frame(payload, opcode: opcode, &dice)]
        case "fragmented":
            return [
                message.frame(start, opcode: opcode, fin: false, &dice),
                message.frame(ByteBuffer(string: "miswire"), opcode: .continuation, &dice),
            ]
        case "flood":
            return (1...count).map { message.frame(ByteBuffer(string: "\($0)"), opcode: .ping, &dice) }
        default: return [message.frame(ByteBuffer(string: "miswire"), opcode: .pong, &dice)]
        }
    }
}
