import Oracles
import Peers
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
    /// - Parameter steps: what became of them in a run that showed it.
    func shrink(_ plan: Plan, upTo label: Int?, seen steps: [StepResult] = []) async -> [Plan] {
        var bests: [Plan] = []
        var steps = steps
        func note(_ smaller: Plan) {
            if smaller.steps.count != (bests.last ?? plan).steps.count { onShrink?(plan.steps.count, smaller.steps.count) }
            bests.append(smaller)
        }
        func shows(_ smaller: Plan) async -> Bool {
            guard let seen = await run(smaller) else { return false }
            steps = seen
            return true
        }
        /// What could not be tried would be an obstacle to a replay, and guards that wait in vain make every play longer.
        func strip(_ plan: Plan) async -> Plan {
            for labels in Self.needless(steps) {
                let smaller = PlanReducer.without(labels, in: plan)
                guard smaller.steps.count < plan.steps.count, !smaller.steps.isEmpty, await shows(smaller) else { continue }
                note(smaller)
                return smaller
            }
            return plan
        }
        var start = plan
        let certain = FaultShrink.certain(plan)
        if certain != plan, await shows(certain) {
            start = certain
            note(certain)
        }
        start = await strip(start)
        for candidate in PlanReducer.candidates(start, witnesses: finding.users, upTo: label)
        where candidate.steps.count < start.steps.count {
            if await shows(candidate) {
                start = candidate
                note(candidate)
                start = await strip(candidate)
                break
            }
        }
        let reduced = await PlanReducer.reduce(start, executions: Int.max) { smaller in
            guard await shows(smaller) else { return false }
            note(smaller)
            return true
        }
        if reduced.plan != start { _ = await strip(reduced.plan) }
        // Whole steps are gone quickly; what is left of each step, and how they interleave, is finer work.
        let best = bests.last ?? plan
        let isCut = best.steps.count < plan.steps.count
        var shrinker = PlanShrinker(best, witnesses: finding.users, upTo: isCut ? nil : label)
        while let smaller = shrinker.next() {
            guard await !rerunner.isOver(reserve: reserve) else { break }
            let isShown = await shows(smaller)
            shrinker.answer(isShown)
            if isShown { note(smaller) }
        }
        return bests
    }

    /// What became of the steps in a rerun, when all of them show it.
    private func run(_ plan: Plan) async -> [StepResult]? {
        if await rerunner.isOver(reserve: reserve) { return nil }
        return await rerunner.shown(plan, finding, times: times, patience: patience)?.steps
    }

    /// Labels of steps that could not be tried and of guards that did not hold: both, then each alone.
    private static func needless(_ steps: [StepResult]) -> [Set<Int>] {
        let idle = Set(steps.filter { if case .cannot = $0.outcome { !$0.isStopped } else { false } }.map(\.number))
        let vain = Set(steps.filter { if case .failed = $0.outcome { true } else { false } }.map(\.number))
        let sets = idle.isEmpty || vain.isEmpty ? [idle.union(vain)] : [idle.union(vain), idle, vain]
        return sets.filter { !$0.isEmpty }
    }
}
