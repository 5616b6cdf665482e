package import Journaling
import NIOCore
import Wire

/// Takes away or spoils the credential of an upgrade request; every other byte of the head stays.
package struct DropAuth: Fault {
    package static let name = "drop-auth"
    package static let group = FaultGroup.handshake
    package static let summary = "removes or spoils the credential"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead]
    package static let parameters = [
        Parameter(
            "in", .choices(["header", "cookie", "query", "subprotocol"]), default: "header cookie query subprotocol",
            doc: "where the credential is looked for; all that are found there are changed"),
        Parameter(
            "how", .choice(["strip", "truncate", "corrupt", "forge"]), default: "strip",
            doc: "removed, cut to its half, one character changed, or signed by somebody else"),
        Parameter(
            "with", .choice(["other-key", "alg-none"]), default: "other-key",
            doc: "what `forge` does: the same claims signed with another key, or declared unsigned"),
    ]

    private let places: [String]
    private let how: String
    private let with: String

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        places = reader.texts("in")
        how = reader.text("how") ?? "strip"
        with = reader.text("with") ?? "other-key"
    }

    package var influence: Influence { Influence(.connection, [.success]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        guard case .requestHead(let head) = parcel else { return .pass }
        let found = scene.credentials.filter { places.contains(Self.kind(of: $0)) && !$0.range.isEmpty }
        guard !found.isEmpty else {
            return .notApplied("no credential in \(places.joined(separator: ", "))")
        }
        var bytes = head.bytes
        // From the back, so that the places in front keep their ranges.
        for credential in found.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            guard let edited = edit(credential, in: bytes, &dice) else { continue }
            bytes = edited
        }
        guard bytes != head.bytes else { return .notApplied("the head cannot be edited") }
        let where_ = found.map { credential in credential.place }.joined(separator: ", ")
        return .effects([.forward(.requestHead(UpgradeHead(bytes: bytes)), at: nil)], detail: "\(verb) \(where_)")
    }

    private var verb: String {
        switch how {
        case "strip": "stripped"
        case "truncate": "truncated"
        case "corrupt": "corrupted"
        default: with == "alg-none" ? "forged unsigned" : "forged with another key"
        }
    }

    /// The first word of the contract's place.
    private static func kind(of credential: FoundSecret) -> String {
        credential.place.split(separator: " ").first.map(String.init) ?? ""
    }

    private func edit(_ credential: FoundSecret, in bytes: ByteBuffer, _ dice: inout Dice) -> ByteBuffer? {
        guard let head = try? RequestHead(bytes) else { return nil }
        let sent = head.text(credential.range)
        switch how {
        case "strip":
            return Self.removal(of: credential, in: head).map { head.removing($0) }
        case "truncate":
            return head.replacing(credential.range, with: String(sent.prefix(sent.count / 2)))
        case "corrupt":
            return head.replacing(credential.range, with: TokenForger.corrupted(sent, &dice))
        default:
            return head.replacing(
                credential.range, with: TokenForger.forged(sent, unsigned: with == "alg-none", &dice))
        }
    }

    /// What to take out so that a well-formed head without that credential remains.
    private static func removal(of credential: FoundSecret, in head: RequestHead) -> Range<Int>? {
        func holds(_ range: Range<Int>) -> Bool {
            range.lowerBound <= credential.range.lowerBound && credential.range.upperBound <= range.upperBound
        }
        switch kind(of: credential) {
        case "query": return head.queryItems.first { holds($0.valueRange) }?.removalRange
        case "cookie": return head.cookies.first { holds($0.valueRange) }?.removalRange
        case "subprotocol": return head.subprotocols.first { holds($0.valueRange) }?.removalRange
        default: return head.fields.first { holds($0.valueRange) }?.lineRange
        }
    }
}
