package import Journaling
import NIOCore
import Wire

/// Splits a message into fragments (RFC 6455 section 5.4): legal, and often read wrongly.
package struct Fragment: Fault {
    package static let name = "fragment"
    package static let group = FaultGroup.frame
    package static let summary = "splits the message into fragments"
    package static let excuse = "nothing: every receiver must take it"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["size", "byte", "character", "empty"]), default: "size",
            doc: "fragments of a size, of one byte, two with a border inside a character of UTF-8, or with empty ones around"),
        Parameter("size", .bytes, default: "1KiB", range: 1...(16 << 20), doc: "bytes of one fragment, 1 to 16MiB"),
        Parameter("count", .count, default: "1", range: 1...1_000, doc: "how many empty fragments on each side, 1 to 1000"),
    ]

    /// Of one message; the journal has an entry for each.
    private static let mostFragments = 16_384

    private let how: String
    private let size: Int
    private let count: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "size"
        size = reader.bytes("size") ?? 1_024
        count = reader.count("count") ?? 1
    }

    package var influence: Influence { .legalFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let frame = message.oneFrame(&dice)
        let length = frame.payload.readableBytes
        let ends: [Int]
        switch how {
        case "byte", "size":
            let step = how == "byte" ? 1 : size
            ends = Array(stride(from: step, to: length, by: step))
            guard ends.count < Self.mostFragments else { return .notApplied("more than \(Self.mostFragments) fragments") }
        case "character":
            guard !message.isCompressed, message.opcode == .text else { return .notApplied("the frames hold no plain text") }
            let inside = frame.payload.readableBytesView.enumerated().filter { $0.element & 0xc0 == 0x80 }.map(\.offset)
            guard !inside.isEmpty else { return .notApplied("every character is one byte long") }
            ends = [inside[dice.below(inside.count)]]
        default: ends = Array(repeating: 0, count: count) + Array(repeating: length, count: count)
        }
        guard !ends.isEmpty else { return .notApplied("the message is no longer than one fragment") }
        let frames = frame.split(at: ends)
        return .frames(frames, of: message, "split into \(frames.count) fragments")
    }
}
