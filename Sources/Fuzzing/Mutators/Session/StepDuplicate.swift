package import Journaling
package import Plans

package struct StepDuplicate: Mutator {
    package static let name = "step-duplicate"
    package static let level = MutatorLevel.session
    package static let summary = "A step, or up to four of one user in a row, is done again, at once or later."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.actors) else { return nil }
        let mine = plan.places(of: actor)
        guard !mine.isEmpty else { return nil }
        let first = dice.below(mine.count)
        let chosen = mine[first..<min(mine.count, first + dice.within(1...4))]
        let later = mine.filter { $0 >= chosen[chosen.endIndex - 1] }
        let place = dice.chance(0.6) ? later.first : dice.pick(later)
        changed.insert(copies: chosen.map { plan.steps[$0] }, at: (place ?? mine[first]) + 1)
        return changed.settled(from: plan, in: workshop)
    }
}
