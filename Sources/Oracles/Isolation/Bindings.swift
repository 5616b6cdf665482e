import Contracts
import Journaling
import Wire

/// How identifiers belong together (contract.md, semantics 11): learnt from what the server sends and from nothing else.
struct Bindings: Sendable {
    /// Two values that should go together and do not, or one that is not as it should be.
    struct Breach: Sendable, Hashable {
        enum Kind: Sendable, Hashable {
            case form(String)
            /// The values of a group in two forms, or in a form and in the id of its name; the other id, its value, the two.
            case group(String, other: String, value: String, found: String, expected: String)
            /// It was within another one before.
            case within(String, known: String, found: String)
            /// It was another connection's, or its connection had another one.
            case connection(known: String)
        }
        var name: String
        var value: String
        var kind: Kind
        var line: Line
    }
    enum Outcome: Sendable {
        /// Nothing of it is declared to belong together.
        case none
        case kept
        /// Behind one reference: most events are kept.
        indirect case broken(Breach)
    }

    private enum Maker: Sendable { case server, client }
    private struct Name: Hashable, Sendable {
        var rule: Int
        var value: String
        /// Where its uniqueness ends, when that is a connection.
        var session: SessionID?
    }
    /// What a group of a form holds in a value.
    private struct Held {
        /// Into `groups`.
        var group: Int
        var rule: Int
        var value: String
    }

    private let rules: [IdentifierRule]
    /// The rule of the id that it is within, by rule; and whether its chain ends at a connection.
    private let outer: [Int?]
    private let isOfConnection: [Bool]
    /// By rule: a value of it is judged whatever else a message says.
    private let isJudgedAlone: [Bool]
    let isEmpty: Bool
    private let hasForms: Bool
    /// The names of the groups of all forms; and the rule of that name.
    private let groups: [String]
    private let named: [Int?]
    /// By rule: which of these its form has, in order.
    private let held: [[Int]]
    /// Who said a value first: what a client made up has whatever form it likes.
    private var makers: Fading<String, Maker>
    /// Of forms and values that take work; nil = misfits.
    private var fits: Fading<Name, LinearRegex.Match?>
    private var parents: Fading<Name, String>
    private var sessions: Fading<Name, SessionID>
    /// The value that a connection has of each id that is one to one with it.
    private var ofSession: Fading<Name, String>
    private var told: Fading<Breach, Bool>
    /// The ids of the last message of each connection that was as it should be: the next is likely of the same run.
    private var last = SessionMap<[String?]>()

    init(_ rules: [IdentifierRule], capacity: Int) {
        self.rules = rules
        let outer = rules.map { rule -> Int? in
            guard case .id(let name)? = rule.within else { return nil }
            return rules.firstIndex { $0.name == name }
        }
        self.outer = outer
        isOfConnection = rules.indices.map { Self.endsAtConnection($0, rules, outer) }
        isJudgedAlone = rules.map { $0.form != nil || $0.is == .connection || $0.within == .connection }
        hasForms = rules.contains { $0.form != nil }
        var groups: [String] = []
        for name in rules.flatMap({ $0.form?.groups ?? [] }) where !groups.contains(name) { groups.append(name) }
        self.groups = groups
        named = groups.map { name in rules.firstIndex { $0.name == name } }
        held = rules.map { rule in (rule.form?.groups ?? []).compactMap { groups.firstIndex(of: $0) } }
        isEmpty = !hasForms && outer.allSatisfy { $0 == nil }
            && !rules.contains { $0.is == .connection || $0.within == .connection }
        makers = Fading(capacity: capacity)
        fits = Fading(capacity: capacity)
        parents = Fading(capacity: capacity)
        sessions = Fading(capacity: capacity)
        ofSession = Fading(capacity: capacity)
        told = Fading(capacity: 4_096)
    }

    private static func endsAtConnection(_ index: Int, _ rules: [IdentifierRule], _ outer: [Int?]) -> Bool {
        var next: Int? = index
        // No longer than there are rules: a contract may go in circles.
        for _ in rules.indices {
            guard let rule = next, rules.indices.contains(rule) else { return false }
            if rules[rule].is == .connection || rules[rule].within == .connection { return true }
            next = outer[rule]
        }
        return false
    }

    /// What a client says before the server does is the client's.
    mutating func hear(_ values: [String]) {
        guard hasForms else { return }
        for value in values where makers[value] == nil { makers.set(value, .client) }
    }

    mutating func forget(_ id: SessionID) { last[id] = nil }

