package import Journaling
import Wire

/// Swallows a message.
package struct Drop: Fault {
    package static let name = "drop"
    package static let group = FaultGroup.message
    package static let summary = "swallows the message"
    package static let excuse = "E1, D1 of that message"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters: [Parameter] = []

    package init(_ settings: Settings) throws(SettingsError) {
        _ = try SettingsReader(settings, for: Self.parameters)
    }

    package var forecloses: [ParcelKind] { Self.acts }
    package var influence: Influence { Influence(.message, [.delivery, .completion]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        return .effects([], detail: "dropped \(message.payload.readableBytes) bytes")
    }
}
