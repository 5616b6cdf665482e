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
        let fewest = await DeltaDebugging.fewest(of: plan.faults) { await shows($0, of: plan, times, reserve) }
        return with(fewest, plan)
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
