package import Journaling
import NIOCore
import Wire

/// Leaves out a mask, adds one, or writes another than the payload has (RFC 6455 section 5.1 and 5.3).
package struct MaskFault: Fault {
    package static let name = "mask"
    package static let group = FaultGroup.frame
    package static let summary = "masks frames wrongly"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["flip", "zero", "wrong"]), default: "flip",
            doc: "missing to the server and there to the client, a key of zero, or a key other than the payload is masked with"),
        Parameter("on", .choice(["first", "every"]), default: "every", doc: "on which of the message's frames"),
    ]

    private let how: String
    private let isFirstOnly: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "flip"
        isFirstOnly = reader.text("on") == "first"
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var frames = message.frames(&dice)
        for index in frames.indices where index == 0 || !isFirstOnly {
            let fresh = UInt32(truncatingIfNeeded: dice.next()) | 0x0101_0101
            switch how {
            case "zero": frames[index].maskKey = 0
            case "wrong":
                // Written with the key of the header, the payload comes out masked with another one.
                var twice = frames[index].payload
                Mask.apply(fresh, to: &twice)
                frames[index].payload = twice
                frames[index].maskKey = frames[index].maskKey ?? UInt32(truncatingIfNeeded: dice.next())
            default: frames[index].maskKey = frames[index].maskKey == nil ? fresh : nil
            }
        }
        let masked = frames[0].maskKey != nil
        let detail = how == "zero" ? "masked with zero" : how == "wrong" ? "masked with a wrong key" : masked ? "masked" : "not masked"
        return .frames(frames, of: message, detail)
    }
}
