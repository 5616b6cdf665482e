package import Journaling
import NIOCore
import Wire

/// Writes messages without a beginning or without an end (RFC 6455 section 5.4).
package struct FinFault: Fault {
    package static let name = "fin"
    package static let group = FaultGroup.frame
    package static let summary = "begins or ends messages wrongly"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["unfinished", "orphan", "early"]), default: "unfinished",
            doc: "the last frame does not end the message, the first continues one that nobody began, or each fragment ends it")
    ]

    private let how: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "unfinished"
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var frames = message.frames(&dice)
        switch how {
        case "orphan":
            frames[0].firstByte &= 0xf0
            return .frames(frames, of: message, "begins with a continuation")
        case "early":
            if frames.count == 1 {
                guard frames[0].payload.readableBytes > 1 else { return .notApplied("the message is too short to be split") }
                frames = frames[0].split(at: [frames[0].payload.readableBytes / 2])
            }
            for index in frames.indices { frames[index].firstByte |= 0x80 }
            return .frames(frames, of: message, "ended by each of \(frames.count) frames")
        default:
            frames[frames.count - 1].firstByte &= 0x7f
            return .frames(frames, of: message, "never ended")
        }
    }
}
