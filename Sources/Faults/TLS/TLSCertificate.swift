package import Journaling
import Wire

/// Shows the client a certificate that it must not accept (RFC 5280 section 6.1, RFC 9525 section 6).
package struct TLSCertificate: Fault {
    package static let name = "tls-certificate"
    package static let group = FaultGroup.tls
    package static let summary = "shows the client a certificate that is wrong"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.accept]
    package static let parameters = [
        Parameter(
            "how", .choice(TLSOrders.Flaw.allCases.map(\.rawValue)), default: "expired",
            doc: "out of date, not in date yet, for another host, signed by itself, or by a CA that nobody knows")
    ]

    private let flaw: TLSOrders.Flaw

    package init(_ settings: Settings) throws(SettingsError) {
        flaw = try SettingsReader(settings, for: Self.parameters).text("how").flatMap(TLSOrders.Flaw.init(rawValue:)) ?? .expired
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .success, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        if case .tls(hasAuthority: false) = scene.hops.client, flaw.needsAuthority {
            return .notApplied("the listener's certificate was given, and nobody here can sign one that is only \(flaw.rawValue)")
        }
        return parcel.shaped(.client, TLSOrders(flaw: flaw), in: scene, detail: "the client is shown a certificate: \(flaw.rawValue)")
    }
}
