package import Journaling
import Wire

/// A network that loses every packet: nothing goes on, nothing is taken from the source, and nobody is told.
package struct Blackhole: Fault {
    package static let name = "blackhole"
    package static let group = FaultGroup.transport
    package static let summary = "lets nothing through and reads no more"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters: [Parameter] = []

    package init(_ settings: Settings) throws(SettingsError) {
        _ = try SettingsReader(settings, for: Self.parameters)
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .stream(let direction) = parcel else { return .pass }
        return .effects(
            [.pauseReads(direction, until: .distantFuture), .shape(DeadEnd(from: scene.now, closes: nil))],
            detail: "nothing goes through")
    }
}
