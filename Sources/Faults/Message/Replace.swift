package import Journaling
import NIOCore
import Wire

/// Puts a given payload in the place of the message's own.
package struct Replace: Fault {
    package static let name = "replace"
    package static let group = FaultGroup.message
    package static let summary = "puts another payload in the message"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("payload", .text, default: "miswire", doc: "what stands there instead"),
        Parameter("form", .choice(["text", "hex"]), default: "text", doc: "`payload` is the text itself, or hexadecimal digits"),
        Parameter("opcode", .choice(["same", "text", "binary"]), default: "same", doc: "what the message then is"),
    ]

    private let payload: ByteBuffer
    private let opcode: Opcode?

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        payload = try reader.payload("payload", form: "form")
        opcode = reader.text("opcode") == "text" ? .text : reader.text("opcode") == "binary" ? .binary : nil
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let before = message.payload.readableBytes
        guard message.payload != payload || message.opcode != opcode ?? message.opcode else {
            return .notApplied("the message says that already")
        }
        message.payload = payload
        message.opcode = opcode ?? message.opcode
        message.changed = true
        return .effects(
            [.forward(.message(message), at: nil)], detail: "\(before) bytes replaced by \(payload.readableBytes)")
    }
}
