import Contracts
import Oracles
import Peers
import Plans

/// The last touches to a plan that people will read. None of them may change what it shows; whoever applies them plays
/// it again.
enum Finish {
    /// What was said of the plan that it came from says nothing of this one; what stands behind a step stays with it.
    static func uncommented(_ plan: Plan) -> Plan {
        var plan = plan
        plan.head = Plan.Head()
        plan.tail = []
        for index in plan.users.indices { plan.users[index].above = [] }
        for index in plan.steps.indices { plan.steps[index].above = [] }
        for index in plan.faults.indices { plan.faults[index].above = [] }
        return plan
    }

    /// Steps are 1, 2, 3 …; barriers name them so.
    static func numbered(_ plan: Plan) -> Plan {
        var plan = plan
        var labels: [Int: Int] = [:]
        for (index, step) in plan.steps.enumerated() where labels[step.number] == nil { labels[step.number] = index + 1 }
        for index in plan.steps.indices {
            plan.steps[index].number = index + 1
            guard case .together(let named) = plan.steps[index].verb else { continue }
            plan.steps[index].verb = .together(named.compactMap { labels[$0] })
        }
        return plan
    }

    /// Users bear `names` in order of appearance; with more users than names, theirs.
    static func named(_ plan: Plan, _ names: [String]) -> Plan {
        let order = order(of: plan)
        guard order.count <= names.count, Set(order).count == order.count else { return plan }
        let map = Dictionary(uniqueKeysWithValues: zip(order, names))
        var plan = plan
        plan.users = order.compactMap { name in plan.users.first { $0.name == name } }
        for index in plan.users.indices { plan.users[index].name = map[plan.users[index].name] ?? plan.users[index].name }
        for index in plan.steps.indices {
            plan.steps[index].user = plan.steps[index].user.map { map[$0] ?? $0 }
            plan.steps[index].verb = renamed(plan.steps[index].verb, map)
        }
        for index in plan.faults.indices {
            let words = plan.faults[index].words
            plan.faults[index].words = words.indices.map { place in
                place > 0 && words[place - 1] == "user" ? map[words[place]] ?? words[place] : words[place]
            }
        }
        return plan
    }

    /// The finding's users as they are called in the other plan.
    static func renamed(_ finding: Finding, from old: Plan, to new: Plan) -> Finding {
        let map = Dictionary(zip(order(of: old), new.users.map(\.name)), uniquingKeysWith: { first, _ in first })
        var finding = finding
        finding.users = finding.users.map { map[$0] ?? $0 }
        return finding
    }

    /// Who acts, in order; then who is only declared.
    private static func order(of plan: Plan) -> [String] {
        var order: [String] = []
        for name in plan.steps.compactMap(\.user) + plan.users.map(\.name)
        where !order.contains(name) && plan.users.contains(where: { $0.name == name }) { order.append(name) }
        return order
    }

    private static func renamed(_ verb: Plan.Verb, _ map: [String: String]) -> Plan.Verb {
        switch verb {
        case .connect(let path, let name, let headers):
            .connect(
                path: renamed(path, map), as: name,
                headers: headers.map { Plan.Header(name: $0.name, value: renamed($0.value, map)) })
        case .send(let json): .send(renamed(json, map))
        case .sendText(let text): .sendText(renamed(text, map))
        case .reconnect(let cursor): .reconnect(cursor: cursor.map { renamed($0, map) })
        default: verb
        }
    }

    /// `$alice.id` and `"alice"`; other words may mean anything.
    private static func renamed(_ text: String, _ map: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let sign = rest.firstIndex(where: { $0 == "$" || $0 == "\"" }) {
            let start = rest.index(after: sign)
            result += rest[..<start]
            if rest[sign] == "$", rest[start...].first == "$" {
                // The sign itself.
                result += "$"
                rest = rest[rest.index(after: start)...]
                continue
            }
            let name = rest[start...].prefix { $0.isLetter || $0.isNumber || $0 == "-" || $0 == "_" }
            let end: Character = rest[sign] == "$" ? "." : "\""
            if let new = map[String(name)], rest[name.endIndex...].first == end { result += new } else { result += name }
            rest = rest[name.endIndex...]
        }
        return result + rest
    }

    /// Guards that waited in vain wait no longer than they did: otherwise every rerun would take their whole bound. One that
    /// gave up early was told why, and what tells it needs not come as early again.
    /// - Parameter end: what stands behind this step says what should have come, and by when; nil = nothing does.
    static func hurried(_ plan: Plan, _ results: [StepResult], before end: Int? = nil) -> Plan {
        var plan = plan
        for index in plan.steps.indices.prefix(end ?? .max) {
            guard case .until(let events, let bound) = plan.steps[index].verb,
                let result = results.first(where: { $0.number == plan.steps[index].number }), case .failed = result.outcome,
                result.took >= .milliseconds(500)
            else { continue }
            let tenths = (result.took.nanoseconds + 50_000_000) / 100_000_000
            plan.steps[index].verb = .until(events, within: min(bound, .milliseconds(tenths * 100)))
        }
        return plan
    }

    // MARK: What was expected

