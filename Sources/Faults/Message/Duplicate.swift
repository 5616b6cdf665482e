package import Journaling
import Wire

/// Sends a message more than once.
package struct Duplicate: Fault {
    package static let name = "duplicate"
    package static let group = FaultGroup.message
    package static let summary = "sends the message again"
    package static let excuse = "D1, C2 of that message"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("copies", .count, default: "1", range: 1...64, doc: "how many more go out, 1 to 64"),
        Parameter("gap", .duration, default: "0", doc: "how long each copy comes after the one before, up to 60s; what is behind waits"),
    ]

    private let copies: Int
    private let gap: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        copies = reader.count("copies") ?? 1
        gap = try reader.duration("gap", most: .seconds(60)) ?? .zero
    }

    package var influence: Influence { Influence(.message, [.delivery, .completion, .deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message(let message) = parcel else { return .pass }
        let copy = Effect.forward(.message(message.besideItself), at: nil)
        let later = (1...copies).map { number -> Effect in
            guard gap > .zero else { return copy }
            return .forward(.message(message.besideItself), at: scene.now.advanced(by: gap * number))
        }
        return .effects([.forward(parcel, at: nil)] + later, detail: "sent \(copies + 1) times")
    }
}

extension Message {
    /// The same content once more, which must not disturb the compression context: uncompressed, which every receiver must
    /// take (RFC 7692 section 6). What was not compressed goes as the very same frames.
    var besideItself: Message {
        guard isCompressed else { return self }
        var copy = self
        copy.isCompressed = false
        copy.changed = true
        return copy
    }
}
