import Contracts
import Journaling
import Wire

/// The contract as the reader asks it, for every message: behind one reference, since a copy would be one of all its lists,
/// and with what follows from it alone worked out once.
@dynamicMemberLookup
final class Terms: Sendable {
    let contract: Contract
    let recognizer: Recognizer
    let runs: [RunTerms]
    let delivery: DeliveryTerms?
    /// The names of declared events, for people.
    private let titles: [String]
    /// By declared event.
    private let traits: [EventTraits]
    /// What events are asked for: the values at link paths, of identifiers and of the keys of runs, and numbers.
    private let eventMembers: MemberTable
    private let eventLinks: [MemberTable.Entry]
    private let eventNames: MemberTable.List
    private let eventKeys: [[MemberTable.Entry]]
    /// By run: its key stands where an identifier does.
    private let keysAreNames: [Bool]
    private let allKeysAreNames: Bool
    private let number: MemberTable.Entry?
    /// What requests are asked for: the same, and the context that errors repeat.
    private let requestMembers: MemberTable
    private let requestLinks: [MemberTable.Entry]
    private let requestNames: [[MemberTable.Entry]]
    private let requestKeys: [[MemberTable.Entry]]
    private let context: [MemberTable.Entry]
    /// By link path: equal values there name one request and no other.
    private let exclusive: [Bool]
    /// The event that greets a client.
    let greeting: String?
    /// Within which everything that is asked for must have been answered; nil = within none.
    let longestWait: Duration?

    init(_ contract: Contract) {
        self.contract = contract
        titles = contract.events.map { Terminal.plain($0.name) }
        let ids = contract.identity.ids
        let repeated = contract.errors?.context ?? []
        recognizer = Recognizer(contract)
        let events = recognizer.members(.toClient)
        eventMembers = events
        runs = contract.runs.map { RunTerms($0, events: contract.events.map(\.name), events) }
        eventLinks = contract.link.map { events.entry($0.event) }
        eventNames = events.list(ids.map(\.at))
        eventKeys = contract.runs.map { $0.key.map(events.entry) }
        keysAreNames = contract.runs.map { run in ids.contains { $0.at == run.key } }
        allKeysAreNames = keysAreNames.allSatisfy { $0 }
        number = contract.delivery?.sequence.map { events.entry($0.at) }
        let requests = recognizer.members(.toServer)
        requestMembers = requests
        requestLinks = contract.link.map { requests.entry($0.request) }
        requestNames = ids.map { $0.at.map(requests.entry) }
        requestKeys = contract.runs.map { $0.key.map(requests.entry) }
        context = repeated.map(requests.entry)
        delivery = contract.delivery.map(DeliveryTerms.init)
        exclusive = contract.link.map { link in
            !contract.identity.ids.contains { $0.at.contains(link.event) || $0.at.contains(link.request) }
                && !contract.runs.contains { $0.key.contains(link.event) }
        }
        greeting = contract.session?.greeting
        traits = zip(contract.events, titles).map { EventTraits($0.name, type: $0.name, title: $1, contract) }
        let bounds = contract.runs.flatMap { $0.hot.map(\.within) }
        // A state may be left at the end of its bound, and another one follows.
        let longest = bounds.compactMap { $0 }.reduce(contract.deadline) { $0 + $1 }
        longestWait = bounds.contains { $0 == nil } ? nil : longest
    }

    subscript<Value>(dynamicMember path: KeyPath<Contract, Value>) -> Value { contract[keyPath: path] }

    /// Equal values there name this request and no other: no identifier of a thread, a run or a user.
    func isExclusive(_ link: Int) -> Bool { exclusive.indices.contains(link) && exclusive[link] }

    /// Where and what they are.
    func exclusiveNames(of request: Request) -> [Said.Name] {
        exclusive.indices.compactMap { index in
            guard exclusive[index], request.links.indices.contains(index) else { return nil }
            let extra = request.extras.indices.contains(index) ? request.extras[index] : nil
            return (request.links[index] ?? extra).map { Said.Name(link: index, text: Identifiers.text($0)) }
        }
    }

    func key(of run: RunTerms, in message: JSON) -> JSON? { run.key.value(in: message) }