    /// Checks an event, then learns from it. The first thing that is wrong, once.
    /// - Parameters:
    ///   - values: of each declared identifier, as text.
    ///   - isEcho: whether this connection itself sent that value.
    ///   - user: the name of the receiving principal.
    mutating func check(
        _ values: [String?], session: SessionID, user: String?, isError: Bool, isEcho: (String) -> Bool
    ) -> Outcome {
        guard !isEmpty else { return .none }
        if last[session] == values { return .kept }
        if values.allSatisfy({ $0 == nil }) { return .none }
        // What was cut out for its secrecy may have been anything.
        guard values.allSatisfy({ $0.map { !Redactor.mayBeRedacted($0) } ?? true }) else { return .none }
        let echoed = isError ? values.map { $0.map(isEcho) ?? false } : values.map { _ in false }
        let breach = misshapen(values, echoed, user, isEcho) ?? rebound(values, echoed, session) ?? reconnected(values, echoed, session)
        if let breach {
            guard told[breach] == nil else { return .none }
            told.set(breach, true)
            return .broken(breach)
        }
        guard isJudged(values) else { return .none }
        if !echoed.contains(true) { last[session] = values }
        return .kept
    }

    private func isJudged(_ values: [String?]) -> Bool {
        rules.indices.contains { index in
            guard values[index] != nil else { return false }
            return isJudgedAlone[index] || outer[index].map { values[$0] != nil } ?? false
        }
    }

    // MARK: Forms

    private mutating func misshapen(_ values: [String?], _ echoed: [Bool], _ user: String?, _ isEcho: (String) -> Bool) -> Breach? {
        guard hasForms else { return nil }
        // By rule: the server said it first, as far as is remembered.
        var areServers = values.map { value in
            guard let value else { return false }
            return makers.value(of: value) { isEcho(value) ? .client : .server } == .server
        }
        if makers.forgotten > 0 { for index in areServers.indices { areServers[index] = false } }
        var all: [Held] = []
        all.reserveCapacity(groups.count + rules.count)
        for index in rules.indices where areServers[index] && !echoed[index] {
            guard let form = rules[index].form, let value = values[index] else { continue }
            guard let match = match(of: value, form, index) else {
                return Breach(name: rules[index].name, value: value, kind: .form(form.text), line: rules[index].line)
            }
            for (group, found) in zip(held[index], match.values) {
                if let text = found.value { all.append(Held(group: group, rule: index, value: text)) }
            }
        }
        for (position, one) in all.enumerated() {
            if let other = all[..<position].first(where: { $0.group == one.group && $0.value != one.value }) {
                return breach(one, rules[other.rule].name, values[other.rule] ?? "", expected: other.value, values)
            }
            guard let named = named[one.group], named != one.rule, let value = values[named],
                areServers[named] || rules[named].is == .user && value == user, value != one.value
            else { continue }
            return breach(one, rules[named].name, value, expected: value, values)
        }
        return nil
    }

    private func breach(
        _ one: Held, _ other: String, _ value: String, expected: String, _ values: [String?]
    ) -> Breach {
        Breach(
            name: rules[one.rule].name, value: values[one.rule] ?? "",
            kind: .group(groups[one.group], other: other, value: value, found: one.value, expected: expected), line: rules[one.rule].line)
    }

    /// What the groups of the form hold; nil when it does not fit.
    private mutating func match(of value: String, _ form: IdentifierForm, _ index: Int) -> LinearRegex.Match? {
        if value.utf8.count > LinearRegex.maximumText { return .bare }
        if let told = form.quickMatch(value) { return told }
        let name = Name(rule: index, value: value)
        if let known = fits[name] { return known }
        let match = form.match(value)
        fits.set(name, match)
        return match
    }

    // MARK: Bonds

    /// Many to one, for ever.
    private mutating func rebound(_ values: [String?], _ echoed: [Bool], _ session: SessionID) -> Breach? {
        for index in rules.indices {
            guard let place = outer[index], let value = values[index], let parent = values[place], !echoed[index], !echoed[place]
            else { continue }
            let name = Name(rule: index, value: value, session: isOfConnection[index] ? session : nil)
            let known = parents.value(of: name) { parent }
            if known != parent {
                return Breach(
                    name: rules[index].name, value: value, kind: .within(rules[place].name, known: known, found: parent),
                    line: rules[index].line)
            }
        }
        return nil
    }

    private mutating func reconnected(_ values: [String?], _ echoed: [Bool], _ session: SessionID) -> Breach? {
        for index in rules.indices where rules[index].is == .connection || rules[index].within == .connection {
            guard let value = values[index], !echoed[index] else { continue }
            let name = Name(rule: index, value: value)
            let known = sessions.value(of: name) { session }
            if known != session {
                return Breach(name: rules[index].name, value: value, kind: .connection(known: known.description), line: rules[index].line)
            }
            guard rules[index].is == .connection else { continue }
            let own = Name(rule: index, value: "", session: session)
            let same = ofSession.value(of: own) { value }
            if same != value {
                return Breach(name: rules[index].name, value: value, kind: .connection(known: same), line: rules[index].line)
            }
        }
        return nil
    }
}
