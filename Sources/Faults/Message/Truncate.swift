package import Journaling
import NIOCore
import Wire

/// Cuts the end off a message.
package struct Truncate: Fault {
    package static let name = "truncate"
    package static let group = FaultGroup.message
    package static let summary = "cuts the end off the message"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("share", .share, default: "50%", doc: "how much of it stays"),
        Parameter("size", .bytes, doc: "how many bytes of it stay, instead of a share"),
        Parameter(
            "at", .choice(["character", "byte"]), default: "character",
            doc: "text is cut between two characters, or anywhere, so that it may be no UTF-8"),
    ]

    private let share: Double
    private let size: Int?
    private let mayTear: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        share = reader.share("share") ?? 0.5
        size = reader.bytes("size")
        mayTear = reader.text("at") == "byte"
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let whole = message.payload.readableBytes
        guard whole > 0 else { return .notApplied("the payload is empty") }
        var left = min(size ?? Int(Double(whole) * share), whole)
        if message.opcode == .text, !mayTear { left = Self.border(before: left, in: message.payload) }
        guard left < whole, let kept = message.payload.getSlice(at: message.payload.readerIndex, length: left) else {
            return .notApplied("the message is no longer than that")
        }
        message.payload = kept
        message.changed = true
        return .effects([.forward(.message(message), at: nil)], detail: "cut from \(whole) to \(left) bytes")
    }

    /// The nearest place in front where no character is cut.
    private static func border(before place: Int, in payload: ByteBuffer) -> Int {
        var place = place
        while place > 0, let next: UInt8 = payload.getInteger(at: payload.readerIndex + place), next & 0xc0 == 0x80 { place -= 1 }
        return place
    }
}
