package import Journaling
import Wire

/// Lets one stage of accepting a connection take longer.
package struct AcceptDelay: Fault {
    package static let name = "accept-delay"
    package static let group = FaultGroup.handshake
    package static let summary = "holds back the accept, the request or the 101"
    package static let excuse = "H1's greeting deadline on the client's side"
    package static let acts: [ParcelKind] = [.accept, .requestHead, .responseHead]
    package static let parameters = [
        Parameter(
            "stage", .choice(["tcp-accept", "upgrade-request", "upgrade-response"]), default: "upgrade-response",
            doc: "what waits: dialling the server, the request to the server, or the 101 to the client"),
        Parameter("delay", .duration, default: "400ms", doc: "how long it waits"),
        Parameter("jitter", .duration, default: "0", spreads: "delay", doc: "up to this much more or less, drawn anew each time"),
    ]

    private let stage: ParcelKind
    private let delay: Duration
    private let jitter: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        stage =
            switch reader.text("stage") {
            case "tcp-accept": .accept
            case "upgrade-request": .requestHead
            default: .responseHead
            }
        delay = reader.duration("delay") ?? .zero
        jitter = reader.duration("jitter") ?? .zero
    }

    package var selects: [ParcelKind] { [stage] }
    package var influence: Influence { Influence(.handshake, [.greetingDeadline, .deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let held = dice.around(delay, by: jitter)
        let what =
            switch parcel {
            case .accept: "accept"
            case .requestHead: "request"
            case .responseHead, .message, .stream: "101"
            }
        return .effects(
            [.forward(parcel, at: scene.now.advanced(by: held))],
            detail: "\(what) held \(held.nanoseconds / 1_000_000) ms")
    }
}
