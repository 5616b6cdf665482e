package import Journaling
package import Plans

package struct StepReorder: Mutator {
    package static let name = "step-reorder"
    package static let level = MutatorLevel.session
    package static let summary = "Two steps of one user change places, or one is done earlier or later."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.actors) else { return nil }
        let isFree = plan.barred
        let mine = plan.places(of: actor).filter { !plan.steps[$0].verb.isConnect && !isFree.contains($0) }
        guard mine.count > 1 else { return nil }
        let left = dice.below(mine.count - 1)
        let right = dice.chance(0.6) ? left + 1 : dice.within(left + 1...mine.count - 1)
        if dice.chance(0.7) {
            changed.steps.swapAt(mine[left], mine[right])
        } else if dice.chance(0.5) {
            changed.steps.insert(changed.steps.remove(at: mine[right]), at: mine[left])
        } else {
            changed.steps.insert(changed.steps.remove(at: mine[left]), at: mine[right])
        }
        return changed.settled(from: plan, in: workshop)
    }
}
