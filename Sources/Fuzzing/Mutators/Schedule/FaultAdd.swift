package import Journaling
package import Plans

package struct FaultAdd: Mutator {
    package static let name = "fault-add"
    package static let level = MutatorLevel.schedule
    package static let summary = "One fault acts on the way: a delay, a lost credential, a lost, changed, crossed or cut message."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard plan.faults.count < FaultDraw.mostFaults,
            let line = FaultDraw.line(id: FaultDraw.freeID(in: plan), for: plan, dice: &dice)
        else { return nil }
        changed.faults.append(line)
        return changed.settled(from: plan, in: workshop)
    }
}
