import Contracts
import Journaling
import Testing

@testable import Oracles

/// A healthy server's journal without some of its sessions is a healthy server's: whatever is not there may explain what is,
/// so that nobody may be accused by it.
struct Omission {
    let contract: Contract?
    let entries: [Entry]
    let end: Instant

    init(_ contract: Contract?, _ entries: [Entry], until end: Instant) {
        self.contract = contract
        self.entries = entries
        self.end = end
    }

    func accusesNobody(_ sourceLocation: SourceLocation = #_sourceLocation) {
        for (name, omitted) in sessions.map({ ("\($0)", [$0]) }) + users.map({ ($0.key, $0.value) }) {
            for journal in journals(without: Set(omitted), isUser: users[name] != nil) {
                let judgement = journal.judgement(contract, until: end)
                let told = judgement.findings.filter { !journal.mayTell($0) }.map(\.sentence)
                #expect(
                    told.isEmpty && (!journal.isTold || judgement.failed.isEmpty),
                    "without \(name), \(journal.name): \(told)", sourceLocation: sourceLocation)
            }
        }
    }

    struct Journal {
        var name: String
        var entries: [Entry]
        var absence: Absence = []
        /// False: only who captured it can know that a session is missing. What stays without an answer on the connections that
        /// are there is told then, and so is who repeats another's word, of which no two are alike.
        var isTold = true

        func mayTell(_ finding: Finding) -> Bool {
            !isTold && (finding.sentence.contains(" gets no ") || ["I1", "C1"].contains(finding.property))
        }

        func judgement(_ contract: Contract?, until end: Instant) -> Judgement {
            var judge = Judge(contract: contract, absence: absence)
            for entry in entries { judge.observe(entry) }
            return judge.conclude(at: end)
        }
    }

    /// The journals that those may leave, as a reader gets them.
    func journals(without omitted: Set<SessionID>, isUser: Bool) -> [Journal] {
        let rest = entries.filter { $0.session.map { !omitted.contains($0) } ?? true }
        var journals: [Journal] = []
        // The numbers say that something is missing; the journal goes on for a while, without its loops' clocks.
        let late = Entry(number: UInt64(entries.count) + 1, instant: end, loop: .max, sequence: 0, ref: nil, body: .note("later"))
        journals.append(Journal(name: "numbered", entries: rest + [late]))
        // A recording of some users is numbered by itself, and says that it is one of some users.
        if isUser { journals.append(Journal(name: "of some users", entries: inOrder(rest), absence: .users)) }
        journals.append(Journal(name: "captured", entries: inOrder(rest), absence: .sessions, isTold: false))
        return journals
    }

    var sessions: [SessionID] { unique(entries.compactMap(\.session)) }

    /// By the name that the server was given, last.
    var users: [String: [SessionID]] {
        var names: [SessionID: String] = [:]
        for entry in entries {
            guard let id = entry.session, case .facts(let facts) = entry.body, facts.tap == .serverOut else { continue }
            if let name = facts.user ?? facts.tag { names[id] = names[id] ?? name }
        }
        return Dictionary(grouping: names.keys.sorted()) { names[$0] ?? "" }
    }
}
