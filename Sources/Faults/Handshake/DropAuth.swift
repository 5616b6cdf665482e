package import Journaling
import NIOCore
import Wire

/// Takes away, spoils or exchanges the credential of an upgrade request, or of the first message that bears one; every
/// other byte stays.
package struct DropAuth: Fault {
    package static let name = "drop-auth"
    package static let group = FaultGroup.handshake
    package static let summary = "removes or spoils the credential"
    package static let excuse = "success of that connection"
    package static let acts: [ParcelKind] = [.requestHead, .messageToServer]
    package static let parameters = [
        Parameter(
            "in", .choices(["header", "cookie", "query", "subprotocol", "first-message"]), default: "header cookie query subprotocol",
            doc: "where the credential is looked for; all that are found there are changed"),
        Parameter(
            "how", .choice(["strip", "truncate", "corrupt", "forge", "expire", "swap"]), default: "strip",
            doc: """
                removed, cut to its half, one character changed, signed by somebody else, the same but long past its time \
                (when the contract names the key), or that of another user who is connected
                """),
        Parameter(
            "with", .choice(["other-key", "alg-none"]), default: "other-key",
            doc: "what `forge` does: the same claims signed with another key, or declared unsigned"),
        Parameter(
            "among", .names,
            doc: "the users between whom `swap` exchanges: nobody else's credential is taken, and nobody else gets one"),
    ]

    private let places: [String]
    private let how: String
    private let with: String
    private let among: [String]
    /// The message that bore the credential is past.
    private var isSpent = false

    package init(_ settings: Settings) throws(SettingsError) {
        let reader = try SettingsReader(settings, for: Self.parameters)
        places = reader.texts("in")
        how = reader.text("how") ?? "strip"
        with = reader.text("with") ?? "other-key"
        among = reader.texts("among")
        if how == "swap", Set(among).count < 2 {
            throw SettingsError(
                parameter: "among", needs: "both users of a swap", expected: "two names or more", found: "\(Set(among).count)")
        }
        if how == "swap", places.contains("first-message") {
            throw SettingsError(
                parameter: "in", needs: "places of the handshake for a swap", expected: "header, cookie, query, subprotocol",
                found: "first-message")
        }
    }

    package var selects: [ParcelKind] {
        let isHead = places.contains { $0 != "first-message" }
        return (isHead ? [.requestHead] : []) + (places.contains("first-message") ? [.messageToServer] : [])
    }
    package var borrows: [String] { how == "swap" ? among : [] }
    package var influence: Influence { Influence(.connection, [.success]) }

    package mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action {
        switch parcel {
        case .requestHead(let head): act(on: head, in: scene, &dice)
        case .message(let message): act(on: message, in: scene, &dice)
        case .accept, .responseHead, .stream: .pass
        }
    }

    private func act(on head: UpgradeHead, in scene: Scene, _ dice: inout Dice) -> Action {
        let found = scene.credentials.filter { places.contains(Self.kind(of: $0)) && !$0.range.isEmpty }
        guard !found.isEmpty else {
            return .notApplied("no credential in \(places.joined(separator: ", "))")
        }
        var lent: [String: String] = [:]
        var partner = ""
        if how == "swap" {
            guard let user = scene.user, among.contains(user) else { return .notApplied("the profile does not name this user") }
            let others = among.filter { $0 != user }
            partner = others[dice.below(others.count)]
            for loan in scene.loans where loan.user == partner { lent[loan.place] = loan.text }
            guard !lent.isEmpty else { return .notApplied("\(partner) is not connected") }
        }
        var bytes = head.bytes
        var reason = "the head cannot be edited"
        // From the back, so that the places in front keep their ranges.
        for credential in found.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            guard let request = try? RequestHead(bytes) else { continue }
            if how == "strip" {
                if let range = Self.removal(of: credential, in: request) { bytes = request.removing(range) }
                continue
            }
            let sent = request.text(credential.range)
            let loan = lent[credential.place].map(Spoilt.text) ?? .not("\(partner) has none there")
            switch how == "swap" ? loan : spoilt(sent, scene, &dice) {
            case .text(let text): bytes = request.replacing(credential.range, with: text)
            case .not(let why): reason = why
            }
        }
        guard bytes != head.bytes else { return .notApplied(reason) }
        let where_ = found.map { credential in credential.place }.joined(separator: ", ")
        return .effects(
            [.forward(.requestHead(UpgradeHead(bytes: bytes, tail: head.tail)), at: nil)],
            detail: how == "swap" ? "\(partner)'s credential in \(where_)" : "\(verb) \(where_)")
    }

    private mutating func act(on message: Message, in scene: Scene, _ dice: inout Dice) -> Action {
        let found = scene.credentials.filter { !$0.range.isEmpty }
        guard !isSpent, !found.isEmpty else { return .pass }
        isSpent = true
        var changed = message
        var reason = "the message cannot be edited"
        for credential in found.sorted(by: { $0.range.lowerBound > $1.range.lowerBound }) {
            let document = JSONDocument(changed.payload)
            if how == "strip" {
                // The member that it is; of a message that is no JSON, the credential alone.
                let node = document.problem == nil ? document.nodes.indices.last { index in
                    let range = document.nodes[index].range
                    return range.lowerBound <= credential.range.lowerBound && credential.range.upperBound <= range.upperBound
                } : nil
                changed.payload = node.map { document.removing(node: $0) } ?? document.replacing(credential.range, with: "")
                continue
            }
            switch spoilt(document.text(credential.range), scene, &dice) {
            case .text(let text): changed.payload = document.replacing(credential.range, with: text)
            case .not(let why): reason = why
            }
        }
        guard changed.payload != message.payload else { return .notApplied(reason) }
        changed.changed = true
        return .effects(
            [.forward(.message(changed), at: nil)], detail: "\(verb) \(found.map { $0.place }.joined(separator: ", "))")
    }

    private var verb: String {
        switch how {
        case "strip": "stripped"
        case "truncate": "truncated"
        case "corrupt": "corrupted"
        case "expire": "expired"
        default: with == "alg-none" ? "forged unsigned" : "forged with another key"
        }
    }

    /// The first word of the contract's place.
    private static func kind(of credential: FoundSecret) -> String {
        credential.place.split(separator: " ").first.map(String.init) ?? ""
    }

    private enum Spoilt {
        case text(String)
        case not(String)
    }

    private func spoilt(_ sent: String, _ scene: Scene, _ dice: inout Dice) -> Spoilt {
        switch how {
        case "truncate": return .text(String(sent.prefix(sent.count / 2)))
        case "corrupt": return .text(TokenForger.corrupted(sent, &dice))
        case "expire":
            guard let key = scene.signingKey else { return .not("the contract names no key that could sign it anew") }
            return TokenForger.expired(sent, key: key).map { .text($0) } ?? .not("it is no token that this key signs")
        default: return .text(TokenForger.forged(sent, unsigned: with == "alg-none", &dice))
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
