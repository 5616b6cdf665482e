package import Journaling
import Wire

/// Lets requests, or events, of several users go at the same instant, so that races in the server have their chance.
package struct Barrier: Fault {
    package static let name = "barrier"
    package static let group = FaultGroup.session
    package static let summary = "holds messages of several users, lets all go at once"
    package static let excuse = "deadlines, by as much"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("users", .count, default: "2", range: 2...1_000, doc: "how many wait for each other, 2 to 1000; of a message in fragments the last waits"),
        Parameter("of", .choice(["users", "sessions"]), default: "users", doc: "whether two connections of one user count as one"),
        Parameter("within", .duration, default: "2s", doc: "when those who came go all the same, up to 60s"),
    ]

    private let users: Int
    private let apart: Bool
    private let within: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        users = reader.count("users") ?? 2
        apart = reader.text("of") != "sessions"
        within = try reader.duration("within", most: .seconds(60)) ?? .zero
    }

    package var influence: Influence { Influence(.message, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        return .effects([.wait(parcel, Waiting(.gathering(users, apart: apart), most: within))], detail: "")
    }
}
