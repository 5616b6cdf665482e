import Oracles
import Peers
import Plans

/// The count that stands in the report: of the smallest plan that shows the finding every time.
struct FinalCount {
    let rerunner: Rerunner
    let finding: Finding
    let runs: Int
    /// So often each plan has shown it already.
    let times: Int
    let patience: Duration

    struct Verdict {
        var finding: Finding
        var plan: Plan
        var attribution: Attribution
        var run: CaseRun?
        var reason: String?
    }
    /// So many plans are given up as unsteady before the one that it began with is counted.
    private static let fallbacks = 3

    /// - Parameters:
    ///   - bests: plans that showed it, smallest last, never empty.
    ///   - before: reruns of the first of them, if there were any.
    ///   - forms: of a plan, that show it if it does, the best first.
    func count(_ bests: [Plan], before: Rerunner.Count?, forms: (Plan) -> [Plan]) async -> Verdict {
        var unsteady: Verdict?
        for plan in bests.dropFirst().suffix(Self.fallbacks).reversed() {
            for form in forms(plan) {
                let count = await count(form, Rerunner.Count())
                // Cut short, a plan is as good as it was: it did show, and nothing spoke against it. Its best form has to
                // be seen once.
                if count.missing == 0, count.shown.count >= runs { return await verdict(count, form) }
                if count.missing == 0, count.isShort { return await verdict(count, count.shown.isEmpty ? plan : form) }
                if unsteady == nil, !count.shown.isEmpty { unsteady = await verdict(count, form) }
            }
        }
        guard let first = bests.first else {
            if let unsteady { return unsteady }
            return await verdict(Rerunner.Count(), Plan())
        }
        if before == nil || before?.isMixed == false, let form = forms(first).first, form != first {
            let count = await count(form, Rerunner.Count())
            if count.missing == 0, count.shown.count >= runs { return await verdict(count, form) }
        }
        let verdict = await verdict(await count(first, before ?? Rerunner.Count()), first)
        if case .flaky = verdict.attribution, let unsteady { return unsteady }
        return verdict
    }

    /// The first one is played to its end, so that each step has a result.
    private func count(_ plan: Plan, _ before: Rerunner.Count) async -> Rerunner.Count {
        let isMixed = before.isMixed
        let isSteady: @Sendable (Rerunner.Count) -> Bool = { $0.missing == 0 || isMixed }
        let one = await rerunner.count(
            plan, finding, wanted: min(runs, before.decided + 1), from: before, isWhole: true, goesOn: isSteady)
        return await rerunner.count(plan, finding, wanted: runs, from: one, goesOn: isSteady)
    }

    /// As often without its faults as with them, as far as the budget goes: that clears the server, and nothing less does.
    private func without(_ plan: Plan) async -> Rerunner.Count {
        var bare = plan
        bare.faults = []
        return await rerunner.count(bare, finding, wanted: runs, patience: patience) { !$0.isMixed }
    }

    private func verdict(_ count: Rerunner.Count, _ plan: Plan) async -> Verdict {
        let isWhole: (CaseRun) -> Bool = { run in !run.steps.contains { $0.isStopped } }
        let latest = count.shown.last { isWhole($0.run) } ?? count.shown.last
        var verdict = Verdict(
            finding: latest?.finding ?? finding, plan: plan, attribution: .unattributed, run: latest?.run)
        let isShort = count.isShort && count.missing == 0
        let failed = isShort ? max(times, count.shown.count) : count.shown.count
        let total = isShort ? failed : count.decided
        if count.missing > 0 || failed < runs && !isShort {
            verdict.attribution = .flaky(failed: max(1, failed), of: max(1, total))
            verdict.reason = count.reason
        } else if plan.faults.isEmpty {
            verdict.attribution = .intrinsic(failed: failed, of: total)
        } else {
            blame(plan, await without(plan), failed: failed, of: total, &verdict)
        }
        return verdict
    }

    /// What came with its faults, by what came without them.
    private func blame(_ plan: Plan, _ without: Rerunner.Count, failed: Int, of total: Int, _ verdict: inout Verdict) {
        if without.shown.isEmpty, without.decided >= total {
            verdict.attribution = .faultExposed(plan.faults.map(\.id), failed: failed, of: total, without: without.decided)
        } else if !without.shown.isEmpty, without.missing == 0, without.shown.count >= min(runs, total) {
            // They were thought to matter when the machine had no time to tell.
            verdict.attribution = .intrinsic(failed: without.shown.count, of: without.decided)
            verdict.plan.faults = []
        } else {
            verdict.attribution = .unattributed
            verdict.reason = without.shown.isEmpty
                ? "without its faults \(without.decided) of \(total) reruns could be decided"
                : "without its faults it comes \(without.shown.count) of \(without.decided) times"
        }
    }
}

extension StepResult {
    /// It says nothing: the play had been ended.
    var isStopped: Bool { outcome == .cannot("the play was stopped") }
}
