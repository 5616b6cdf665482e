import Contracts
import Findings
import Oracles
import Peers
import Plans

/// From a sighting to something that shows every time: the plan alone, then whatever shows in its place, then the plan
/// with somebody else connected.
struct Ladder {
    enum Standing {
        /// It shows, if not every time.
        case reproduced(Rerunner.Count)
        /// Ended before anything spoke against it.
        case unknown(Rerunner.Count)
        case doubtful(Rerunner.Count)
    }

    let confirmer: Confirmer
    let rerunner: Rerunner
    let budget: ConfirmBudget
    /// Ids of what the finding's own run showed.
    let known: Set<String>
    /// So many of as many make a thing clear.
    private var few: Int { min(3, budget.runs) }

    /// - Parameter sighting: becomes what is shown in its place, or in company.
    mutating func climb(_ sighting: inout Sighting) async -> Standing {
        let alone = await count(sighting.plan, sighting.finding)
        if let standing = standing(alone) { return standing }
        if let slip = slip(alone) { return await follow(slip, &sighting, alone) }
        guard alone.shown.isEmpty else { return .doubtful(alone) }
        var last = alone
        for plan in Company.variants(of: sighting.plan, contract: confirmer.contract, names: confirmer.users) {
            if await rerunner.isOver() { break }
            let count = await count(plan, sighting.finding)
            if count.shown.count >= few, count.missing == 0 {
                sighting = Sighting(finding: count.shown[0].finding, plan: plan, run: count.shown[0].run)
                return .reproduced(count)
            }
            if let slip = slip(count) {
                sighting.plan = plan
                return await follow(slip, &sighting, count)
            }
            last.missing += count.missing
            last.shown += count.shown
        }
        return .doubtful(last)
    }

    /// Three of three tell, or five.
    private func count(_ plan: Plan, _ finding: Finding) async -> Rerunner.Count {
        let few = await rerunner.count(plan, finding, wanted: few)
        guard few.isMixed, !few.isShort else { return few }
        return await rerunner.count(plan, finding, wanted: budget.runs, from: few)
    }

    private func standing(_ count: Rerunner.Count) -> Standing? {
        // Most of them: a smaller plan may show it every time.
        if count.shown.count >= few { return .reproduced(count) }
        if count.isShort, count.missing == 0 { return count.shown.isEmpty ? .unknown(count) : .reproduced(count) }
        return count.isShort || count.undecided > budget.repeats ? .doubtful(count) : nil
    }

    /// What shows in its place every time. What its own run showed beside it is no slip: that one is confirmed by itself.
    private func slip(_ count: Rerunner.Count) -> Rerunner.Sight? {
        let total = count.decided + count.undecided
        guard total >= few, count.shown.isEmpty else { return nil }
        let steady = count.others.values.filter { $0.count == total && !known.contains($0.finding.id) }
        return steady.min { Severity.isWorse($0.finding, than: $1.finding) }
    }

    private func follow(
        _ slip: Rerunner.Sight, _ sighting: inout Sighting, _ first: Rerunner.Count
    ) async -> Standing {
        let there = Sighting(finding: slip.finding, plan: sighting.plan, run: slip.run)
        let count = await count(there.plan, there.finding)
        guard count.shown.count >= few || count.isShort && !count.shown.isEmpty else { return .doubtful(first) }
        sighting = there
        return .reproduced(count)
    }
}