    /// What the contract asks of every event, found at one go.
    func naming(of found: Members, on session: SessionID) -> EventNaming {
        var naming = EventNaming()
        naming.names = eventNames.entries.map { found.value($0).map(Identifiers.text) }
        for index in runs.indices {
            guard let key = found.value(eventKeys[index]) else { continue }
            naming.keys.append(
                RunKey(rule: index, session: runs[index].serverScope ? nil : session, text: Identifiers.text(key)))
        }
        return naming
    }

    /// Its members, where they were not found when it was recognised.
    func members(of event: JSON) -> Members { eventMembers.find(in: event) }

    /// Its number, where events are numbered.
    func number(of found: Members) -> Int? { number.flatMap { found.value($0)?.integer } }

    /// It has the same texts wherever the other event of that connection had some, and no more.
    func isNamed(_ found: Members, like last: EventNaming) -> Bool {
        guard found.say(last.names, at: eventNames) else { return false }
        if allKeysAreNames { return true }
        var next = 0
        for index in runs.indices {
            let isLast = next < last.keys.count && last.keys[next].rule == index
            defer { if isLast { next += 1 } }
            if keysAreNames[index] { continue }
            guard found.says(isLast ? last.keys[next].text : nil, at: eventKeys[index]) else { return false }
        }
        return true
    }

    /// The same of a request.
    func look(atRequest request: JSON, _ members: Members?) -> RequestLook {
        let found = members ?? requestMembers.find(in: request)
        var look = RequestLook()
        look.links = requestLinks.map { found.value($0) }
        look.context = context.map { found.value($0) }
        look.names = requestNames.flatMap { found.value($0).map(Identifiers.texts) ?? [] }
        look.keys = requestKeys.compactMap { found.value($0).map(Identifiers.text) }
        return look
    }

    struct RequestLook: Sendable {
        init() {}
        /// Of a message that says nothing.
        init(_ terms: Terms) {
            links = terms.requestLinks.map { _ in nil }
            context = terms.context.map { _ in nil }
        }

        /// Values at the contract's link paths, and at those of errors' context.
        var links: [JSON?] = []
        var context: [JSON?] = []
        /// The values of all declared identifiers, as text: as they were written, and as they come back from a server that
        /// keeps numbers as doubles.
        var names: [String] = []
        /// The keys of runs, in the order of the contract.
        var keys: [String] = []
    }

    /// Its value at a link path.
    func linked(_ index: Int, in members: Members) -> JSON? { members.value(eventLinks[index]) }

    /// What an event names.
    struct EventNaming: Sendable, Equatable {
        /// Its value of each declared identifier, as text.
        var names: [String?] = []
        /// The runs that it names, in the order of the contract.
        var keys: [RunKey] = []
    }

    func traits(of event: Recognition) -> EventTraits {
        if let rule = event.rule, traits.indices.contains(rule), event.isByName { return traits[rule] }
        return EventTraits(event.name, type: event.type, title: title(of: event), contract)
    }

    /// What people call that event.
    func title(of event: Recognition) -> String {
        guard let rule = event.rule, titles.indices.contains(rule), event.isByName else {
            return event.title.map { Terminal.plain($0) } ?? "a message"
        }
        return titles[rule]
    }

    func isError(event name: String) -> Bool { contract.isError(event: name) }
    func isSuccess(_ event: Recognition) -> Bool { contract.isSuccess(event) }
    func errorKind(of message: JSON) -> String? { contract.errorKind(of: message) }
    func bound(of rule: RejectRule) -> Duration { contract.bound(of: rule) }
    func bound(of request: MessageRule) -> Duration { contract.bound(of: request) }
}

/// What the contract says of an event by its name.
struct EventTraits: OptionSet, Sendable {
    let rawValue: UInt8

    static let isError = EventTraits(rawValue: 1)
    static let isGreeting = EventTraits(rawValue: 2)
    /// It ends AUTHENTICATING.
    static let isReady = EventTraits(rawValue: 4)
    /// People call it what ends AUTHENTICATING.
    static let isCalledReady = EventTraits(rawValue: 8)
    /// It says that a resume is not possible from where it was asked for.
    static let isTruncated = EventTraits(rawValue: 16)
}

extension EventTraits {
    /// - Parameter title: what people call it.
    init(_ name: String?, type: String?, title: @autoclosure () -> String, _ contract: Contract) {
        self = []
        if let name, contract.isError(event: name) { insert(.isError) }
        if let greeting = contract.session?.greeting, name == greeting || type == greeting { insert(.isGreeting) }
        if let truncated = contract.delivery?.resume?.truncated, truncated.names(isRequest: false, name: name, type: type) {
            insert(.isTruncated)
        }
        guard let ready = contract.session?.ready else { return }
        if name == ready || type == ready { insert(.isReady) }
        if name == ready || title() == ready { insert(.isCalledReady) }
    }
}

