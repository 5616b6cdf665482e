package import Contracts
package import Wire

/// What earlier messages bound, for `$run1.thread_id` and its like (value flow, fuzzing.md "A test is a plan"):
///
/// * `$alice.id` is alice's principal name: her own, unless whoever plays says that she is another to the server.
/// * `$alice.FIELD` is the value of the member FIELD in the newest event that reached alice and has it.
/// * `$runN.FIELD` is the same among the events of the N-th run of the step's own user; `$bob.runN.FIELD` of bob's. A
///   user's runs are numbered from 1 in the order in which the first event with a new run key reached that user. The key
///   is the contract's `runs.*.key`, without a contract the member `run_id`. Events that name another user as theirs
///   (the contract's `ids` with `is: user`) bind nothing: a misrouted event must not rename the runs of who got it.
package struct Binding: Sendable {
    private struct Known: Sendable {
        var members: [String: JSON] = [:]
        /// Members of the events of each run, and where the run with a key stands.
        var runs: [[String: JSON]] = []
        var numbers: [String: Int] = [:]
    }

    /// What is kept of one user at most; a flood from a server binds no more.
    static let mostRuns = 10_000
    static let mostMembers = 1_000

    private let runKeys: [[Path]]
    private let userPaths: [Path]
    private let principals: [String: String]
    private var known: [String: Known] = [:]

    /// - Parameter principals: who the plan's users are to the server, by user; the others are what they are called.
    package init(contract: Contract?, principals: [String: String] = [:]) {
        self.principals = principals
        runKeys = contract?.runs.map(\.key) ?? []
        userPaths = contract?.identity.ids.filter { $0.is == .user }.flatMap(\.at) ?? []
    }

    /// An event reached a connection of that user.
    package mutating func observe(_ event: JSON, user: String) {
        guard let members = event.object else { return }
        if let owner = userPaths.value(in: event), owner.string != nil, owner.string != principal(of: user) {
            return
        }
        var mine = known.removeValue(forKey: user) ?? Known()
        Self.merge(members, into: &mine.members)
        if let key = runKey(event) {
            if mine.numbers[key] == nil, mine.runs.count < Self.mostRuns {
                mine.numbers[key] = mine.runs.count
                mine.runs.append([:])
            }
            if let index = mine.numbers[key] { Self.merge(members, into: &mine.runs[index]) }
        }
        known[user] = mine
    }

    /// Nil when nothing has bound it so far.
    package func value(of reference: Reference, for user: String) -> JSON? {
        let owner = reference.user ?? user
        if reference.run == nil, reference.path == ["id"] { return .string(principal(of: owner)) }
        guard let known = known[owner], let first = reference.path.first else { return nil }
        var value: JSON?
        if let number = reference.run {
            guard number >= 1, number <= known.runs.count else { return nil }
            value = known.runs[number - 1][first]
        } else {
            value = known.members[first]
        }
        for name in reference.path.dropFirst() { value = value?[name] }
        return value
    }

    /// The number of the run that an event which reached that user belongs to, once `observe` has seen it.
    func run(of event: JSON, user: String) -> Int? {
        guard let key = runKey(event) else { return nil }
        return known[user]?.numbers[key].map { $0 + 1 }
    }

    private func principal(of user: String) -> String { principals[user] ?? user }

    private func runKey(_ event: JSON) -> String? {
        if runKeys.isEmpty { return event["run_id"]?.canonical }
        for paths in runKeys {
            if let key = paths.value(in: event) { return key.canonical }
        }
        return nil
    }

    private static func merge(_ members: [JSON.Member], into table: inout [String: JSON]) {
        for member in members where !member.value.isNull {
            if table[member.key] != nil || table.count < mostMembers { table[member.key] = member.value }
        }
    }
}
