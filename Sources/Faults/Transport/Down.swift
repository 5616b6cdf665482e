package import Journaling
import Wire

/// A server that is not there: who connects is reset at once, and the server is not dialled.
package struct Down: Fault {
    package static let name = "down"
    package static let group = FaultGroup.transport
    package static let summary = "resets who connects, dials no server"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.accept]
    package static let parameters: [Parameter] = []

    package init(_ settings: Settings) throws(SettingsError) {
        _ = try SettingsReader(settings, for: Self.parameters)
    }

    package var forecloses: [ParcelKind] { ParcelKind.allCases.filter { $0 != .accept } }
    package var influence: Influence { Influence(.openOperations, [.ending, .success, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .effects([.cut(.client, .reset)], detail: "the client is reset")
    }
}
