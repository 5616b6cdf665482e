package import Journaling
import NIOCore
import Wire

/// Sends a message that nobody sent.
package struct Inject: Fault {
    package static let name = "inject"
    package static let group = FaultGroup.message
    package static let summary = "sends a message of ours beside the message"
    package static let excuse = "D1, C2 on the side that gets it; what its answer does"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("payload", .text, default: "miswire", doc: "what it says"),
        Parameter("form", .choice(["text", "hex"]), default: "text", doc: "`payload` is the text itself, or hexadecimal digits"),
        Parameter("opcode", .choice(["text", "binary"]), default: "text", doc: "what it is"),
        Parameter("side", .choice(["same", "client", "server"]), default: "same", doc: "who gets it"),
        Parameter("place", .choice(["behind", "before"]), default: "behind", doc: "where it goes when both go the same way"),
    ]

    private let payload: ByteBuffer
    private let opcode: Opcode
    private let side: Side?
    private let isBefore: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        payload = try reader.payload("payload", form: "form")
        opcode = reader.text("opcode") == "binary" ? .binary : .text
        side = reader.text("side").flatMap(Side.init(rawValue:))
        isBefore = reader.text("place") == "before"
    }

    package var influence: Influence { Influence(.message, [.delivery, .completion]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let direction = side?.other.outgoing ?? message.direction
        let ours = Message(
            direction: direction, opcode: opcode, payload: payload, ordinal: 0,
            entry: EntryRef(session: scene.session, ordinal: 0), changed: true)
        let current = Effect.forward(parcel, at: nil)
        let detail = "\(payload.readableBytes) bytes of ours to \(direction == .toServer ? "server" : "client")"
        if direction != message.direction {
            guard scene.accepted else { return .notApplied("the session is not accepted yet") }
            return .effects([current, .insert(ours)], detail: detail)
        }
        let beside = Effect.forward(.message(ours), at: nil)
        return .effects(isBefore ? [beside, current] : [current, beside], detail: detail)
    }
}
