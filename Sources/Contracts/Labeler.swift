package import Wire

/// What is owed to a request, from the bytes at Sout (contract.md, semantics 3).
package enum Label: Sendable, Hashable {
    /// `rule` is an index into `contract.reject`. A stateful rule must still hold when the outcome arrives or the
    /// deadline fires, else the label falls to may-accept: ask `Labeler.stillHolds`.
    case mustReject(rule: Int, stateful: Bool)
    case mayAccept
    /// It is a message of a declared flow, unchanged but for variables, on a ready connection.
    case mustAccept
}

/// What a label may depend on beside the bytes: the state of the request's own connection and user.
package protocol LabelContext {
    /// A message of that name (exact or glob) has passed on this connection, at the server's taps.
    func hasSeen(_ name: MessageName) -> Bool
    /// Surely a run of that rule with that key is open, which is in a hot state; nil = any run here.
    func isRunOpen(key: JSON?) -> Bool
    /// The same, where it cannot be excluded.
    func mayRunBeOpen(key: JSON?) -> Bool
    /// The value is an identifier known to belong to another user.
    func isForeign(_ path: Path, _ value: JSON) -> Bool
    /// Accepted, authenticated and past `session.ready`: without it nothing is must-accept.
    var isReady: Bool { get }
    /// What `{user}` must stand for; nil = anybody.
    var user: String? { get }
}

extension LabelContext {
    package func mayRunBeOpen(key: JSON?) -> Bool { isRunOpen(key: key) }
    package var isReady: Bool { false }
    package var user: String? { nil }
}

