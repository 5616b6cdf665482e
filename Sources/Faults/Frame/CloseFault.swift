package import Journaling
import NIOCore
package import Wire

/// Sends a Close that nobody sent, legal or not (RFC 6455 section 5.5.1 and 7.4).
package struct CloseFault: Fault {
    package static let name = "close"
    package static let group = FaultGroup.frame
    package static let summary = "sends a Close of ours"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["code", "empty", "one-byte", "bad-reason", "long-reason", "twice", "data-after", "no-reply", "other-code"]),
            default: "code",
            doc: """
                a code and a reason, no body, half a code, a reason that is no UTF-8 or too long, two Closes, or the message behind \
                it; or a Close that passes is taken away, or gets this code
                """),
        Parameter("code", .count, default: "1002", range: 0...65_535, doc: "0 to 65535; below 1000, 1004 to 1006, 1015 and from 5000 none may be sent"),
        Parameter("reason", .text, doc: "the reason behind the code"),
        Parameter("place", .choice(["behind", "instead"]), default: "behind", doc: "behind the message or in its place"),
    ]

    private let how: String
    private let code: UInt16
    private let reason: String
    private let isInstead: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "code"
        code = UInt16(clamping: reader.count("code") ?? 1_002)
        reason = reader.text("reason") ?? ""
        isInstead = reader.text("place") == "instead"
    }

    package var influence: Influence { .hostileFrame }
    package var control: Opcode? { how == "no-reply" || how == "other-code" ? .close : nil }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        if control != nil { return meet(message) }
        var beside = message
        // No message of a compression context.
        beside.isCompressed = false
        let close = (0..<(how == "twice" ? 2 : 1)).map { _ in FrameWriter.bytes(message.frame(body, opcode: .close, &dice)) }
        let ours = Effect.frames(close, of: beside, at: nil)
        let current = Effect.forward(parcel, at: nil)
        if how == "data-after" { return .effects([ours, current], detail: "the message behind a Close \(code)") }
        let what = how == "code" ? "\(code)" : how
        return .effects(
            isInstead ? [ours] : [current, ours], detail: "Close \(what) \(isInstead ? "instead of" : "behind") the message")
    }

    /// What becomes of a Close that somebody else sent.
    private func meet(_ close: Message) -> Action {
        let sent = CloseBody(close.payload).code.map { "Close \($0)" } ?? "Close without a code"
        guard how == "other-code" else { return .effects([], detail: "the \(sent) goes nowhere") }
        guard close.payload != body else { return .notApplied("it says that already") }
        var changed = close
        changed.payload = body
        changed.changed = true
        return .effects([.forward(.message(changed), at: nil)], detail: "\(sent) says \(code)")
    }

    private var body: ByteBuffer {
        switch how {
        case "empty": return ByteBuffer()
        case "one-byte": return ByteBuffer(bytes: [UInt8(truncatingIfNeeded: code >> 8)])
        case "bad-reason": return ByteBuffer(bytes: [UInt8(code >> 8), UInt8(code & 0xff), 0xc3, 0x28])
        case "long-reason":
            var body = ByteBuffer(integer: code)
            body.writeRepeatingByte(UInt8(ascii: "x"), count: 124)
            return body
        default: return CloseBody(code: code, reason: reason).payload
        }
    }
}
