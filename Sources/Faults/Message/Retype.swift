package import Journaling
import Wire

/// Text goes as binary, binary as text.
package struct Retype: Fault {
    package static let name = "retype"
    package static let group = FaultGroup.message
    package static let summary = "sends text as binary, or binary as text"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "as", .choice(["other", "text", "binary"]), default: "other",
            doc: "what it becomes; bytes that are no UTF-8 become a text that no receiver may take")
    ]

    private let target: Opcode?

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        target = reader.text("as") == "text" ? .text : reader.text("as") == "binary" ? .binary : nil
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let target = target ?? (message.opcode == .text ? .binary : .text)
        let word = target == .text ? "text" : "binary"
        guard target != message.opcode else { return .notApplied("the message is \(word) already") }
        message.opcode = target
        message.changed = true
        return .effects([.forward(.message(message), at: nil)], detail: "sent as \(word)")
    }
}