extension Recognition {
    /// Its type says nothing beside the name of its rule.
    fileprivate var isByName: Bool { type == nil || type == name }
}

/// One of its runs.
@dynamicMemberLookup
final class RunTerms: Sendable {
    private let rule: RunRule
    let key: [Path]
    let serverScope: Bool
    let states: [RunRule.State]
    let parts: [RunRule.Part]
    /// By part: where an event has its keys.
    let partKeys: [[MemberTable.Entry]]
    /// By state: whether it is hot, and how long a run may stay there.
    private let bounds: [(isHot: Bool, within: Duration?)]
    /// By state and declared event, when that is recognised by its name: where it leads; nil = nowhere.
    private let moves: [[Move?]]

    /// By state: what could still come, `agent_completed or error`.
    private let ends: [String]
    /// By declared event: what it is to parts.
    private let roles: [PartRoles]

    /// What an event is to the parts of a run.
    final class PartRoles: Sendable {
        struct Role: Sendable {
            /// Index into the run's parts.
            var part: Int
            var isStart: Bool
            var isEnd: Bool
            var isInside: Bool
        }
        let roles: [Role]
        /// Parts that must have ended when it comes.
        let before: [Int]

        init(_ parts: [RunRule.Part], name: String?, type: String?) {
            func isNamed(_ names: [MessageName]) -> Bool { names.contains { $0.names(isRequest: false, name: name, type: type) } }
            var roles: [Role] = []
            var before: [Int] = []
            for (index, part) in parts.enumerated() {
                let isStart = isNamed([part.start])
                let isEnd = !isStart && isNamed([part.end])
                let isInside = isNamed(part.inside)
                if isStart || isEnd || isInside {
                    roles.append(Role(part: index, isStart: isStart, isEnd: isEnd, isInside: isInside))
                }
                if isNamed(part.before) { before.append(index) }
            }
            self.roles = roles
            self.before = before
        }
    }

    /// Where an edge leads.
    enum Move: Sendable {
        case done
        /// Nil: there is no such state.
        case state(Int?)
    }

    /// - Parameter events: names of the contract's events, in order.
    init(_ rule: RunRule, events: [String], _ members: MemberTable) {
        self.rule = rule
        key = rule.key
        serverScope = rule.serverScope
        states = rule.states
        parts = rule.parts
        partKeys = rule.parts.map { $0.key.map(members.entry) }
        bounds = rule.states.map { state in (rule.isHot(state.name), rule.hot.first { $0.state == state.name }?.within) }
        ends = rule.states.map { state in
            let edges = state.edges.filter { !$0.name.isRequest && $0.next != state.name }
            return edges.isEmpty ? "an end" : Wording.list(edges.map(\.name.glob.text))
        }
        roles = events.map { PartRoles(rule.parts, name: $0, type: $0) }
        moves = rule.states.map { state in
            events.map { name in
                rule.edge(from: state.name, isRequest: false, name: name, type: name).map { Self.move($0, rule) }
            }
        }
    }

    func roles(of event: Recognition) -> PartRoles {
        if let index = event.rule, roles.indices.contains(index), event.isByName { return roles[index] }
        return PartRoles(parts, name: event.name, type: event.type)
    }

    private static func move(_ edge: RunRule.Edge, _ rule: RunRule) -> Move {
        edge.next == "done" ? .done : .state(rule.states.firstIndex { $0.name == edge.next })
    }

    /// Where that event leads from a state; nil = there is no edge for it.
    func move(from state: Int, by event: Recognition) -> Move? {
        guard states.indices.contains(state) else { return nil }
        if let index = event.rule, moves[state].indices.contains(index), event.isByName { return moves[state][index] }
        return rule.edge(from: states[state].name, isRequest: false, name: event.name, type: event.type).map { Self.move($0, rule) }
    }

    subscript<Value>(dynamicMember path: KeyPath<RunRule, Value>) -> Value { rule[keyPath: path] }

    /// What could still come in that state.
    func ends(of state: Int) -> String { ends.indices.contains(state) ? ends[state] : "an end" }

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
