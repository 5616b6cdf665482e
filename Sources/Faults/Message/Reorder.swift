package import Journaling
import Wire

/// Lets later messages overtake one.
package struct Reorder: Fault {
    package static let name = "reorder"
    package static let group = FaultGroup.message
    package static let summary = "lets later messages overtake the message"
    package static let excuse = "D1, C2 of that message; deadlines, by as much"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("window", .count, default: "1", range: 1...1_000, doc: "how many messages of its direction overtake it, 1 to 1000"),
        Parameter("most", .duration, default: "1s", doc: "when it goes though fewer came, up to 10m; a Close never overtakes it"),
    ]

    private let window: Int
    private let most: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        window = reader.count("window") ?? 1
        most = try reader.duration("most", most: .seconds(600)) ?? .zero
    }

    package var influence: Influence { Influence(.message, [.delivery, .completion, .deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        return .effects(
            [.forwardLater(parcel, behind: window, until: scene.now.advanced(by: most))],
            detail: "put behind the next \(window), at most \(most.nanoseconds / 1_000_000) ms")
    }
}
