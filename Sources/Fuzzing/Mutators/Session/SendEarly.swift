package import Journaling
package import Plans

package struct SendEarly: Mutator {
    package static let name = "send-early"
    package static let level = MutatorLevel.session
    package static let summary = "The first message is sent before the greeting, or before the upgrade is answered."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor) else { return nil }
        let entry = range.lowerBound - 1
        let first = plan.places(of: actor).first { $0 > entry && plan.steps[$0].verb.sends }
        guard let first else { return nil }
        let send = changed.steps.remove(at: first)
        if case .until(_, let bound) = plan.steps[entry].verb { changed.steps[entry].verb = .until(["open"], within: bound) }
        if dice.chance(0.5), let message = MessageText(send.verb) {
            var early = send
            early.verb = .frames([Plan.FrameText(payload: message.payload)])
            changed.steps.insert(early, at: entry)
        } else {
            changed.steps.insert(send, at: entry + 1)
        }
        return changed.settled(from: plan, in: workshop)
    }
}
