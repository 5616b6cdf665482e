package import Journaling
import NIOCore
import Wire

/// Puts bytes into a text that are no UTF-8 (RFC 6455 section 8.1, RFC 3629).
package struct InvalidUTF8: Fault {
    package static let name = "utf8"
    package static let group = FaultGroup.frame
    package static let summary = "puts bytes into the text that are no UTF-8"
    package static let excuse = "everything later on that connection"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "how", .choice(["invalid", "overlong", "surrogate", "above", "truncated"]), default: "invalid",
            doc: "a byte that never stands there, `/` in two bytes, half a surrogate pair, more than U+10FFFF, or a character broken off"),
        Parameter("place", .choice(["end", "start", "drawn"]), default: "end", doc: "where; `truncated` always is at the end"),
    ]

    private static let sequences: [String: [UInt8]] = [
        "invalid": [0xff], "overlong": [0xc0, 0xaf], "surrogate": [0xed, 0xa0, 0x80], "above": [0xf4, 0x90, 0x80, 0x80],
        "truncated": [0xe2, 0x82],
    ]

    private let how: String
    private let place: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        how = reader.text("how") ?? "invalid"
        place = how == "truncated" ? "end" : reader.text("place") ?? "end"
    }

    package var influence: Influence { .hostileFrame }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        guard message.opcode == .text else { return .notApplied("the message is no text") }
        var bytes = Array(message.payload.readableBytesView)
        let offset = place == "end" ? bytes.count : place == "start" ? 0 : dice.below(bytes.count + 1)
        bytes.insert(contentsOf: Self.sequences[how] ?? [0xff], at: offset)
        message.payload = ByteBuffer(bytes: bytes)
        message.changed = true
        return .effects([.forward(.message(message), at: nil)], detail: "\(how) UTF-8 at offset \(offset)")
    }
}
