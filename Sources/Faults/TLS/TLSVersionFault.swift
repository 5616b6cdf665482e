package import Journaling
import Wire

/// Narrows what a handshake may settle: versions (RFC 8446 section 4.2.1, RFC 8996 for those that nobody must speak any more)
/// and the cipher suites of TLS 1.2 and before. The suites of TLS 1.3 cannot be chosen.
package struct TLSVersionFault: Fault {
    package static let name = "tls-version"
    package static let group = FaultGroup.tls
    package static let summary = "limits TLS to certain versions and ciphers"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.accept]
    private static let words = TLSOrders.Version.allCases.map(\.word)
    package static let parameters = [
        Parameter("side", .choice(["client", "server"]), default: "client", doc: "whose handshake is limited"),
        Parameter("min", .choice(words), default: "1.2", doc: "the lowest version that we speak"),
        Parameter("max", .choice(words), default: "1.2", doc: "the highest"),
        Parameter(
            "ciphers", .choices(suites.map(\.word)), doc: "the suites below TLS 1.3 that we speak; all usual ones when left out"),
    ]

    /// Code points of the IANA registry; with and without forward secrecy, with the keys of ECDSA and of RSA certificates.
    private static let suites: [(word: String, codes: [UInt16])] = [
        ("aes128-gcm", [0xC02B, 0xC02F]), ("aes256-gcm", [0xC02C, 0xC030]), ("chacha20", [0xCCA9, 0xCCA8]),
        ("aes128-cbc", [0xC009, 0xC013]), ("aes256-cbc", [0xC00A, 0xC014]), ("rsa", [0x009C, 0x009D, 0x002F, 0x0035]),
    ]

    private let side: Side
    private let versions: ClosedRange<TLSOrders.Version>
    private let ciphers: [String]

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        side = reader.text("side").flatMap(Side.init(rawValue:)) ?? .client
        let least = reader.text("min").flatMap(TLSOrders.Version.init(word:)) ?? .tls12
        let most = reader.text("max").flatMap(TLSOrders.Version.init(word:)) ?? .tls12
        guard least <= most else {
            throw SettingsError(
                parameter: "max", needs: "a version", expected: "\(least.word) or higher, which is `min`", found: most.word)
        }
        versions = least...most
        ciphers = reader.texts("ciphers")
    }

    package var influence: Influence { Influence(.openOperations, [.ending, .success, .completion, .delivery]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        let codes = Self.suites.filter { ciphers.contains($0.word) }.flatMap(\.codes)
        let range = versions.lowerBound == versions.upperBound
            ? versions.lowerBound.word : "\(versions.lowerBound.word) to \(versions.upperBound.word)"
        return parcel.shaped(
            side, TLSOrders(versions: versions, ciphers: codes.isEmpty ? nil : codes), in: scene,
            detail: "TLS \(range) with the \(side.rawValue)\(ciphers.isEmpty ? "" : ", " + ciphers.joined(separator: " "))")
    }
}
