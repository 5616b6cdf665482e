import Contracts
import Plans
import Wire

/// Two to four users at once: whose error it is, whose ids they are, and who may come in at all.
struct Isolation: Sendable {
    let stage: Stage

    /// A plan to be made when it is asked for.
    private typealias Recipe = @Sendable () -> Plan

    private var contract: Contract { stage.contract }

    /// What each group begins with comes first: a short run meets every kind.
    func deck() -> Deck {
        let groups = [errors(), foreignValues(), authMatrix(), together(), crowds(), reconnects()]
        var recipes: [Recipe] = []
        for round in 0..<(groups.map(\.count).max() ?? 0) {
            for group in groups where round < group.count { recipes.append(group[round]) }
        }
        let made = recipes
        return Deck(count: made.count) { made[$0]() }
    }

    /// Everybody connected, the last named last.
    private static func opened(_ users: [String], _ stage: Stage, _ comment: String) -> PlanBuilder {
        var builder = PlanBuilder(comment)
        for (index, user) in users.enumerated() {
            let credential = stage.credentials[index % stage.credentials.count]
            builder.user(user, credential)
            builder.add(user, stage.entrance)
        }
        return builder
    }

    /// Messages that the contract refuses, one of each kind.
    private func refused(by user: String) -> [(name: String, verb: Plan.Verb)] {
        let messages = stage.messages(of: user)
        var found = contract.probes.map { ($0.kind, TemplateText.verb(messages.linked($0.message))) }
        if contract.wire.format == .json {
            found.append(("malformed", .sendText(#"{"type":"x","#)))
            found.append(("unknown", TemplateText.verb(messages.linked(["type": "no_such_type"]))))
        }
        return found.filter {
            if case .mustReject = stage.guards.labels.label($0.1) { true } else { false }
        }
    }

    // (a) Whose error it is

    private func errors() -> [Recipe] {
        let users = stage.users(2)
        guard users.count == 2, let first = users.first, let last = users.last else { return [] }
        let stage = stage
        let kinds = refused(by: first)
        guard !kinds.isEmpty else { return [] }
        var recipes: [Recipe] = kinds.map { kind in
            {
                var builder = Self.opened(users, stage, "\(first) errs (\(kind.name)) while \(last) came last.")
                builder.add(first, stage.exchange(kind.verb))
                if let flow = stage.flow(of: last) { builder.add(last, flow.verbs) }
                return builder.plan
            }
        }
        // In turn, each twice: an error that went astray meets one that is due.
        recipes.insert(
            {
                var builder = Self.opened(users, stage, "Everybody errs in turn.")
                for kind in kinds.prefix(5) {
                    for user in users { builder.add(user, stage.exchange(kind.verb)) }
                }
                for user in users { if let flow = stage.flow(of: user) { builder.add(user, flow.verbs) } }
                return builder.plan
            }, at: min(1, recipes.count))
        recipes += kinds.map { kind in
            {
                var builder = Self.opened(users, stage, "\(first) errs (\(kind.name)) while \(last) is served.")
                guard let flow = stage.flow(of: last), let ask = flow.firstMessage else { return builder.plan }
                builder.add(last, ask)
                builder.add(first, stage.exchange(kind.verb))
                builder.add(last, Array(flow.verbs.drop { $0 != ask }.dropFirst()))
                return builder.plan
            }
        }
        return recipes
    }

    // (b) Whose ids they are

    private struct Theft: Sendable {
        var name: String
        var message: JSON
    }

    /// Every request of `user` with an identifier of `owner` in it.
    private func thefts(by user: String, from owner: String) -> [Theft] {
        let messages = stage.messages(of: user)
        var named: [Theft] = []
        var others: [Theft] = []
        for identifier in contract.identity.ids {
            guard let (keys, value) = messages.reference(to: identifier, of: owner) else { continue }
            for rule in contract.requests.indices {
                guard let message = messages.message(of: rule), case .object = message else { continue }
                let theft = Theft(
                    name: "\(contract.requests[rule].name) with \(owner)'s \(identifier.name)",
                    message: messages.linked(message.setting(keys[...], to: value)))
                let hasPlace = messages.fields(of: rule).contains { $0.keys == keys }
                if hasPlace { named.append(theft) } else { others.append(theft) }
            }
        }
        // Where the shape has a place for it first, then wherever it may stand.
        return named + others
    }

    private func foreignValues() -> [Recipe] {
        let users = stage.users(2)
        guard users.count == 2, let owner = users.first, let thief = users.last else { return [] }
        let stage = stage
        // One request at a time, every id in turn: ids in the order of the requests that have a place for them.
        let thefts = thefts(by: thief, from: owner).filter { theft in
            !(stage.guards.labels.recognise(TemplateText.verb(theft.message)).map { read in
                if case .mustReject = stage.guards.labels.label(read) { true } else { false }
            } ?? true)
        }
        let after: [Recipe] = thefts.map { theft in
            {
                var builder = Self.opened(users, stage, "\(theft.name), when \(owner) is done.")
                if let flow = stage.flow(of: owner) { builder.add(owner, flow.verbs) }
                if let flow = stage.flow(of: thief) { builder.add(thief, flow.verbs) }
                builder.add(thief, stage.exchange(TemplateText.verb(theft.message)))
                if let flow = stage.flow(of: owner) { builder.add(owner, flow.last) }
                return builder.plan
            }
        }
        let during: [Recipe] = thefts.map { theft in
            {
                var builder = Self.opened(users, stage, "\(theft.name), while \(owner) is served.")
                if let flow = stage.flow(of: thief) { builder.add(thief, flow.verbs) }
                if let flow = stage.flow(of: owner), let ask = flow.firstMessage {
                    builder.add(owner, Array(flow.verbs.prefix { $0 != ask }) + [ask, stage.guards.firstSign(of: ask)])
                    builder.add(thief, stage.exchange(TemplateText.verb(theft.message)))
                    builder.add(owner, Array(flow.verbs.drop { $0 != ask }.dropFirst()))
                }
                return builder.plan
            }
        }
        return after + during
    }

    // (c) Side by side

    private func together() -> [Recipe] {
        let stage = stage
        return [2, 3, 4].filter { $0 <= stage.workshop.users.count }.map { count in
            {
                let users = stage.users(count)
                var builder = Self.opened(users, stage, "\(count) users are served at the same time, twice.")
                for round in 0..<2 {
                    let scripts = users.compactMap { user in
                        stage.flow(of: user).map { (user, round == 0 ? $0.exchanges : [$0.last]) }
                    }
                    for step in 0..<(scripts.map(\.1.count).max() ?? 0) {
                        Self.sideBySide(scripts.compactMap { script in
                            step < script.1.count ? (script.0, script.1[step]) : nil
                        }, &builder)
                    }
                }
                return builder.plan
            }
        }
    }

    /// The messages begin at one instant, then everybody waits.
    private static func sideBySide(_ exchanges: [(user: String, verbs: [Plan.Verb])], _ builder: inout PlanBuilder) {
        var labels: [Int] = []
        for (user, verbs) in exchanges {
            if let first = verbs.first, first.sends { labels.append(builder.add(user, first)) }
        }
        builder.together(labels)
        for (user, verbs) in exchanges { builder.add(user, Array(verbs.drop(while: \.sends))) }
    }

    // (e) A crowd with errors in the middle

    private func crowds() -> [Recipe] {
        let users = stage.users(4)
        guard users.count >= 2 else { return [] }
        let stage = stage
        return (0..<2).map { turn in
            {
                var builder = Self.opened(users, stage, "\(users.count) users at once, every second one errs in the middle.")
                for user in users {
                    guard let flow = stage.flow(of: user), let ask = flow.firstMessage else { continue }
                    builder.add(user, Array(flow.verbs.prefix { $0 != ask }) + [ask])
                }
                var errors: [String: Plan.Verb] = [:]
                for (index, user) in users.enumerated() where index % 2 == turn {
                    let kinds = Isolation(stage: stage).refused(by: user)
                    guard !kinds.isEmpty else { continue }
                    let verb = kinds[index % kinds.count].verb
                    builder.add(user, verb)
                    errors[user] = stage.guards.behind(verb)
                }
                for user in users {
                    guard let flow = stage.flow(of: user), let ask = flow.firstMessage else { continue }
                    let rest = Array(flow.verbs.drop { $0 != ask }.dropFirst())
                    builder.add(user, Self.both(errors[user], rest))
                }
                for user in users { if let flow = stage.flow(of: user) { builder.add(user, flow.last) } }
                return builder.plan
            }
        }
    }

    /// The first guard also waits for the error, which may come before or behind what it waits for.
    private static func both(_ error: Plan.Verb?, _ rest: [Plan.Verb]) -> [Plan.Verb] {
        guard case .until(let wanted, _)? = error else { return rest }
        guard case .until(let names, let bound)? = rest.first else { return (error.map { [$0] } ?? []) + rest }
        return [.until(names + wanted, within: bound)] + rest.dropFirst()
    }

    // (f) One comes back while the other is served

    private func reconnects() -> [Recipe] {
        let users = stage.users(2)
        guard users.count == 2, let first = users.first, let last = users.last else { return [] }
        let stage = stage
        let ways: [(String, [Plan.Verb])] = [
            ("in order", [.close(code: 1000, reason: "")]), ("by a reset", [.cut("reset")]), ("half", [.cut("half")]),
            ("", []),
        ]
        return ways.map { name, leave in
            {
                var builder = Self.opened(
                    users, stage, "\(first) leaves \(name) and comes back while \(last) is served.")
                let flows = [first, last].compactMap { stage.flow(of: $0) }
                guard flows.count == 2, let mine = flows[0].firstMessage, let other = flows[1].firstMessage else {
                    return builder.plan
                }
                builder.add(first, mine)
                builder.add(last, other)
                builder.add(first, leave + [.reconnect(cursor: nil)] + stage.arrival)
                builder.add(first, flows[0].verbs)
                builder.add(last, Array(flows[1].verbs.drop { $0 != other }.dropFirst()))
                return builder.plan
            }
        }
    }

    // (d) Who may come in

    private func authMatrix() -> [Recipe] {
        guard contract.auth?.anonymous != true, !contract.identity.credential.isEmpty, stage.credential != "none",
            let user = stage.workshop.users.first
        else { return [] }
        let stage = stage
        let variants = stage.workshop.canMint ? [" forged", " expired", " corrupt"] : []
        let bad = ["none"] + stage.credentials.flatMap { place in variants.map { place + $0 } }
        var recipes: [Recipe] = bad.map { credential in
            {
                var builder = PlanBuilder("A credential that must not do: \(credential).")
                builder.user(user, credential)
                builder.add(user, [stage.connect(), stage.guards.rejection])
                Self.attempt(user, stage, &builder)
                return builder.plan
            }
        }
        let others = stage.users(2)
        guard others.count == 2, let guest = others.last else { return recipes }
        if let place = stage.contract.identity.credential.lazy.compactMap({ Self.headerName($0) }).first {
            recipes.append {
                var builder = PlanBuilder("\(guest) comes with a credential of \(user).")
                builder.user(user, stage.credential)
                builder.user(guest, "none")
                builder.add(user, stage.entrance)
                let value = (place == "authorization" ? "Bearer " : "") + "$\(user).credential"
                builder.add(guest, stage.connect(headers: [Plan.Header(name: place, value: value)]))
                builder.add(guest, .until(["answered"], within: stage.contract.auth?.within ?? .seconds(2)))
                Self.attempt(guest, stage, &builder)
                if let flow = stage.flow(of: user) { builder.add(user, flow.verbs) }
                return builder.plan
            }
        }
        // Bad ones beside a good one.
        recipes += bad.map { credential in
            {
                var builder = PlanBuilder("\(user) is served while \(guest) comes with \(credential).")
                builder.user(user, stage.credential)
                builder.user(guest, credential)
                builder.add(user, stage.entrance)
                builder.add(guest, [stage.connect(), stage.guards.rejection])
                if let flow = stage.flow(of: user) { builder.add(user, flow.verbs) }
                return builder.plan
            }
        }
        return recipes
    }

    /// The flow on a connection that should not be there; waits no longer than a refusal may take.
    private static func attempt(_ user: String, _ stage: Stage, _ builder: inout PlanBuilder) {
        let longest = stage.contract.auth?.within ?? .seconds(2)
        for verb in stage.flow(of: user)?.verbs ?? [] {
            guard case .until(let names, let bound) = verb else {
                builder.add(user, verb)
                continue
            }
            let open = stage.guards.orRefusal(names)
            builder.add(user, .until(open, within: min(bound, longest)))
        }
    }

    private static func headerName(_ place: Place) -> String? {
        if case .header(let name) = place.kind { name } else { nil }
    }
}
