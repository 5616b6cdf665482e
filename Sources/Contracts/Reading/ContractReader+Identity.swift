import Journaling
import Wire

extension ContractReader {
    mutating func readWire(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .wire)
        contract.wire.paths = texts(fields["paths"], "wire.paths").map { Glob($0) }
        contract.wire.type = path(fields["type"], "wire.type")
        if let word = choice(fields["format"], "wire.format", ["json", "raw"]) {
            contract.wire.format = WireRules.Format(rawValue: word) ?? .json
        }
        if contract.wire.format == .raw, contract.wire.type != nil, let mark = fields["type"]?.mark {
            fail(mark, "wire.type needs format: json", remedy: "raw messages have no fields; recognise them by match")
        }
    }

    mutating func readIdentity(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .identity)
        contract.identity.credential = places(fields["credential"], "identity.credential")
        contract.identity.user = places(fields["user"], "identity.user")
        if let mint = fields["mint"] { readMint(mint) }
        readIdentifiers(fields["ids"])
    }

    private mutating func readMint(_ document: Document) {
        let fields = mapping(document, .mint)
        let algorithm = choice(fields["alg"], "identity.mint.alg", ["HS256", "HS384", "HS512"]) ?? "HS256"
        guard let key = fields["key"] else {
            return fail(document.mark, "identity.mint needs a key", remedy: "write key: env NAME")
        }
        let words = (key.scalar?.text ?? "").split(separator: " ").map(String.init)
        guard words.count == 2, words[0] == "env", Self.isVariable(words[1]) else {
            // The text is not repeated: somebody may have written the key itself.
            return fail(key.mark, "identity.mint.key names where the key is, it is not the key", remedy: "write key: env NAME")
        }
        var claims = JSON.object([])
        if let written = fields["claims"] {
            claims = written.json
            if case .object = claims {} else {
                fail(written.mark, "identity.mint.claims needs a mapping", remedy: "found \(written.found)")
            }
        }
        contract.identity.mint = .init(algorithm: algorithm, keyVariable: words[1], claims: claims)
    }

    private static func isVariable(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    private mutating func readIdentifiers(_ document: Document?) {
        let written = named(document, "identity.ids")
        let names = written.map(\.key)
        for field in written {
            let place = "identity.ids.\(field.key)"
            let fields = mapping(field.value, .identifier(field.key))
            let at = paths(fields["at"], "\(place).at")
            if fields["at"] == nil, field.value.map != nil {
                fail(field.mark, "\(place) needs at", remedy: "name the paths where it stands")
            }
            var identity: IdentifierRule.Bound?
            if let word = choice(fields["is"], "\(place).is", ["user", "connection"]) {
                identity = word == "user" ? .user : .connection
            }
            let within = bound(fields["within"], "\(place).within", names.filter { $0 != field.key })
            contract.identity.ids.append(
                IdentifierRule(name: field.key, at: at, is: identity, within: within, line: line(field.mark)))
        }
    }

    private mutating func bound(_ document: Document?, _ place: String, _ names: [String]) -> IdentifierRule.Bound? {
        guard let document, let word = text(document, place) else { return nil }
        // `user` and `connection` are the principal and the session even where an id bears that name too.
        switch word {
        case "user": return .user
        case "connection": return .connection
        default:
            if names.contains(word) { return .id(word) }
            fail(
                document.mark, "id \"\(word)\" in \(place) is declared nowhere",
                remedy: Nearest.remedy(for: word, among: ["user", "connection"] + names))
            return nil
        }
    }

    mutating func readAuth(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .auth)
        var auth = AuthRules()
        auth.line = line(document.mark)
        if let codes = numbers(fields["refuse"], "auth.refuse", 400...599) { auth.refuse = codes }
        if let codes = numbers(fields["close"], "auth.close", 1000...4999) { auth.close = codes }
        if let within = duration(fields["within"], "auth.within") { auth.within = within }
        if let revoked = bound(fields["revoked"], "auth.revoked") { auth.revoked = revoked }
        contract.auth = auth
    }

    mutating func readSession(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .session)
        var session = SessionRules()
        session.line = line(document.mark)
        session.clean += (contract.auth ?? AuthRules()).close.filter { !session.clean.contains($0) }
        if let name = text(fields["greeting"], "session.greeting"), let mark = fields["greeting"]?.mark {
            checkEvent(name, "session.greeting", mark)
            session.greeting = name
        }
        if let within = duration(fields["within"], "session.within") { session.within = within }
        contract.session = session
    }
}
