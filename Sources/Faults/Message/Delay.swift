package import Journaling
import Wire

/// Holds a message back; nothing behind it overtakes.
package struct Delay: Fault {
    package static let name = "delay"
    package static let group = FaultGroup.message
    package static let summary = "holds the message, and what is behind it"
    package static let excuse = "deadlines, by as much"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("delay", .duration, default: "250ms", doc: "how long it waits, up to 10m"),
        Parameter("jitter", .duration, default: "0", spreads: "delay", doc: "up to this much more or less, up to 10m"),
    ]

    private let delay: Duration
    private let jitter: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        delay = try reader.duration("delay", most: .seconds(600)) ?? .zero
        jitter = try reader.duration("jitter", most: .seconds(600)) ?? .zero
    }

    package var influence: Influence { Influence(.message, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        let held = dice.around(delay, by: jitter)
        return .effects(
            [.forward(parcel, at: scene.now.advanced(by: held))], detail: "held \(held.nanoseconds / 1_000_000) ms")
    }
}
