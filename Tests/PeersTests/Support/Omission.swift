import Contracts
import Journaling
import Oracles
import Peers

/// A clean server's journal without some of its sessions: nobody is to blame for what is not there.
struct Omission {
    private let entries: [Entry]
    private let end: Instant

    init(_ run: SimulationRun) {
        entries = run.entries
        end = entries.map(\.instant).max() ?? .zero
    }

    /// Whoever is accused, and what the ledgers cannot explain, without each session and without each user.
    func wrong(by contract: Contract) -> [String] {
        let sessions = Set(entries.compactMap(\.session)).sorted().map { Set([$0]) }
        return sessions.flatMap { wrong(without: $0, isUser: false, contract) }
            + users.values.flatMap { wrong(without: $0, isUser: true, contract) }
    }

    private func wrong(without omitted: Set<SessionID>, isUser: Bool, _ contract: Contract) -> [String] {
        let rest = entries.filter { $0.session.map { !omitted.contains($0) } ?? true }
        var wrong = told(rest, [], contract)
        if isUser {
            // As a recording of some users is numbered.
            let anew = rest.enumerated().map { index, entry in
                var entry = entry
                entry.number = UInt64(index) + 1
                return entry
            }
            wrong += told(anew, .users, contract)
        }
        let names = omitted.sorted().map(\.description).joined(separator: " ")
        return wrong.map { "without \(names): \($0)" }
    }

    private func told(_ entries: [Entry], _ absence: Absence, _ contract: Contract) -> [String] {
        var judge = Judge(contract: contract, absence: absence)
        for entry in entries { judge.observe(entry) }
        let judgement = judge.conclude(at: end)
        return judgement.findings.map { "\($0.property): \($0.sentence)" } + judgement.toolErrors.map { "tool error: \($0.sentence)" }
    }

    private var users: [String: Set<SessionID>] {
        var users: [String: Set<SessionID>] = [:]
        for entry in entries {
            if let id = entry.session, case .facts(let facts) = entry.body, let user = facts.user { users[user, default: []].insert(id) }
        }
        return users
    }
}
