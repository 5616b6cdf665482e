package import Journaling
import NIOCore
import Wire

/// Sends a fragmented message as one frame: legal, as anyone between the peers may (RFC 6455 section 5.4).
package struct Defragment: Fault {
    package static let name = "defragment"
    package static let group = FaultGroup.frame
    package static let summary = "joins the message's fragments"
    package static let excuse = "nothing: every receiver must take it"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters: [Parameter] = []

    package init(_ settings: Settings) throws(SettingsError) {
        _ = try SettingsReader(settings, for: Self.parameters)
    }

    package var influence: Influence { .legalFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let count = message.frames(&dice).count
        guard count > 1 else { return .notApplied("the message is one frame") }
        return .frames([message.oneFrame(&dice)], of: message, "\(count) fragments joined")
    }
}
