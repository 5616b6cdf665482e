package import Journaling
import Wire

/// Lets a message travel on another user's session.
package struct CrossStreams: Fault {
    package static let name = "cross-streams"
    package static let group = FaultGroup.session
    package static let summary = "sends the message on another user's connection"
    package static let excuse = "the sender's view of routing"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "mode", .choice(["swap", "copy", "divert", "leak"]), default: "swap",
            doc: """
                the partner's next message comes back, the message also stays here, or it only goes there; `leak` is another word \
                for `copy`
                """),
        Parameter("among", .names, doc: "users to choose the partner from; any other live user when left out"),
    ]

    private let mode: String
    private let among: [String]

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        let word = reader.text("mode") ?? "swap"
        mode = word == "leak" ? "copy" : word
        among = reader.texts("among")
    }

    package var influence: Influence { Influence(.message, [.routing, .delivery, .completion]) }

    package var crosses: Bool { true }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        let others = among.filter { $0 != scene.user }
        if !among.isEmpty && others.isEmpty { return .notApplied("no partner is named beside the user") }
        let partner: SessionSelector.Partner =
            others.isEmpty ? .other(draw: dice.next()) : .user(others[dice.below(others.count)])
        let selector = SessionSelector(
            partner, exchange: mode == "swap", namesBoth: scene.user.map(among.contains) ?? false)
        let travels = Effect.send(parcel, to: selector)
        return .effects(mode == "copy" ? [.forward(parcel, at: nil), travels] : [travels], detail: mode)
    }
}
