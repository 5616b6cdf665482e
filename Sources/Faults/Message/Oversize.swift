package import Journaling
import NIOCore
import Wire

/// Pads a message to a size.
package struct Oversize: Fault {
    package static let name = "oversize"
    package static let group = FaultGroup.message
    package static let summary = "pads the message to a size"
    package static let excuse = "that the run completes; C2, D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("size", .bytes, default: "1MiB", range: 1...(16 << 20), doc: "how long it becomes, up to 16MiB; compressed it is short on the wire"),
        Parameter(
            "with", .choice(["space", "letter", "zero"]), default: "space",
            doc: "what it is padded with at its end: behind a JSON text spaces change nothing"),
    ]

    private let size: Int
    private let filling: UInt8

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        size = reader.bytes("size") ?? 1 << 20
        filling = reader.text("with") == "letter" ? UInt8(ascii: "x") : reader.text("with") == "zero" ? 0 : UInt8(ascii: " ")
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(var message) = parcel else { return .pass }
        let before = message.payload.readableBytes
        guard before < size else { return .notApplied("the message is \(before) bytes long already") }
        message.payload.writeRepeatingByte(filling, count: size - before)
        message.changed = true
        return .effects([.forward(.message(message), at: nil)], detail: "padded from \(before) to \(size) bytes")
    }
}