/// Says what is owed to requests. It never changes, and whoever asks shares it.
package final class Labeler: Sendable {
    private let contract: Contract
    private let templates: [FlowTemplate]
    /// A rule lets a request be accepted or answered with a Close.
    private let mayClose: Bool
    /// By rule of `reject`: what it says depends on a state, whatever holds of it.
    private let asksState: [Bool]
    /// By rule of `reject`: its `when`.
    private let conditions: [[Condition]]
    /// The members of requests that demands speak of.
    private let members: [String]

    package init(_ contract: Contract) {
        self.contract = contract
        mayClose = contract.reject.contains { rule in rule.mayAccept && rule.outcomes.contains { if case .close = $0 { true } else { false } } }
        asksState = contract.reject.map { rule in
            rule.before != nil || rule.after != nil || rule.run != nil || rule.unless.contains(where: \.asksForeign)
        }
        var members: [String] = []
        conditions = contract.reject.map { rule in rule.when.map { Condition($0, type: contract.wire.type, &members) } }
        self.members = members
        let recognizer = Recognizer(contract)
        // Flows say the same again and again.
        var sent: [FlowTemplate] = []
        for flow in contract.flows {
            for (index, step) in flow.steps.enumerated() {
                guard case .send(let template) = step else { continue }
                for message in recognizer.recognise(sent: template).compactMap(\.value) {
                    let template = FlowTemplate(message, kept: flow.kept(before: index))
                    if !sent.contains(template) { sent.append(template) }
                }
            }
        }
        templates = sent
    }

    package func label(_ request: Recognition, in context: any LabelContext) -> Label {
        // What only some parsers take may be taken or refused.
        if request.tolerated || request.outcome == .ignored || request.heartbeat != nil { return .mayAccept }
        if case .unreadable = request.outcome { return .mayAccept }
        if let (index, holding) = firstHolding(request, context) {
            return contract.reject[index].mayAccept ? .mayAccept : .mustReject(rule: index, stateful: holding == .byState)
        }
        if context.isReady, let value = request.value, templates.contains(where: { $0.matches(value, user: context.user) }) {
            return .mustAccept
        }
        return .mayAccept
    }

    /// The rule by which a request that may be accepted may as well be answered with a Close.
    package func grant(_ request: Recognition, in context: any LabelContext) -> Int? {
        guard mayClose, let (index, _) = firstHolding(request, context), contract.reject[index].mayAccept else { return nil }
        return index
    }

    /// The first rule that holds is the one that counts.
    private func firstHolding(_ request: Recognition, _ context: any LabelContext) -> (rule: Int, holding: Holding)? {
        let found = found(in: request)
        for index in contract.reject.indices {
            if let holding = holds(index, request, found, context) { return (index, holding) }
        }
        return nil
    }

    /// Whether a rule that once held does so now.
    package func stillHolds(rule: Int, _ request: Recognition, in context: any LabelContext) -> Bool {
        guard contract.reject.indices.contains(rule) else { return false }
        return holds(rule, request, found(in: request), context) != nil
    }

    /// The earlier rules that hold but for the state they ask for, of which nobody can say how it is where the server
    /// decides: what they allow is as good as the outcomes of rule `index`.
    package func rivals(of index: Int, _ request: Recognition, in context: any LabelContext) -> [Int] {
        let found = found(in: request)
        return contract.reject.indices.prefix(index).filter { earlier in
            let rule = contract.reject[earlier]
            return (rule.before != nil || rule.after != nil || rule.run != nil) && mayHold(earlier, request, found, context)
        }
    }

    /// Every rule that may hold, whatever state it asks for and whether it lets the request be accepted as well.
    package func possible(_ request: Recognition, in context: any LabelContext) -> [Int] {
        let found = found(in: request)
        return contract.reject.indices.filter { mayHold($0, request, found, context) }
    }

    private func mayHold(_ rule: Int, _ request: Recognition, _ found: [JSON?], _ context: any LabelContext) -> Bool {
        holds(rule, request, found, context, inState: { _ in true }) != nil
    }

    /// The values of `members`, where it has any.
    private func found(in request: Recognition) -> [JSON?] {
        guard let value = request.value else { return [] }
        return members.map { value[$0] }
    }

    private enum Holding { case byBytes, byState }

    private func holds(_ index: Int, _ request: Recognition, _ found: [JSON?], _ context: any LabelContext) -> Holding? {
        holds(index, request, found, context) { rule in
            if let before = rule.before, context.hasSeen(before) { return false }
            if let after = rule.after, !context.hasSeen(after) { return false }
            guard let wanted = rule.run else { return true }
            let key = request.value.flatMap { runKey(of: request, $0) }
            return wanted == .open ? context.isRunOpen(key: key) : !context.mayRunBeOpen(key: key)
        }
    }

    /// Nil when it does not hold.
    private func holds(
        _ index: Int, _ request: Recognition, _ found: [JSON?], _ context: any LabelContext, inState: (RejectRule) -> Bool
    ) -> Holding? {
        var isAny = false
        var areForeign = true
        for one in conditions[index] {
            if let types = one.types, let type = request.type, !types.contains(type) { continue }
            guard found.isEmpty || one.demands.allSatisfy({ $0.mayBe(found[$0.member]) { context.isForeign($0, $1) } }),
                holds(one.condition, request, context, hidden: false)
            else { continue }
            isAny = true
            areForeign = areForeign && one.asksForeign
        }
        guard isAny else { return nil }
        let rule = contract.reject[index]
        guard !rule.unless.contains(where: { holds($0, request, context, hidden: true) }), inState(rule) else { return nil }
        return areForeign || asksState[index] ? .byState : .byBytes
    }

    private func holds(_ condition: RejectRule.Condition, _ request: Recognition, _ context: any LabelContext, hidden: Bool) -> Bool {
        switch condition {
        case .malformed: if case .malformed = request.outcome { true } else { false }
        case .unknown: if case .unknown = request.outcome { true } else { false }
        case .invalid: if case .invalid = request.outcome { true } else { false }
        case .pattern(let pattern):
            if let value = request.value {
                pattern.holds(for: value, hidden: hidden) { context.isForeign($0, $1) }
            } else {
                false
            }
        }
    }

    /// The key of the run that the request starts or speaks of.
    private func runKey(of request: Recognition, _ value: JSON) -> JSON? {
        let starts = request.rule.flatMap { self.contract.requests.indices.contains($0) ? self.contract.requests[$0].starts : nil }
        if let run = contract.runs.first(where: { $0.name == starts }) { return contract.key(of: run, in: value) }
        return contract.runs.lazy.compactMap { self.contract.key(of: $0, in: value) }.first
    }
}

/// One of a rule's conditions, with what is seen of it at once.
private final class Condition: Sendable {
    let condition: RejectRule.Condition
    /// The types that it can hold of; nil = perhaps of any.
    let types: [String]?
    let demands: [MemberDemand]
    let asksForeign: Bool

    init(_ condition: RejectRule.Condition, type: Path?, _ members: inout [String]) {
        self.condition = condition
        types = Self.types(of: condition, at: type)
        demands = MemberDemand.all(of: condition, but: type, &members)
        asksForeign = condition.asksForeign
    }

    /// What it wants at `wire.type`, when these are texts as they are.
    private static func types(of condition: RejectRule.Condition, at type: Path?) -> [String]? {
        guard case .pattern(let pattern) = condition, case .fields(let fields) = pattern.test,
            let test = fields.first(where: { $0.path == type })?.test
        else { return nil }
        return test.texts
    }
}

extension RejectRule.Condition {
    var asksForeign: Bool {
        if case .pattern(let pattern) = self { pattern.asksForeign } else { false }
    }
}
