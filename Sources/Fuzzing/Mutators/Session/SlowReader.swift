package import Journaling
package import Plans

package struct SlowReader: Mutator {
    package static let name = "slow-reader"
    package static let level = MutatorLevel.session
    package static let summary = "A user stops reading while it sends many messages, then reads everything at once."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.sends()), let actor = plan.steps[place].actor else { return nil }
        let count = dice.pick([2, 4, 8, 16, 32]) ?? 8
        changed.insert(copies: Array(repeating: plan.steps[place], count: count), at: place + 1)
        changed.insert([.pauseReading], by: actor, at: place)
        if dice.chance(0.5), let wait = plan.guardBehind(place), case .until(let events, _) = plan.steps[wait].verb {
            let all = Array(repeating: events, count: min(count, 8)).flatMap(\.self)
            changed.insert([.until(all, within: .seconds(2))], by: actor, at: place + count + 2)
        }
        return changed.settled(from: plan, in: workshop)
    }
}
