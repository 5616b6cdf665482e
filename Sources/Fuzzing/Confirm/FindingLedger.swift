import Findings
package import Oracles

/// All findings of a run, one entry each: what a sighting calls for, and what came of it.
package struct FindingLedger: Sendable {
    package enum Claim: Sendable, Equatable {
        /// New, or seen again after reruns did not show it: run it again.
        case confirm
        /// Known, or being confirmed.
        case known
        /// Was confirmed in vain too often.
        case quarantined
    }

    private struct Entry: Sendable {
        var seen = 0
        var isConfirming = false
        var settled: FuzzFinding?
        /// Confirmations that came to nothing, the last of them, and how often it had been seen by then.
        var failures = 0
        /// The same of plans with faults: these may show every time what others show by chance.
        var faultyFailures = 0
        var flaky: FuzzFinding?
        var seenThen = 0
    }

    /// After so many it counts as flaky, and must be seen twice as often to be tried once more.
    private static let patience = 2
    private static let mostAttempts = 3
    private var entries: [String: Entry] = [:]
    private var aliases: [String: String] = [:]

    package init() {}

    /// Somebody saw it, `repeats` times.
    /// - Parameter hasFaults: of the plan that showed it.
    package mutating func see(_ finding: Finding, hasFaults: Bool = false) -> Claim {
        let id = resolved(finding.id)
        var entry = entries[id] ?? Entry()
        entry.seen += max(1, finding.repeats)
        let claim = Self.claim(entry, hasFaults)
        if claim == .confirm { entry.isConfirming = true }
        entries[id] = entry
        return claim
    }

    private static func claim(_ entry: Entry, _ hasFaults: Bool) -> Claim {
        if entry.settled != nil || entry.isConfirming { return .known }
        if hasFaults, entry.faultyFailures < mostAttempts { return .confirm }
        if entry.failures < patience { return .confirm }
        return entry.failures < mostAttempts && entry.seen >= 2 * entry.seenThen ? .confirm : .quarantined
    }

    /// A confirmation ended.
    package mutating func settle(_ finding: Finding, _ confirmed: Confirmed) {
        let id = resolved(finding.id)
        var entry = entries[id] ?? Entry()
        entry.isConfirming = false
        if case .flaky(let outcome) = confirmed {
            if outcome.plan.faults.isEmpty { entry.failures += 1 } else { entry.faultyFailures += 1 }
            entry.seenThen = entry.seen
            entry.flaky = outcome
            entries[id] = entry
            return
        }
        entries[id] = entry
        let outcome = confirmed.outcome
        let target = resolved(outcome.finding.id)
        if target != id { join(id, to: target) }
        var kept = entries[target] ?? Entry()
        // Of two plans for one finding the one that is steadier and smaller.
        if kept.settled.map({ Self.isBetter(outcome, than: $0) }) ?? true { kept.settled = outcome }
        kept.flaky = nil
        entries[target] = kept
    }

    /// The attempt ended without a word: it may be made again.
    package mutating func giveUp(_ finding: Finding) { entries[resolved(finding.id)]?.isConfirming = false }

    /// Distinct findings that were confirmed, worst first, with how often each was seen.
    package var findings: [FuzzFinding] { listed { $0.settled } }

    /// Seen, and not confirmed: worst first.
    package var flaky: [FuzzFinding] { listed { $0.settled == nil ? $0.flaky : nil } }

    package var confirming: Int { entries.values.count { $0.isConfirming } }

    /// How often it was seen, under whatever name.
    package func seen(_ id: String) -> Int { entries[resolved(id)]?.seen ?? 0 }

    private func listed(_ pick: (Entry) -> FuzzFinding?) -> [FuzzFinding] {
        let picked = entries.values.compactMap { entry in
            pick(entry).map { outcome in
                var outcome = outcome
                outcome.finding.repeats = max(entry.seen, 1)
                return outcome
            }
        }
        return picked.sorted { Severity.isWorse($0.finding, than: $1.finding) }
    }

    private static func isBetter(_ new: FuzzFinding, than old: FuzzFinding) -> Bool {
        if case .unattributed = new.finding.attribution { return false }
        if case .unattributed = old.finding.attribution { return true }
        return (new.plan.users.count, new.plan.steps.count) < (old.plan.users.count, old.plan.steps.count)
    }

    /// What the alias was seen as counts for the other one.
    private mutating func join(_ id: String, to target: String) {
        let gone = entries.removeValue(forKey: id)
        aliases[id] = target
        entries[target, default: Entry()].seen += gone?.seen ?? 0
        if let settled = gone?.settled, entries[target]?.settled == nil { entries[target]?.settled = settled }
    }

    /// Aliases never form a circle: a target is always resolved, and an alias has no entry.
    private func resolved(_ id: String) -> String {
        var id = id
        var hops = 0
        while let next = aliases[id], hops <= aliases.count {
            id = next
            hops += 1
        }
        return id
    }
}
