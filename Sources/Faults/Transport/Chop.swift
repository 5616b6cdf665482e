package import Journaling
import Wire

/// The smallest packets there are.
package struct Chop: Fault {
    package static let name = "chop"
    package static let group = FaultGroup.transport
    package static let summary = "sends every byte in its own segment"
    package static let excuse = "deadlines, where the bytes are delayed"
    package static let acts: [ParcelKind] = [.bytesToServer, .bytesToClient]
    package static let parameters = [
        Parameter("delay", .duration, default: "0", doc: "how long it waits behind each byte")
    ]

    private let delay: Duration

    package init(_ settings: Settings) throws(SettingsError) {
        delay = try SettingsReader(settings, for: Self.parameters).duration("delay") ?? .zero
    }

    package var influence: Influence { Influence(.connection, delay > .zero ? [.deadline] : []) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.shape(Knife(average: 1, variation: 0, delay: delay, dice: dice))], detail: "segments of one byte")
    }
}
