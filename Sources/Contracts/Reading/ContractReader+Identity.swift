import Journaling
import Wire

extension ContractReader {
    mutating func readIdentity(_ document: Document?) {
        guard let document else { return }
        let fields = mapping(document, .identity)
        contract.identity.credential = places(fields["credential"], "identity.credential")
        contract.identity.user = places(fields["user"], "identity.user")
        if let mint = fields["mint"] { readMint(mint) }
        if let login = fields["login"] { readLogin(login) }
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

    private mutating func readLogin(_ document: Document) {
        let place = "identity.login"
        let fields = mapping(document, .login)
        let post = required(fields["post"], "post", of: document, place) { $0.text($1, $2) }
        let token = required(fields["token"], "token", of: document, place) { $0.path($1, $2) }
        let expires = path(fields["expires"], "\(place).expires")
        if let post, !post.hasPrefix("/"), !post.hasPrefix("http://"), !post.hasPrefix("https://"), let mark = fields["post"]?.mark {
            fail(mark, "\(place).post needs a path or a URL", remedy: "found \"\(post)\", expected such as /login")
        }
        guard let post, let token else { return }
        contract.identity.login = LoginRule(
            post: post, json: fields["json"]?.json ?? .object([]), token: token, expires: expires, line: line(document.mark))
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
            let form = form(fields["form"], "\(place).form")
            contract.identity.ids.append(
                IdentifierRule(name: field.key, at: at, is: identity, within: within, form: form, line: line(field.mark)))
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

    private mutating func form(_ document: Document?, _ place: String) -> IdentifierForm? {
        guard let document, let text = text(document, place) else { return nil }
        do throws(PartError) { return try IdentifierForm(text) } catch {
            fail(document.mark, error)
            return nil
        }
    }

    /// A group of one form says nothing: it must have one value with the groups of that name in other forms, or with the
    /// id of its name.
    mutating func checkForms() {
        let ids = contract.identity.ids
        let names = Set(ids.map(\.name))
        var uses: [String: Int] = [:]
        for group in ids.flatMap({ $0.form?.groups ?? [] }) { uses[group, default: 0] += 1 }
        for (id, field) in zip(ids, document["identity"]?["ids"]?.map ?? []) {
            guard let mark = field.value["form"]?.mark else { continue }
            for group in id.form?.groups ?? [] where uses[group] == 1 {
                if group != id.name, names.contains(group) { continue }
                warn(
                    mark, "form: group \"\(group)\" occurs once; it binds nothing",
                    remedy: "give another form a group of that name, or write (?:…)")
            }
        }
    }
}
