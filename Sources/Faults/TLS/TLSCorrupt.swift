package import Journaling
import Wire

/// Damages one record behind the handshake: its receiver must answer bad_record_mac and end (RFC 8446 section 5.2).
package struct TLSCorrupt: Fault {
    package static let name = "tls-corrupt"
    package static let group = FaultGroup.tls
    package static let summary = "flips bits in an encrypted record"
    package static let excuse = "E1, E2 of what was open there"
    package static let acts: [ParcelKind] = [.accept]
    package static let parameters = [
        Parameter("side", .choice(["client", "server"]), default: "client", doc: "who gets the record"),
        Parameter("record", .count, default: "2", range: 1...1_000_000, doc: "which record of application data on that hop, from 1"),
    ]

    private let side: Side
    private let record: Int

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        side = reader.text("side").flatMap(Side.init(rawValue:)) ?? .client
        record = reader.count("record") ?? 2
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .success, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        parcel.shaped(
            side, TLSOrders(corruption: TLSOrders.Corruption(record: record, draw: dice.next())), in: scene,
            detail: "record \(record) to the \(side.rawValue) is damaged")
    }
}
