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
    /// The run with that key is open; nil = any run of this user is.
    func isRunOpen(key: JSON?) -> Bool
    /// The value is an identifier known to belong to another user.
    func isForeign(_ path: Path, _ value: JSON) -> Bool
    /// Accepted, authenticated and past `session.ready`: without it nothing is must-accept.
    var isReady: Bool { get }
    /// What `{user}` must stand for; nil = anybody.
    var user: String? { get }
}

extension LabelContext {
    package var isReady: Bool { false }
    package var user: String? { nil }
}

package struct Labeler: Sendable {
    private let contract: Contract
    private let templates: [FlowTemplate]

    package init(_ contract: Contract) {
        self.contract = contract
        // Flows say the same again and again.
        var sent: [JSON] = []
        for case .send(let template) in contract.flows.flatMap(\.steps) where !sent.contains(template) { sent.append(template) }
        templates = sent.map { FlowTemplate($0) }
    }

    package func label(_ request: Recognition, in context: any LabelContext) -> Label {
        // What only some parsers take may be taken or refused.
        if request.tolerated || request.outcome == .ignored { return .mayAccept }
        for (index, rule) in contract.reject.enumerated() {
            guard let holding = holds(rule, request, context) else { continue }
            return rule.mayAccept ? .mayAccept : .mustReject(rule: index, stateful: holding == .byState)
        }
        if context.isReady, let value = request.value, templates.contains(where: { $0.matches(value, user: context.user) }) {
            return .mustAccept
        }
        return .mayAccept
    }

    /// Whether a rule that once held does so now.
    package func stillHolds(rule: Int, _ request: Recognition, in context: any LabelContext) -> Bool {
        guard contract.reject.indices.contains(rule) else { return false }
        return holds(contract.reject[rule], request, context) != nil
    }

    private enum Holding { case byBytes, byState }

    /// Nil when it does not hold.
    private func holds(_ rule: RejectRule, _ request: Recognition, _ context: any LabelContext) -> Holding? {
        let holding = rule.when.filter { holds($0, request, context, hidden: false) }
        guard !holding.isEmpty, !rule.unless.contains(where: { holds($0, request, context, hidden: true) }) else { return nil }
        if let before = rule.before, context.hasSeen(before) { return nil }
        if let after = rule.after, !context.hasSeen(after) { return nil }
        if let wanted = rule.run {
            let isOpen = context.isRunOpen(key: request.value.flatMap { runKey(of: request, $0) })
            guard isOpen == (wanted == .open) else { return nil }
        }
        let asksState = rule.before != nil || rule.after != nil || rule.run != nil || rule.unless.contains(where: \.asksForeign)
        return asksState || holding.allSatisfy(\.asksForeign) ? .byState : .byBytes
    }

    private func holds(_ condition: RejectRule.Condition, _ request: Recognition, _ context: any LabelContext, hidden: Bool) -> Bool {
        switch (condition, request.outcome) {
        case (.malformed, .malformed), (.unknown, .unknown), (.invalid, .invalid): return true
        case (.pattern(let pattern), _):
            guard let value = request.value else { return false }
            return pattern.holds(for: value, hidden: hidden) { context.isForeign($0, $1) }
        default: return false
        }
    }

    /// The key of the run that the request starts or speaks of.
    private func runKey(of request: Recognition, _ value: JSON) -> JSON? {
        let starts = request.rule.flatMap { contract.requests.indices.contains($0) ? contract.requests[$0].starts : nil }
        if let run = contract.runs.first(where: { $0.name == starts }) { return contract.key(of: run, in: value) }
        return contract.runs.lazy.compactMap { contract.key(of: $0, in: value) }.first
    }
}

extension RejectRule.Condition {
    var asksForeign: Bool {
        if case .pattern(let pattern) = self { pattern.asksForeign } else { false }
    }
}
