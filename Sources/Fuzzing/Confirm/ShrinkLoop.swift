import Oracles
import Plans

/// Asks smaller and smaller plans whether they still show a finding.
struct ShrinkLoop {
    let rerunner: Rerunner
    let finding: Finding
    /// Reruns that must all show it.
    let times: Int
    let patience: Duration
    /// Executions that are kept for the count of the winner.
    let reserve: Int
    let onShrink: (@Sendable (Int, Int) -> Void)?

    /// Ever smaller plans that showed it, the smallest last; empty when none is smaller.
    /// - Parameter idle: labels of steps that could not be tried: to a replay they would be obstacles.
    func shrink(_ plan: Plan, upTo label: Int?, idle: Set<Int> = []) async -> [Plan] {
        var bests: [Plan] = []
        func note(_ smaller: Plan) {
            if smaller.steps.count != (bests.last ?? plan).steps.count { onShrink?(plan.steps.count, smaller.steps.count) }
            bests.append(smaller)
        }
        var start = plan
        let tried = PlanReducer.without(idle, in: plan)
        if tried.steps.count < plan.steps.count, !tried.steps.isEmpty, await shows(tried) {
            start = tried
            note(tried)
        }
        for candidate in PlanReducer.candidates(start, witnesses: finding.users, upTo: label)
        where candidate.steps.count < start.steps.count {
            if await shows(candidate) {
                start = candidate
                note(candidate)
                break
            }
        }
        _ = await PlanReducer.reduce(start, executions: Int.max) { smaller in
            guard await shows(smaller) else { return false }
            note(smaller)
            return true
        }
        // Whole steps are gone quickly; what is left of each step, and how they interleave, is finer work.
        var shrinker = PlanShrinker(bests.last ?? plan, witnesses: finding.users, upTo: bests.isEmpty ? label : nil)
        while let smaller = shrinker.next() {
            guard await !rerunner.isOver(reserve: reserve) else { break }
            let isShown = await shows(smaller)
            shrinker.answer(isShown)
            if isShown { note(smaller) }
        }
        return bests
    }

    private func shows(_ plan: Plan) async -> Bool {
        if await rerunner.isOver(reserve: reserve) { return false }
        return await rerunner.shows(plan, finding, times: times, patience: patience)
    }
}
