import Contracts
import Journaling
import Wire

/// The contract as the reader asks it, for every message: behind one reference, since a copy would be one of all its lists,
/// and with what follows from it alone worked out once.
@dynamicMemberLookup
final class Terms: Sendable {
    let contract: Contract
    let runs: [RunTerms]
    let delivery: DeliveryTerms?
    private let link: [LinkPath]
    /// By link path: equal values there name one request and no other.
    private let exclusive: [Bool]
    /// Within which everything that is asked for must have been answered; nil = within none.
    let longestWait: Duration?

    init(_ contract: Contract) {
        self.contract = contract
        runs = contract.runs.map(RunTerms.init)
        link = contract.link
        delivery = contract.delivery.map(DeliveryTerms.init)
        exclusive = contract.link.map { link in
            !contract.identity.ids.contains { $0.at.contains(link.event) || $0.at.contains(link.request) }
                && !contract.runs.contains { $0.key.contains(link.event) }
        }
        let bounds = contract.runs.flatMap { $0.hot.map(\.within) }
        // A state may be left at the end of its bound, and another one follows.
        let longest = bounds.compactMap { $0 }.reduce(contract.deadline) { $0 + $1 }
        longestWait = bounds.contains { $0 == nil } ? nil : longest
    }

    subscript<Value>(dynamicMember path: KeyPath<Contract, Value>) -> Value { contract[keyPath: path] }

    /// Equal values there name this request and no other: no identifier of a thread, a run or a user.
    func isExclusive(_ link: Int) -> Bool { exclusive.indices.contains(link) && exclusive[link] }

    func key(of run: RunTerms, in message: JSON) -> JSON? { run.key.value(in: message) }

    /// The runs that a message names, in the order of the contract.
    func runKeys(in message: JSON, on session: SessionID) -> [RunKey] {
        var keys: [RunKey] = []
        for index in runs.indices {
            guard let key = runs[index].key.value(in: message) else { continue }
            keys.append(RunKey(rule: index, session: runs[index].serverScope ? nil : session, text: Identifiers.text(key)))
        }
        return keys
    }

    /// What an event says at the link paths.
    func links(in event: JSON) -> [JSON?] { link.map { $0.event.value(in: event) } }

    func isError(event name: String) -> Bool { contract.isError(event: name) }
    func isSuccess(_ event: Recognition) -> Bool { contract.isSuccess(event) }
    func errorKind(of message: JSON) -> String? { contract.errorKind(of: message) }
    func bound(of rule: RejectRule) -> Duration { contract.bound(of: rule) }
    func bound(of request: MessageRule) -> Duration { contract.bound(of: request) }
}

/// One of its runs.
@dynamicMemberLookup
final class RunTerms: Sendable {
    private let rule: RunRule
    let key: [Path]
    let serverScope: Bool
    let states: [RunRule.State]
    let parts: [RunRule.Part]
    /// By state: whether it is hot, and how long a run may stay there.
    private let bounds: [(isHot: Bool, within: Duration?)]

    init(_ rule: RunRule) {
        self.rule = rule
        key = rule.key
        serverScope = rule.serverScope
        states = rule.states
        parts = rule.parts
        bounds = rule.states.map { state in (rule.isHot(state.name), rule.hot.first { $0.state == state.name }?.within) }
    }

    subscript<Value>(dynamicMember path: KeyPath<RunRule, Value>) -> Value { rule[keyPath: path] }

    func isHot(_ state: Int) -> Bool { bounds.indices.contains(state) && bounds[state].isHot }
    /// How long a run may stay in that state; nil = for ever.
    func bound(of state: Int) -> Duration? { bounds.indices.contains(state) ? bounds[state].within : nil }

    func edge(from state: String, isRequest: Bool, name: String?, type: String?) -> RunRule.Edge? {
        rule.edge(from: state, isRequest: isRequest, name: name, type: type)
    }

    func names(isRequest: Bool, name: String?, type: String?) -> Bool {
        rule.names(isRequest: isRequest, name: name, type: type)
    }
}

/// What it says of the delivery of events.
final class DeliveryTerms: Sendable {
    let sequence: DeliveryRules.Sequence?
    let id: [Path]
    let history: DeliveryRules.History?
    let resume: DeliveryRules.Resume?
    let line: Line
    /// Histories are asked for in messages.
    let isHistoryAsked: Bool

    init(_ rules: DeliveryRules) {
        sequence = rules.sequence
        id = rules.id
        history = rules.history
        resume = rules.resume
        line = rules.line
        if case .messages? = rules.history?.asking { isHistoryAsked = true } else { isHistoryAsked = false }
    }
}
