package import Journaling
import NIOCore
import Wire

/// Writes the message's first frame with another opcode (RFC 6455 section 5.2).
package struct OpcodeFault: Fault {
    package static let name = "opcode"
    package static let group = FaultGroup.frame
    package static let summary = "writes another opcode"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "opcode", .count, default: "3", range: 0...15,
            doc: "0 to 15: 3 to 7 and 11 to 15 are reserved, 8 to 10 are control frames, 0 continues nothing")
    ]

    private let opcode: Opcode

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        opcode = Opcode(rawValue: UInt8(clamping: reader.count("opcode") ?? 3))
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var frames = message.frames(&dice)
        guard frames[0].opcode != opcode else { return .notApplied("the message has that opcode") }
        frames[0].firstByte = frames[0].firstByte & 0xf0 | opcode.rawValue
        return .frames(frames, of: message, "opcode \(opcode.rawValue)")
    }
}
