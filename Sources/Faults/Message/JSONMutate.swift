package import Journaling
import Wire

/// Changes one thing in a JSON message; every other byte of it stays.
package struct JSONMutate: Fault {
    package static let name = "json-mutate"
    package static let group = FaultGroup.message
    package static let summary = "changes one thing in the JSON"
    package static let excuse = "that the run completes; C2 and D1 on the client's side"
    package static let acts: [ParcelKind] = [.messageToServer, .messageToClient]
    package static let ops = [
        "missing", "extra", "null", "wrong-type", "enum", "range", "nesting", "duplicate-key", "nan", "huge-integer",
        "deep-array", "lone-surrogate", "key-case", "malformed",
    ]
    package static let parameters = [
        Parameter("op", .choices(JSONMutate.ops), doc: "what is done; one of them is drawn, of all when left out"),
        Parameter("field", .names, doc: "paths of the fields to choose from; any member when left out"),
        Parameter("value", .text, doc: "the text put in by `enum`"),
    ]

    let ops: [String]
    let fields: [String]
    let value: String?

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        ops = reader.texts("op")
        fields = reader.texts("field")
        value = reader.text("value")
    }

    package var influence: Influence { Influence(.message, [.completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        .pass
    }
}
