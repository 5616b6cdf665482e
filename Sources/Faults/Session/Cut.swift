package import Journaling
import Wire

/// Ends the connection at a message: before it, behind it or in its middle.
package struct Cut: Fault {
    package static let name = "cut"
    package static let group = FaultGroup.session
    package static let summary = "cuts the connection"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "style", .choice(CutStyle.allCases.map(\.rawValue)), default: "reset",
            doc: "RST, FIN without a Close frame, or silence on a transport that stays"),
        Parameter("side", .choice(["client", "server", "both"]), default: "both", doc: "whose transport ends"),
        Parameter(
            "at", .choice(["before", "after", "mid-message"]), default: "after",
            doc: "whether the message still goes out whole, in part, or not at all"),
    ]

    private let style: CutStyle
    private let sides: [Side]
    private let place: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        style = reader.text("style").flatMap(CutStyle.init(rawValue:)) ?? .reset
        sides = reader.text("side").flatMap(Side.init(rawValue:)).map { [$0] } ?? Side.allCases
        place = reader.text("at") ?? "after"
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel else { return .pass }
        var effects: [Effect] = []
        switch place {
        case "before": break
        case "mid-message": effects.append(.forwardPart(parcel, share: 0.5))
        default: effects.append(.forward(parcel, at: nil))
        }
        effects += sides.map { .cut($0, style) }
        let whose = sides.count == 2 ? "both sides" : "the \(sides.first?.rawValue ?? "") side"
        return .effects(effects, detail: "\(style.rawValue) on \(whose) \(place) the message")
    }
}
