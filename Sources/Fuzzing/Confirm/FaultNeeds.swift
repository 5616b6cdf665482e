import Oracles
import Plans

/// Which of its faults a plan needs to show a finding: none, one alone, or the fewest that delta debugging finds.
struct FaultNeeds {
    let rerunner: Rerunner
    let finding: Finding
    /// Reruns that must all show it.
    let times: Int
    let patience: Duration

    /// The plan with the faults that it needs; as it was, when the budget ends first.
    func needed(by plan: Plan, reserve: Int) async -> Plan {
        guard !plan.faults.isEmpty else { return plan }
        // A fault that is needed is blamed, so it counts more than a smaller plan whether it is: twice at least.
        let twice = max(2, times)
        if await shows([], of: plan, twice, reserve) { return with([], plan) }
        if plan.faults.count == 1 { return plan }
        for fault in plan.faults where await shows([fault], of: plan, twice, reserve) { return with([fault], plan) }
        return with(await reduced(plan, reserve), plan)
    }

    /// ddmin (Zeller): complements of ever smaller parts.
    private func reduced(_ plan: Plan, _ reserve: Int) async -> [Plan.FaultLine] {
        var faults = plan.faults
        var parts = 2
        while faults.count > 2 {
            let size = max(1, (faults.count + parts - 1) / parts)
            var smaller: [Plan.FaultLine]?
            for start in stride(from: 0, to: faults.count, by: size) where smaller == nil {
                var rest = faults
                rest.removeSubrange(start..<min(start + size, faults.count))
                if await shows(rest, of: plan, times, reserve) { smaller = rest }
            }
            if let smaller {
                faults = smaller
                parts = max(2, parts - 1)
            } else if size == 1 {
                break
            } else {
                parts = min(faults.count, parts * 2)
            }
            if await rerunner.isOver(reserve: reserve) { break }
        }
        return faults
    }

    private func shows(_ faults: [Plan.FaultLine], of plan: Plan, _ times: Int, _ reserve: Int) async -> Bool {
        if await rerunner.isOver(reserve: reserve) { return false }
        return await rerunner.shows(with(faults, plan), finding, times: times, patience: patience)
    }

    private func with(_ faults: [Plan.FaultLine], _ plan: Plan) -> Plan {
        var plan = plan
        plan.faults = faults
        return plan
    }
}
