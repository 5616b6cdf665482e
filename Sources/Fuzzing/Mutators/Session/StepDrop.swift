package import Journaling
package import Plans

package struct StepDrop: Mutator {
    package static let name = "step-drop"
    package static let level = MutatorLevel.session
    package static let summary = "A message with its guard, a guard, or any other step is left out."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        switch dice.below(10) {
        case 0..<5:
            guard let place = dice.pick(plan.sends()) else { return nil }
            let wait = dice.chance(0.7) ? plan.guardBehind(place) : nil
            changed.remove(Set([place, wait].compactMap(\.self)))
        case 5..<8:
            guard let place = dice.pick(plan.steps.indices.filter { plan.steps[$0].verb.isGuard }) else { return nil }
            changed.remove([place])
        default:
            guard plan.steps.count > 1 else { return nil }
            changed.remove([dice.below(plan.steps.count)])
        }
        return changed.settled(from: plan, in: workshop)
    }
}
