import Wire

extension ContractDraft {
    /// Whose is what: where users are named, and identifiers that were one user's or one connection's alone.
    mutating func writeIdentity() {
        let parties = study.parties
        let places = parties.places.filter { Self.isPlace($0.key) }
        let ids = identifiers()
        let user = without[.user] == nil ? userPlace() : nil
        let mayHaveCredential = without[.credential] == nil && !places.isEmpty
        // That it is asked for, only a refusal tells.
        let hasCredential = mayHaveCredential && parties.turnedAway > 0
        let sure = ids.filter { $0.isSure }
        guard mayHaveCredential || user != nil || !ids.isEmpty else { return }
        if hasCredential || user != nil || !sure.isEmpty { yaml.line(0, "identity") } else { yaml.comment(0, "identity:") }
        if mayHaveCredential {
            let list = CommentedYAML.list(places.prefix(8).map(\.key))
            let why = "\(parties.withCredential) of \(Self.count(parties.accepted, "upgrade")) carried one"
            if hasCredential {
                yaml.line(1, "credential", list, why: why + ", \(parties.turnedAway) without a good one had 401 or 403")
            } else {
                yaml.comment(1, "credential: \(list)   candidate: \(why), and nobody was refused for want of it")
            }
        }
        if let user { yaml.line(1, "user", CommentedYAML.quoted(user.place), why: user.why) }
        if !sure.isEmpty { yaml.line(1, "ids") } else if !ids.isEmpty { yaml.comment(1, "ids:") }
        for id in ids {
            let text = CommentedYAML.map([("at", CommentedYAML.quoted(id.path)), (id.bond, id.to)])
            if id.isSure {
                yaml.line(2, id.name, text, why: id.why)
            } else {
                yaml.comment(2, "\(CommentedYAML.key(id.name)): \(text)   candidate: \(id.why)")
            }
        }
    }

    private static func isPlace(_ text: String) -> Bool { (try? Place(text)) != nil }

    /// The first event of each connection names its user.
    private func userPlace() -> (place: String, why: String)? {
        guard let path = plan.userPath, study.parties.greetings.count == 1,
            let kind = study.parties.greetings.keys.first else { return nil }
        guard plan.eventType != nil else { return nil }
        let count = study.parties.greetings[kind] ?? 0
        return ("event \(events[kind].name) \(path)",
            "the first event of \(Self.count(count, "connection")) names its user so, never another")
    }

    struct Identifier {
        var name: String
        var path: String
        var bond: String
        var to: String
        var why: String
        var isSure: Bool
    }

    private func identifiers() -> [Identifier] {
        guard without[.identifiers] == nil else { return [] }
        var found: [Identifier] = []
        var taken: Set<String> = []
        let links = choices.links.map(\.event)
        for tally in study.paths.prefix(32) where !links.contains(tally.path) || tally.path == choices.run?.path {
            guard var id = identifier(tally) else { continue }
            if !taken.insert(id.name).inserted { id.name += "-\(found.count + 1)" }
            taken.insert(id.name)
            found.append(id)
        }
        return found
    }

    private func identifier(_ tally: PathTally) -> Identifier? {
        let users = tally.users.count
        let enough = users >= scale.users && tally.messages >= scale.named
        let of = "\(Self.count(tally.messages, "message")) of \(Self.count(users, "user"))"
        let name = Self.name(of: tally.path)
        if tally.named > 0, tally.own == tally.messages {
            return Identifier(
                name: name, path: tally.path, bond: "is", to: "user", why: "the user's own name in \(tally.own) of \(of)",
                    isSure: enough)
        }
        guard InferredName.isIdentifier(tally.path), !tally.isFull, !tally.isShared, users > 1 else { return nil }
        let values = Self.count(tally.order.count, "value")
        let isOne = tally.changed == 0 && tally.isOfOneSession && tally.order.count == tally.sessions.count
        let words = Set(InferredName.words(tally.path))
        if isOne, !words.isDisjoint(with: ["connection", "conn", "session", "socket", "client", "sid"]) {
            let isSure = enough || tally.sessions.count >= scale.required && tally.isMinted
            return Identifier(
                name: name, path: tally.path, bond: "is", to: "connection",
                why: "\(values) on \(Self.count(tally.sessions.count, "connection")), one each, in \(of)",
                isSure: isSure && users >= scale.users)
        }
        // A small or given name may be met by anybody tomorrow.
        let isMade = tally.isMinted && tally.plain == 0 && tally.repeated >= scale.kept
        return Identifier(
            name: name, path: tally.path, bond: "within", to: "user", why: "\(values), each of one user, in \(of)",
            isSure: enough && isMade && choices.run?.path == tally.path && without[.runs] == nil)
    }

    /// `thread_id` is called thread, `session.id` session.
    private static func name(of path: String) -> String {
        let words = InferredName.words(path).filter { !["id", "uuid", "guid"].contains($0) }
        return words.isEmpty ? "id" : words.joined(separator: "-")
    }

    mutating func writeAuth() {
        let parties = study.parties
        let statuses = parties.statuses.keys.filter { [401, 403].contains($0) || (400...499).contains($0) }.sorted()
        let isAnonymous = without[.credential] == nil && parties.withCredential > 0
            && (parties.anonymous > 0 || parties.turnedAway == 0)
        guard isAnonymous || !statuses.isEmpty else { return }
        yaml.line(0, "auth")
        if isAnonymous {
            yaml.line(1, "anonymous", "true",
                why: "\(parties.anonymous) of \(Self.count(parties.accepted, "upgrade")) had no credential or a bad one")
        }
        if !statuses.isEmpty {
            let refuse = Set(statuses + [401, 403]).sorted()
            let seen = statuses.map { "\($0) \(parties.statuses[$0] ?? 0)×" }.joined(separator: ", ")
            yaml.line(1, "refuse", "[" + refuse.map(String.init).joined(separator: ", ") + "]", why: "seen: \(seen)")
        }
    }

    mutating func writeSession() {
        let parties = study.parties
        let said = parties.greetings.values.reduce(0, +)
        guard without[.greeting] == nil, parties.greetings.count == 1, let kind = parties.greetings.keys.first else { return }
        // The same event at another time is no greeting, and one that was asked for is an answer.
        guard plan.eventType != nil, events[kind].count == said, parties.askedFirst == 0 else { return }
        let why = "the first event of \(said) of \(Self.count(said + parties.silent, "connection")), after \(Self.shown(parties.slowest)) at most"
        let name = CommentedYAML.value(events[kind].name)
        guard said >= scale.greeted, parties.silent == 0 else {
            yaml.comment(0, "session: { greeting: \(name) }   candidate: \(why)")
            return
        }
        yaml.line(0, "session")
        yaml.line(1, "greeting", name, why: why)
        yaml.line(1, "within", Self.bound(parties.slowest, times: 10, least: 10))
    }
}
