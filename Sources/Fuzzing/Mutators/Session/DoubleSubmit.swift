package import Journaling
package import Plans

package struct DoubleSubmit: Mutator {
    package static let name = "double-submit"
    package static let level = MutatorLevel.session
    package static let summary = "A message is sent twice, back to back or in one write."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.sends()) else { return nil }
        if dice.chance(0.4), let message = MessageText(plan.steps[place].verb) {
            let frame = Plan.FrameText(payload: message.payload)
            changed.steps[place].verb = .frames(Array(repeating: frame, count: dice.pick([2, 2, 2, 3, 8]) ?? 2))
        } else {
            let count = dice.pick([1, 1, 1, 2, 9]) ?? 1
            changed.insert(copies: Array(repeating: plan.steps[place], count: count), at: place + 1)
        }
        if dice.chance(0.5), let wait = changed.guardBehind(changed.steps.count - plan.steps.count + place),
            case .until(let events, let bound) = changed.steps[wait].verb
        {
            changed.steps[wait].verb = .until(events + events, within: bound)
        }
        return changed.settled(from: plan, in: workshop)
    }
}
