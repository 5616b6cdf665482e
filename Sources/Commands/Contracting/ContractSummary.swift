import Contracts

/// What a contract says, a line a key, in the order of contract.md.
enum ContractSummary {
    static func rows(_ contract: Contract) -> [(String, String)] {
        [
            ("wire", wire(contract.wire)), ("credential", contract.identity.credential.map(\.text).joined(separator: ", ")),
            ("user", contract.identity.user.map(\.text).joined(separator: ", ")),
            ("ids", contract.identity.ids.map(identifier).joined(separator: ", ")), ("auth", contract.auth.map(auth) ?? ""),
            ("session", contract.session.map(session) ?? ""), ("requests", contract.requests.map(request).joined(separator: " ")),
            ("events", contract.events.map(\.name).joined(separator: " ")),
            ("link", contract.link.map(link).joined(separator: ", ")), ("runs", contract.runs.map(run).joined(separator: "; ")),
            ("errors", contract.errors.map(errors) ?? ""), ("reject", rejects(contract.reject)),
            ("flows", contract.flows.map { "\($0.name) (\(count($0.steps.count, "step")))" }.joined(separator: ", ")),
        ]
    }

    private static func wire(_ wire: WireRules) -> String {
        var words = [wire.format.rawValue]
        if let type = wire.type { words.append("type at \(type.text)") }
        if !wire.paths.isEmpty { words.append("on " + wire.paths.map(\.text).joined(separator: " ")) }
        if !wire.subprotocols.isEmpty { words.append("subprotocols " + wire.subprotocols.joined(separator: " ")) }
        return words.joined(separator: ", ")
    }

    private static func identifier(_ rule: IdentifierRule) -> String {
        var text = rule.name + " at " + rule.at.map(\.text).joined(separator: " or ")
        if let bound = rule.is { text += " is " + word(bound) }
        if let bound = rule.within { text += " within " + word(bound) }
        return text
    }

    private static func word(_ bound: IdentifierRule.Bound) -> String {
        switch bound {
        case .user: "user"
        case .connection: "connection"
        case .id(let name): name
        }
    }

    private static func auth(_ rules: AuthRules) -> String {
        "refused with \(list(rules.refuse)), or closed with \(list(rules.close)), within \(shown(rules.within))"
            + (rules.anonymous ? ", nobody needs a credential" : "")
    }

    private static func session(_ rules: SessionRules) -> String {
        let greeting = rules.greeting.map { "greeted with \($0)" }
        let ready = rules.ready.map { "ready with \($0)" }
        let words = [greeting, ready].compactMap { $0 }
        return words.isEmpty ? "" : words.joined(separator: ", ") + " within \(shown(rules.within))"
    }

    /// `call ▸ result|failure`, `ask ▸ run r`
    private static func request(_ rule: MessageRule) -> String {
        if let run = rule.starts { return "\(rule.name)(starts \(run))" }
        return rule.answer.isEmpty ? rule.name : "\(rule.name)(answer \(rule.answer.joined(separator: "|")))"
    }

    private static func link(_ path: LinkPath) -> String {
        path.request == path.event ? path.request.text : "\(path.request.text) = \(path.event.text)"
    }

    private static func run(_ rule: RunRule) -> String {
        var text = "\(rule.name) by \(rule.key.map(\.text).joined(separator: " or ")), states \(rule.states.map(\.name).joined(separator: " "))"
        if !rule.parts.isEmpty { text += ", parts \(rule.parts.map(\.name).joined(separator: " "))" }
        return text
    }

    private static func errors(_ rules: ErrorRules) -> String {
        var text = "in " + rules.event.joined(separator: " ")
        if !rules.kinds.isEmpty { text += ": " + rules.kinds.joined(separator: " ") }
        return text + ", within \(shown(rules.within))"
    }

    private static func rejects(_ rules: [RejectRule]) -> String {
        guard !rules.isEmpty else { return "" }
        let may = rules.count(where: \.mayAccept)
        return "\(count(rules.count - may, "rule")) of what must be rejected" + (may > 0 ? ", \(may) of what may be" : "")
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: " ") }
    private static func count(_ count: Int, _ word: String) -> String { "\(count) \(word)" + (count == 1 ? "" : "s") }
    private static func shown(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
