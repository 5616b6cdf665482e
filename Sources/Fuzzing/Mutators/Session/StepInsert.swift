package import Journaling
package import Plans

package struct StepInsert: Mutator {
    package static let name = "step-insert"
    package static let level = MutatorLevel.session
    package static let summary = "A request of the contract, good or to be refused, is sent in between."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor),
            var verbs = workshop.exchange(dice: &dice)
        else { return nil }
        if dice.chance(0.3) { verbs.removeAll { $0.isGuard } }
        changed.insert(verbs, by: actor, at: dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
