package import Journaling
import Wire

/// Lets a user in only when others are busy, so that what one begins meets what another has under way.
package struct LateUser: Fault {
    package static let name = "late-user"
    package static let group = FaultGroup.session
    package static let summary = "holds an upgrade until others are there"
    package static let excuse = "H1's greeting deadline; deadlines, by as much"
    package static let acts: [ParcelKind] = [.requestHead, .responseHead]
    package static let parameters = [
        Parameter(
            "stage", .choice(["upgrade-request", "upgrade-response"]), default: "upgrade-request",
            doc: "what waits: the request to the server, or the 101"),
        Parameter(
            "awaits", .choice(["run", "users"]), default: "run",
            doc: "an open run of another user, as the contract has it, or so many other users who are connected"),
        Parameter("users", .count, default: "1", range: 1...1_000, doc: "how many others, 1 to 1000"),
        Parameter("most", .duration, default: "5s", doc: "when it goes all the same, up to 20s"),
    ]

    private let stage: ParcelKind
    private let waiting: Waiting

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        stage = reader.text("stage") == "upgrade-response" ? .responseHead : .requestHead
        let users = reader.count("users") ?? 1
        let most = try reader.duration("most", most: .seconds(20)) ?? .zero
        waiting = Waiting(reader.text("awaits") == "users" ? .others(users) : .run, most: most)
    }

    package var selects: [ParcelKind] { [stage] }
    package var joins: [Joining] { waiting.occasion == .run ? [.presence, .runs] : [.presence] }
    package var influence: Influence { Influence(.handshake, [.greetingDeadline, .deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.wait(parcel, waiting)], detail: "")
    }
}
