package import Journaling
package import Plans

package struct FaultRemove: Mutator {
    package static let name = "fault-remove"
    package static let level = MutatorLevel.schedule
    package static let summary = "One fault acts no more."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.faults.indices) else { return nil }
        changed.faults.remove(at: place)
        return changed.settled(from: plan, in: workshop)
    }
}
