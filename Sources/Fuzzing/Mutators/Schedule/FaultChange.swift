import Faults
package import Journaling
package import Plans

package struct FaultChange: Mutator {
    package static let name = "fault-change"
    package static let level = MutatorLevel.schedule
    package static let summary = "A fault acts in another way, or on somebody else."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.faults.indices), let kind = FaultRegistry.kind(plan.faults[place].kind),
            let line = FaultDraw.line(id: plan.faults[place].id, kind: kind, for: plan, dice: &dice)
        else { return nil }
        changed.faults[place] = line
        return changed.settled(from: plan, in: workshop)
    }
}
