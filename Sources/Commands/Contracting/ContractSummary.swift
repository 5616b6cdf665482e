import Contracts

/// What a contract says, a line a key, in the order of contract.md.
enum ContractSummary {
    static func rows(_ contract: Contract) -> [(String, String)] {
        [
            ("import", contract.imported?.file ?? ""),
            ("wire", wire(contract.wire)),
            ("credential", contract.identity.credential.map(\.text).joined(separator: ", ")),
            ("user", contract.identity.user.map(\.text).joined(separator: ", ")),
            ("credentials", makers(contract.identity)),
            ("ids", contract.identity.ids.map(identifier).joined(separator: ", ")),
            ("auth", contract.auth.map(auth) ?? ""),
            ("session", contract.session.map(session) ?? ""),
            ("requests", contract.requests.map(request).joined(separator: " ")),
            ("events", contract.events.map(\.name).joined(separator: " ")),
            ("link", contract.link.map(link).joined(separator: ", ")),
            ("runs", contract.runs.map(run).joined(separator: "; ")),
            ("errors", contract.errors.map(errors) ?? ""),
            ("reject", rejects(contract.reject)),
            ("delivery", contract.delivery.map(delivery) ?? ""),
            ("sharing", contract.sharing.map(sharing) ?? ""),
            ("volatile", contract.volatile.map(\.text).joined(separator: " ")),
            ("secrets", contract.secrets.map(\.text).joined(separator: ", ")),
            ("deadline", shown(contract.deadline)),
            ("flows", flows(contract)),
            ("dictionary", contract.dictionary.isEmpty ? "" : count(contract.dictionary.count, "word")),
            ("monitors", monitors(contract.monitors)),
        ]
    }

    private static func wire(_ wire: WireRules) -> String {
        var words = [wire.format.rawValue]
        if let type = wire.type { words.append("type at \(type.text)") }
        if !wire.paths.isEmpty { words.append("on " + wire.paths.map(\.text).joined(separator: " ")) }
        if wire.envelope != nil { words.append("in an envelope") }
        if wire.split != nil { words.append("several in one frame") }
        if wire.batch { words.append("in batches") }
        if wire.binary != .ignore { words.append("binary frames: \(wire.binary.rawValue)") }
        if wire.serial { words.append("answered in order") }
        if wire.unknownFails == false { words.append("unknown events are noted") }
        if !wire.subprotocols.isEmpty { words.append("subprotocols " + wire.subprotocols.joined(separator: " ")) }
        return words.joined(separator: ", ")
    }

    private static func identifier(_ rule: IdentifierRule) -> String {
        var text = rule.name + " at " + rule.at.map(\.text).joined(separator: " or ")
        if let bound = rule.is { text += " is " + word(bound) }
        if let bound = rule.within { text += " within " + word(bound) }
        if let form = rule.form { text += " in the form " + form.text }
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
        var parts = words.isEmpty ? [] : [words.joined(separator: ", ") + " within \(shown(rules.within))"]
        if let beat = rules.heartbeat { parts.append("heartbeat \(beat.ask) and \(beat.answer)") }
        return parts.joined(separator: "; ")
    }

    /// `call ▸ result|failure`, `ask ▸ run r`
    private static func request(_ rule: MessageRule) -> String {
        if let run = rule.starts { return "\(rule.name)(starts \(run))" }
        let closes = rule.answerCloses.map { "close \($0)" }
        let answers = rule.answer + closes
        return answers.isEmpty ? rule.name : "\(rule.name)(answer \(answers.joined(separator: "|")))"
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

    private static func makers(_ rules: IdentityRules) -> String {
        let minted = rules.mint.map { "minted with \($0.algorithm) by the key in \($0.keyVariable)" }
        return [minted, rules.login.map { "from a login at \($0.post)" }].compactMap { $0 }.joined(separator: ", ")
    }

    private static func delivery(_ rules: DeliveryRules) -> String {
        var words: [String] = []
        if let sequence = rules.sequence { words.append("sequence at \(sequence.at.text)" + (sequence.per.map { " per \($0)" } ?? "")) }
        if !rules.id.isEmpty { words.append("once by \(rules.id.map(\.text).joined(separator: " or "))") }
        if rules.history != nil { words.append("a history to ask") }
        if let resume = rules.resume { words.append("resumed by \(resume.by.text)") }
        return words.joined(separator: ", ")
    }

    private static func sharing(_ rules: SharingRules) -> String {
        let broadcast = rules.broadcast.isEmpty ? nil : "to all: " + rules.broadcast.map(\.glob.text).joined(separator: " ")
        let rooms = rules.rooms.isEmpty ? nil : "rooms by " + rules.rooms.map(\.id).joined(separator: " ")
        return [broadcast, rooms].compactMap { $0 }.joined(separator: "; ")
    }

    private static func flows(_ contract: Contract) -> String {
        contract.flows.map { flow in
            "\(flow.name) (\(count(flow.steps.count, "step"))\(flow.name == contract.health ? ", health" : ""))"
        }.joined(separator: ", ")
    }

    /// Only what differs from what every contract has.
    private static func monitors(_ rules: MonitorRules) -> String {
        let usual = MonitorRules()
        var words: [String] = []
        func bound(_ name: String, _ mine: Duration?, _ theirs: Duration?) {
            if mine != theirs { words.append("\(name) \(mine.map(shown) ?? "off")") }
        }
        bound("silent-failure", rules.silentFailure, usual.silentFailure)
        bound("stuck-authentication", rules.stuckAuthentication, usual.stuckAuthentication)
        bound("event-flow-breakdown", rules.eventFlowBreakdown, usual.eventFlowBreakdown)
        if rules.eventRate != usual.eventRate { words.append("event-rate \(rules.eventRate?.description ?? "off")") }
        if rules.authFailures != usual.authFailures { words.append("auth-failures \(rules.authFailures?.description ?? "off")") }
        if rules.unpairedEvents != usual.unpairedEvents { words.append("unpaired-events off") }
        if rules.invalidTransition != usual.invalidTransition { words.append("invalid-transition off") }
        if rules.connectSuccess != usual.connectSuccess { words.append("connect-success \(rules.connectSuccess?.description ?? "off")") }
        bound("connect-time", rules.connectTime, usual.connectTime)
        return words.isEmpty ? "all at their usual thresholds" : words.joined(separator: ", ")
    }

    private static func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: " ") }
    private static func count(_ count: Int, _ word: String) -> String { "\(count) \(word)" + (count == 1 ? "" : "s") }
    private static func shown(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
