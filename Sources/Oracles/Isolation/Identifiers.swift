import Contracts
import Journaling
import Wire

/// Whose identifier is whose (contract.md, semantics 11): learnt from what the server sends and from nothing else.
struct Identifiers: Sendable {
    /// One value of one declared identifier.
    private struct Name: Hashable, Sendable {
        var rule: Int
        var value: String
    }
    private struct Owner: Sendable {
        var user: Principal
        var session: SessionID
    }
    /// Behind one reference: nearly every event has none.
    final class Foreign: Sendable {
        let rule: IdentifierRule
        let owner: String
        let value: String
        /// Nil for a value that is itself a user's name.
        let user: Principal?

        init(rule: IdentifierRule, owner: String, value: String, user: Principal? = nil) {
            self.rule = rule
            self.owner = owner
            self.value = value
            self.user = user
        }
    }

    /// What is asked of one identifier of an event.
    private enum Ask: Sendable {
        /// It is the receiver's name.
        case isUser
        /// It has one owner, who is learnt.
        case isOwned
        case nothing
    }

    private let rules: [IdentifierRule]
    /// By rule.
    private let asks: [Ask]
    private var owners: Fading<Name, Owner>
    /// Every principal that has spoken: the values of ids declared `is: user`.
    private var users: Fading<String, Bool>

    /// The ids of the last message of each connection that were all its user's: the next is likely of the same run.
    private var last = SessionMap<Known>()
    private struct Known: Sendable {
        var names: [String?]
        var user: Principal
        /// How many owners were forgotten by then: of one that was forgotten since, it would have to be learnt again.
        var forgotten: Int
    }

    init(_ rules: [IdentifierRule], capacity: Int) {
        self.rules = rules
        asks = rules.map { rule in
            if rule.is == .user { return .isUser }
            return rule.within == .user || rule.is == .connection || rule.within == .connection ? .isOwned : .nothing
        }
        owners = Fading(capacity: capacity)
        users = Fading(capacity: capacity)
    }

    mutating func met(_ user: Principal) {
        if let name = user.name { users.set(name, true) }
    }

    mutating func forget(_ id: SessionID) { last[id] = nil }

    func isName(_ text: String) -> Bool { users[text] != nil }

    /// As it was written, and as it comes back from a server that keeps numbers as doubles.
    static func texts(_ value: JSON) -> [String] {
        switch value {
        case .array, .object: [text(value), text(value.rounded)]
        default: [text(value)]
        }
    }

    /// Checks an event that reached `user`, then learns from it. One message yields at most one.
    /// - Parameters:
    ///   - names: the value of each identifier in `message`, as text.
    ///   - sent: whether a connection of that user itself sent that value: then it is an echo, not judged in error events nor
    ///     where the id *is* the user.
    ///   - isShared: it is a room's, and its receiver is in it; nil = none is.
    mutating func check(
        _ message: JSON, _ names: [String?], to user: Principal, session: SessionID, isError: Bool, sent: (String) -> Bool,
        isShared: ((IdentifierRule) -> Bool)?, _ aliases: Aliases
    ) -> Foreign? {
        if isShared == nil, let last = last[session], last.names == names, last.user == user, last.forgotten == owners.forgotten {
            return nil
        }
        var foreign: Foreign?
        for (index, name) in names.enumerated() {
            guard let name else { continue }
            switch asks[index] {
            case .nothing: continue
            case .isUser:
                guard let own = user.name, name != own, foreign == nil, !isEcho(of: index, in: message, sent) else { continue }
                foreign = Foreign(rule: rules[index], owner: name, value: name)
            case .isOwned:
                if let isShared, isShared(rules[index]) { continue }
                if isError, isEcho(of: index, in: message, sent) { continue }
                let key = Name(rule: index, value: name)
                guard foreign == nil else { continue }
                let (owner, isNew) = owners.take(key) { Owner(user: user, session: session) }
                if isNew { continue }
                let known = aliases(owner.user)
                if known != user { foreign = Foreign(rule: rules[index], owner: known.label, value: name, user: known) }
            }
        }
        if foreign == nil, isShared == nil, !isError, !isNamedOtherwise(names, user) {
            last[session] = Known(names: names, user: user, forgotten: owners.forgotten)
        }
        return foreign
    }

    /// By an echo, which may be another connection's that will be gone.
    private func isNamedOtherwise(_ names: [String?], _ user: Principal) -> Bool {
        guard let own = user.name else { return false }
        return asks.indices.contains { asks[$0] == .isUser && names[$0] != nil && names[$0] != own }
    }

    private func isEcho(of rule: Int, in message: JSON, _ sent: (String) -> Bool) -> Bool {
        rules[rule].at.value(in: message).map { Self.texts($0).contains(where: sent) } ?? false
    }

    /// The value at that path is known to belong to another user.
    func isForeign(_ path: Path, _ value: JSON, to user: Principal, _ aliases: Aliases) -> Bool {
        let text = Self.text(value)
        for index in rules.indices where rules[index].at.contains(path) {
            if rules[index].is == .user {
                if let name = user.name, text != name, users[text] != nil { return true }
            } else if let owner = owners[Name(rule: index, value: text)], aliases(owner.user) != user {
                return true
            }
        }
        return false
    }

    /// The value at that path is known to be this user's own: only then may a context demand be made (semantics 14).
    func isOwn(_ path: Path, _ value: JSON, of user: Principal, _ aliases: Aliases) -> Bool {
        let text = Self.text(value)
        var isDeclared = false
        for (index, rule) in rules.enumerated() where rule.at.contains(path) {
            isDeclared = true
            if rule.is == .user, text == user.name { return true }
            if let owner = owners[Name(rule: index, value: text)], aliases(owner.user) == user { return true }
        }
        return !isDeclared
    }

    /// All identifiers that the message names are known to be this user's own.
    func areOwn(_ message: JSON, of user: Principal, _ aliases: Aliases) -> Bool {
        rules.enumerated().allSatisfy { index, rule in
            guard let value = rule.at.value(in: message) else { return true }
            let text = Self.text(value)
            if rule.is == .user, text == user.name { return true }
            return owners[Name(rule: index, value: text)].map { aliases($0.user) == user } ?? false
        }
    }

    /// Whether that path is one of an identifier: equal values there name a thread or a user, not one request.
    func isIdentifier(_ path: Path) -> Bool { rules.contains { $0.at.contains(path) } }

    static func text(_ value: JSON) -> String {
        if case .string(let text) = value { text } else { value.canonical }
    }
}
