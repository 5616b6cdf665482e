package import Journaling
import Wire

/// A TLS handshake in which our side stands still: the connection is there and nothing comes of it.
package struct TLSStall: Fault {
    package static let name = "tls-stall"
    package static let group = FaultGroup.tls
    package static let summary = "stands still in a TLS handshake"
    package static let excuse = "H1's greeting deadline, success of that connection"
    package static let acts: [ParcelKind] = [.accept]
    package static let parameters = [
        Parameter("side", .choice(["client", "server"]), default: "client", doc: "who waits for us"),
        Parameter(
            "stage", .choice(["before-hello", "after-hello"]), default: "before-hello",
            doc: "whether our first record still goes out"),
        Parameter("time", .duration, default: "5s", doc: "for how long; 0 = for good"),
    ]

    private let side: Side
    private let stall: TLSOrders.Stall

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        side = reader.text("side").flatMap(Side.init(rawValue:)) ?? .client
        let time = try reader.duration("time", most: .seconds(3_600)) ?? .zero
        stall = TLSOrders.Stall(isAfterHello: reader.text("stage") == "after-hello", time: time == .zero ? nil : time)
    }

    package var influence: Influence { Influence(.openOperations, [.greetingDeadline, .deadline, .ending, .success, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let time = stall.time.map { "for \($0.milliseconds)" } ?? "for good"
        let stage = stall.isAfterHello ? "after our hello" : "before our hello"
        return parcel.shaped(
            side, TLSOrders(stall: stall), in: scene, detail: "the \(side.rawValue)'s TLS handshake stands still \(stage), \(time)")
    }
}
