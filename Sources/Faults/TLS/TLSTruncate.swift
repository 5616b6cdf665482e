package import Journaling
import Wire

/// Ends a hop by FIN without close_notify: whoever takes that for an orderly end can be robbed of what came last
/// (RFC 8446 section 6.1).
package struct TLSTruncate: Fault {
    package static let name = "tls-truncate"
    package static let group = FaultGroup.tls
    package static let summary = "ends without TLS's close_notify"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter("side", .choice(["client", "server"]), default: "client", doc: "who is sent the end"),
        Parameter("at", .choice(["before", "after", "mid-message"]), default: "after", doc: "how much of the message still goes out"),
    ]

    private let side: Side
    private let place: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        side = reader.text("side").flatMap(Side.init(rawValue:)) ?? .client
        place = reader.text("at") ?? "after"
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        guard scene.hops.isTLS(side) else { return .notApplied("the \(side.rawValue)'s hop is not wss") }
        var effects: [Effect] = []
        switch place {
        case "before": break
        case "mid-message": effects.append(.forwardPart(parcel, share: 0.5))
        default: effects.append(.forward(parcel, at: nil))
        }
        return .effects(
            effects + [.unannounced(side), .cut(side, .half)], detail: "FIN without close_notify to the \(side.rawValue) \(place) the message")
    }
}
