package import Journaling
import Wire

/// Takes away or spoils the credential of an upgrade request, and nothing else of it.
package struct DropAuth: Fault {
    package static let name = "drop-auth"
    package static let group = FaultGroup.handshake
    package static let summary = "removes or spoils the credential"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead]
    package static let parameters = [
        Parameter(
            "in", .choices(["header", "cookie", "query", "subprotocol"]), default: "header cookie query subprotocol",
            doc: "where the credential is looked for; all that are found are changed"),
        Parameter(
            "how", .choice(["strip", "truncate", "corrupt", "forge", "forge-none"]), default: "strip",
            doc: "removed, cut short, one character changed, signed with another key, or `alg` none"),
    ]

    let places: [String]
    let how: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        places = reader.texts("in")
        how = reader.text("how") ?? "strip"
    }

    package var influence: Influence { Influence(.connection, [.success]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .pass
    }
}
