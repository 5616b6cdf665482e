package import Journaling
import Wire

/// A reader that does not read: the kernel's windows fill, and whoever sends feels it.
package struct StallReads: Fault {
    package static let name = "stall-reads"
    package static let group = FaultGroup.transport
    package static let summary = "stops reading from one side for a time"
    package static let excuse = "deadlines; loss that the server tells of"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("time", .duration, default: "5s", doc: "how long the sender of that direction is not read from")
    ]

    private let time: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        time = try SettingsReader(settings, for: Self.parameters).duration("time") ?? .zero
    }

    package var influence: Influence { Influence(.connection, [.deadline]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .stream(let direction) = parcel else { return .pass }
        return .effects(
            [.pauseReads(direction, until: scene.now.advanced(by: time))],
            detail: "the \(direction.source.rawValue) is not read from for \(time.milliseconds)")
    }
}
