package import Journaling
import Wire

/// A peer that vanishes while its transport stays, like a phone without a network: no FIN, no Close, no answer.
package struct Zombie: Fault {
    package static let name = "zombie"
    package static let group = FaultGroup.session
    package static let summary = "leaves one side alone on a connection that stays"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let parameters = [
        Parameter(
            "side", .choice(["server", "client"]), default: "server",
            doc: "who is left alone; the other one is told nothing, and may leave"),
        Parameter(
            "reads", .choice(["all", "nothing"]), default: "all",
            doc: "what that side still says is read and thrown away, or not read, so that its windows fill"),
        Parameter("hold", .duration, default: "60s", doc: "how long its connection stays, up to 10m; then miswire ends it"),
    ]

    private let side: Side
    private let reads: Bool
    private let hold: Duration
    private var isDone = false

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        side = reader.text("side").flatMap(Side.init(rawValue:)) ?? .server
        reads = reader.text("reads") != "nothing"
        hold = try reader.duration("hold", most: .seconds(600)) ?? .zero
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .message = parcel, !isDone else { return .pass }
        isDone = true
        return .effects(
            [.forward(parcel, at: nil), .abandon(side, reads: reads, hold: hold)],
            detail: "the \(side.rawValue) is left alone for \(hold.milliseconds)")
    }
}
