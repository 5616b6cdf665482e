package import Journaling
import Wire

/// Connects once more with the client's own request, as a second tab or a thief of the credential would: the server has to
/// keep the two apart, or end one of them, and to tell neither what is another user's.
package struct Takeover: Fault {
    package static let name = "takeover"
    package static let group = FaultGroup.session
    package static let summary = "connects once more with the client's credential"
    package static let excuse = "nothing: the server is judged on that connection too"
    package static let acts: [ParcelKind] = [.responseHead, .messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("at", .choice(["upgrade", "message"]), default: "upgrade", doc: "when: as the client is accepted, or at a message"),
        Parameter("count", .count, default: "1", range: 1...Visits.most, doc: "how many connections, 1 to 16; a session opens no more in its life"),
        Parameter("hold", .duration, doc: "how long each stays once it is accepted, up to 10m; until the session ends when left out"),
        Parameter(
            "send", .choice(["nothing", "last"]), default: "nothing",
            doc: "what is said there, behind a credential that the client sent as a message: nothing, or the client's last message"),
    ]

    private let isAtMessage: Bool
    private let count: Int
    private let hold: Duration?
    private let repeats: Bool

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        isAtMessage = reader.text("at") == "message"
        count = reader.count("count") ?? 1
        hold = try reader.duration("hold", most: .seconds(600))
        repeats = reader.text("send") == "last"
    }

    package var selects: [ParcelKind] { isAtMessage ? [.messageToServer, .messageToClient] : [.responseHead] }
    package var joins: [Joining] { [.visits] }
    package var influence: Influence { Influence(.connection, []) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let visit = Effect.connect(ConnectRequest(hold: hold, repeats: repeats))
        return .effects([.forward(parcel, at: nil)] + (0..<count).map { _ in visit }, detail: "")
    }
}
