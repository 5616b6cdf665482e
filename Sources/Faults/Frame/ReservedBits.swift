package import Journaling
import NIOCore
import Wire

/// Sets reserved bits that nothing negotiated (RFC 6455 section 5.2).
package struct ReservedBits: Fault {
    package static let name = "rsv"
    package static let group = FaultGroup.frame
    package static let summary = "sets reserved bits"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("bits", .choices(["rsv1", "rsv2", "rsv3"]), default: "rsv2", doc: "which are set"),
        Parameter("on", .choice(["first", "last", "every"]), default: "first", doc: "on which of the message's frames"),
    ]

    private let mask: UInt8
    private let place: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        let bits: [String: UInt8] = ["rsv1": 0x40, "rsv2": 0x20, "rsv3": 0x10]
        mask = reader.texts("bits").reduce(0) { $0 | (bits[$1] ?? 0) }
        place = reader.text("on") ?? "first"
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let before = message.frames(&dice)
        var frames = before
        let chosen = place == "first" ? [0] : place == "last" ? [frames.count - 1] : Array(frames.indices)
        for index in chosen { frames[index].firstByte |= mask }
        guard frames != before else { return .notApplied("the bits are set already") }
        return .frames(frames, of: message, "reserved bits \(mask >> 4) set on \(place == "every" ? "every" : "the \(place)") frame")
    }
}
