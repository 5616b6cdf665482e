package import Journaling
import NIOCore
import Wire

/// Writes lengths that are no shortest form, or are not true (RFC 6455 section 5.2).
package struct LengthFault: Fault {
    package static let name = "length"
    package static let group = FaultGroup.frame
    package static let summary = "writes another length"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["non-minimal", "64-bit", "top-bit", "longer", "shorter"]), default: "non-minimal",
            doc: "the next longer form, the longest one, the longest one with its top bit set, or more or less than is there"),
        Parameter("by", .count, default: "1", range: 1...1_000_000_000, doc: "how many bytes `longer` and `shorter` say too many or too few, 1 to 1000000000"),
    ]

    private let how: String
    private let by: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "non-minimal"
        by = reader.count("by") ?? 1
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        var frames = message.frames(&dice)
        guard let changed = changed(frames[0]), changed != frames[0] else {
            return .notApplied(how == "shorter" ? "the frame is shorter than that" : "the length is written so already")
        }
        frames[0] = changed
        return .frames(frames, of: message, "length \(changed.declaredLength) in \(changed.lengthForm.rawValue) bits")
    }

    private func changed(_ frame: Frame) -> Frame? {
        var frame = frame
        switch how {
        case "64-bit": frame.lengthForm = .sixtyFour
        case "top-bit":
            frame.lengthForm = .sixtyFour
            frame.declaredLength |= 1 << 63
        case "longer": return frame.declaring(frame.declaredLength + UInt64(by))
        case "shorter":
            guard frame.declaredLength >= UInt64(by) else { return nil }
            return frame.declaring(frame.declaredLength - UInt64(by))
        default: frame.lengthForm = frame.lengthForm == .seven ? .sixteen : .sixtyFour
        }
        return frame
    }
}
