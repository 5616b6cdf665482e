package import Journaling
package import Plans

package struct CutConnection: Mutator {
    package static let name = "cut"
    package static let level = MutatorLevel.session
    package static let summary = "The connection is cut in the middle: reset, half closed, or silent."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor) else { return nil }
        let mine = plan.sends(of: actor.user).filter { plan.steps[$0].actor == actor && range.contains($0) }
        let place = dice.chance(0.8) ? dice.pick(mine).map { $0 + 1 } : nil
        var verbs: [Plan.Verb] = [.cut(dice.pick(["reset", "half", "silent"]) ?? "reset")]
        if dice.chance(0.6) {
            verbs += [.reconnect(cursor: nil), .until(["open"], within: .seconds(2))]
            if let last = mine.last {
                verbs.append(plan.steps[last].verb)
                if let wait = plan.guardBehind(last) { verbs.append(plan.steps[wait].verb) }
            }
        }
        changed.insert(verbs, by: actor, at: place ?? dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