    /// The guard behind the step that the finding is about says what should have come, and by when.
    static func expecting(_ plan: Plan, _ finding: Finding, _ contract: Contract) -> Plan {
        guard let offender = offender(of: finding, in: plan) else { return plan }
        let old = guardIndex(behind: offender, in: plan)
        var bound = Expected.bound(of: finding, contract)
        if bound == nil, let old, case .until(_, let given) = plan.steps[old].verb { bound = given }
        guard let events = Expected.events(of: finding, contract) else { return plan }
        var plan = plan
        let verb = Plan.Verb.until([events], within: bound ?? Deadlines.longest(in: contract))
        if let old {
            plan.steps[old].verb = verb
            return plan
        }
        let step = plan.steps[offender]
        let label = (plan.steps.map(\.number).max() ?? 0) + 1
        plan.steps.insert(
            Plan.Step(number: label, user: step.user, connection: step.acting, verb: verb),
            at: place(behind: offender, in: plan))
        return plan
    }

    /// `# fails here: bob got error`, at the guard that did not hold.
    static func commented(_ plan: Plan, _ finding: Finding, _ results: [StepResult]) -> Plan {
        guard let offender = offender(of: finding, in: plan) else { return plan }
        var plan = hurried(plan, results, before: offender)
        for index in plan.steps.indices where plan.steps[index].comment?.hasPrefix("fails here") == true {
            plan.steps[index].comment = nil
        }
        let behind = guardIndex(behind: offender, in: plan)
        let failed = plan.steps.indices.filter { index in
            results.contains { $0.number == plan.steps[index].number && $0.reason != nil }
        }
        let place = behind.flatMap { failed.contains($0) ? $0 : nil } ?? failed.first ?? behind ?? offender
        var reason = results.first { $0.number == plan.steps[place].number }?.reason ?? finding.found
        // What came before is not what is wrong.
        if finding.offending == nil, reason.hasPrefix("got ") { reason = finding.found }
        plan.steps[place].comment = "fails here: " + Expected.plain(reason)
        return plan
    }

    /// The last thing that the finding's first user does.
    private static func offender(of finding: Finding, in plan: Plan) -> Int? {
        let acts = plan.steps.indices.filter { plan.steps[$0].user != nil && !plan.steps[$0].verb.isGuard }
        return acts.last { plan.steps[$0].user == finding.users.first } ?? acts.last
    }

    private static func guardIndex(behind index: Int, in plan: Plan) -> Int? {
        let step = plan.steps[index]
        let next = plan.steps.indices.dropFirst(index + 1).first { other in
            plan.steps[other].user == step.user && plan.steps[other].acting == step.acting
        }
        guard let next, case .until = plan.steps[next].verb else { return nil }
        return next
    }

    /// Behind the step, or behind all members of its barrier.
    private static func place(behind index: Int, in plan: Plan) -> Int {
        let label = plan.steps[index].number
        for case .together(let labels) in plan.steps.map(\.verb) where labels.contains(label) {
            let last = plan.steps.lastIndex { labels.contains($0.number) } ?? index
            return max(last, index) + 1
        }
        return index + 1
    }
}

/// What a finding says should have come, in words of plans.
enum Expected {
    /// `agent_completed|error`; nil when it does not name what a guard can wait for.
    static func events(of finding: Finding, _ contract: Contract) -> String? {
        if finding.property == "A1" { return "refused" }
        var head = finding.expected[...]
        for word in [" for ", " by ", " at ", " within "] {
            if let range = head.firstRange(of: word) { head = head[..<range.lowerBound] }
        }
        let known = contract.events.map(\.name) + (contract.errors?.event ?? [])
        let names = head.split(separator: ",").flatMap { $0.split(separator: " ") }.map { String($0) }
        let named = names.filter { known.contains($0) }
        if !named.isEmpty { return named.joined(separator: "|") }
        guard ["E3", "E4", "E5"].contains(finding.property), let errors = contract.errors?.event, !errors.isEmpty else {
            return nil
        }
        return errors.joined(separator: "|")
    }

    /// By when; nil when the contract gives none for it.
    static func bound(of finding: Finding, _ contract: Contract) -> Duration? {
        switch finding.property {
        case "A1": contract.auth?.within
        case "H1": contract.session?.within
        case "E3", "E4", "E5": contract.errors?.within
        case "I2":
            finding.expected.split(separator: " ").first.flatMap { event in
                contract.errors.flatMap { $0.event.contains(String(event)) ? $0.within : nil }
            }
        default: nil
        }
    }

    /// Without the time, which is another one in each run; one line, not long.
    static func plain(_ text: String) -> String {
        var text = text[...]
        for word in [" at ", " until ", " after "] {
            if let range = text.firstRange(of: word), text[range.upperBound...].contains(where: \.isNumber) {
                text = text[..<range.lowerBound]
            }
        }
        let kept = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }
        return String(String(String.UnicodeScalarView(kept)).prefix(72))
    }
}

extension StepResult {
    /// Why it did not hold; nil when it did, or when the play had been ended.
    var reason: String? {
        switch outcome {
        case .ok: nil
        case .failed(let why): why
        case .cannot(let why): isStopped ? nil : why
        }
    }
}
