package import Journaling
package import Plans

package struct Delay: Mutator {
    package static let name = "delay"
    package static let level = MutatorLevel.schedule
    package static let summary = "A user waits a little before its next step."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor) else { return nil }
        let length = dice.pick([5, 10, 20, 50, 100, 200, 300]) ?? 50
        changed.insert([.quiet(.milliseconds(length))], by: actor, at: dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
