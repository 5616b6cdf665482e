/// Makes plans smaller. Every candidate is a valid plan: users and steps are taken out whole, never edited, and a step
/// whose values nothing binds any more is left to the player, which says that it cannot be played.
package enum PlanReducer {
    /// Candidates to try one after the other, fewest steps first; the plan itself is the last. At most `bound` of them.
    /// - Parameters:
    ///   - witnesses: users that must stay, in any order.
    ///   - last: label of the step after which nothing matters; nil when that is not known.
    package static func candidates(_ plan: Plan, witnesses: [String], upTo last: Int?, bound: Int = 8) -> [Plan] {
        var found: [Plan] = []
        func add(_ candidate: Plan) {
            let isKnown = candidate.steps == plan.steps || found.contains { $0.steps == candidate.steps }
            if !candidate.steps.isEmpty, !isKnown { found.append(candidate) }
        }
        let cut = last.flatMap { label in plan.steps.firstIndex { $0.number == label } }
        let whole = cut.map { truncated(plan, to: $0) } ?? plan
        let mine = keeping(witnesses, in: whole)
        for exchanges in [1, 2, 4] { add(lastExchanges(exchanges, of: mine)) }
        add(mine)
        add(keeping(witnesses, in: plan))
        add(whole)
        // Stable: of two with as many steps the one from further above.
        let order = found.indices.sorted { (found[$0].steps.count, $0) < (found[$1].steps.count, $1) }
        return order.prefix(max(0, bound - 1)).map { found[$0] } + [plan]
    }

    /// Greedy: takes out users, then halves, quarters … single steps, as long as `shows` says the rest still does.
    /// - Parameter executions: how often `shows` may be asked.
    package static func reduce(
        _ plan: Plan, executions: Int, shows: (Plan) async throws -> Bool
    ) async rethrows -> (plan: Plan, executions: Int) {
        var best = plan
        var spent = 0
        for user in plan.users.map(\.name) where spent < executions && best.users.count > 1 {
            let smaller = keeping(best.users.map(\.name).filter { $0 != user }, in: best)
            spent += 1
            if try await shows(smaller) { best = smaller }
        }
        var size = max(1, best.steps.count / 2)
        while spent < executions {
            var start = 0
            var shrunk = false
            while start < best.steps.count, spent < executions {
                let smaller = removing(start..<min(start + size, best.steps.count), from: best)
                if !smaller.steps.isEmpty {
                    spent += 1
                    if try await shows(smaller) {
                        best = smaller
                        shrunk = true
                        continue
                    }
                }
                start += size
            }
            if size == 1, !shrunk { break }
            size = max(1, size / 2)
        }
        return (best, spent)
    }

    /// Only those users and their steps; barriers lose what is gone. Whoever is named in what stays is declared still.
    package static func keeping(_ users: [String], in plan: Plan) -> Plan {
        guard plan.users.contains(where: { users.contains($0.name) }) else { return plan }
        var smaller = plan
        smaller.steps = plan.steps.filter { $0.user.map(users.contains) ?? true }
        let named = smaller.steps.flatMap(\.verb.names)
        smaller.users = plan.users.filter { users.contains($0.name) || named.contains($0.name) }
        return tidied(smaller)
    }

    static func removing(_ range: Range<Int>, from plan: Plan) -> Plan {
        var smaller = plan
        smaller.steps.removeSubrange(range)
        return tidied(smaller)
    }

    /// Without the steps of these labels.
    package static func without(_ labels: Set<Int>, in plan: Plan) -> Plan {
        var smaller = plan
        smaller.steps.removeAll { labels.contains($0.number) }
        return tidied(smaller)
    }

    /// The steps up to there, and of each user the guards behind their last one: they say what was expected.
    private static func truncated(_ plan: Plan, to index: Int) -> Plan {
        var smaller = plan
        smaller.steps = Array(plan.steps.prefix(index + 1))
        var gone: Set<String> = []
        for step in plan.steps.dropFirst(index + 1) {
            guard let user = step.user, !gone.contains(user) else { continue }
            if step.verb.isGuard { smaller.steps.append(step) } else { gone.insert(user) }
        }
        return tidied(smaller)
    }

    /// Each user's way in (connect, and the guards behind it) and the last messages with what follows them.
    private static func lastExchanges(_ count: Int, of plan: Plan) -> Plan {
        var keep = Set<Int>()
        for user in plan.users.map(\.name) {
            let mine = plan.steps.indices.filter { plan.steps[$0].user == user }
            guard let way = mine.firstIndex(where: { plan.steps[$0].verb.opens }) else { continue }
            keep.insert(mine[way])
            for index in mine[(way + 1)...].prefix(while: { plan.steps[$0].verb.isGuard }) { keep.insert(index) }
        }
        let sends = plan.steps.indices.filter { plan.steps[$0].verb.sends }
        if let first = sends.suffix(count).first {
            for index in plan.steps.indices where index >= first { keep.insert(index) }
        } else {
            return plan
        }
        var smaller = plan
        smaller.steps = plan.steps.indices.filter(keep.contains).map { plan.steps[$0] }
        return tidied(awaitingLess(smaller))
    }

    /// A guard that waits for one event a message waits for as many as there are messages left.
    private static func awaitingLess(_ plan: Plan) -> Plan {
        var plan = plan
        var sent: [String: Int] = [:]
        for index in plan.steps.indices {
            guard let user = plan.steps[index].user else { continue }
            if plan.steps[index].verb.sends { sent[user, default: 0] += 1 }
            guard case .until(let events, let bound) = plan.steps[index].verb, let count = sent[user] else { continue }
            plan.steps[index].verb = .until(Array(events.prefix(max(1, count))), within: bound)
        }
        return plan
    }

    /// Barriers that name steps which are gone name the others; with fewer than two they go as well.
    static func tidied(_ plan: Plan) -> Plan {
        var plan = plan
        let labels = Set(plan.steps.map(\.number))
        plan.steps = plan.steps.compactMap { step in
            guard case .together(let named) = step.verb else { return step }
            let left = named.filter(labels.contains)
            guard left.count >= 2 else { return nil }
            var step = step
            step.verb = .together(left)
            return step
        }
        return plan
    }
}

extension Plan.Verb {
    /// Users (and runs) whose values it wants.
    package var names: [String] { templates.flatMap(\.names) }

    /// Every text in it that may hold values.
    package var templates: [PlanTemplate] {
        switch self {
        case .connect(let path, _, let headers): ([path] + headers.map(\.value)).map { PlanTemplate(text: $0) }
        case .send(let json): (try? PlanTemplate(json: json)).map { [$0] } ?? []
        case .sendText(let text): [PlanTemplate(text: text)]
        case .frames(let frames):
            frames.compactMap { frame in if case .text(let text) = frame.payload { PlanTemplate(text: text) } else { nil } }
        case .reconnect(let cursor?): [PlanTemplate(text: cursor)]
        default: []
        }
    }

    /// Makes a connection.
    package var opens: Bool {
        switch self {
        case .connect, .reconnect: true
        default: false
        }
    }
    package var sends: Bool {
        switch self {
        case .send, .sendText, .sendBytes, .frames: true
        default: false
        }
    }
    /// Waits and does nothing else.
    package var isGuard: Bool {
        switch self {
        case .until, .quiet: true
        default: false
        }
    }
}
