package import Journaling
package import Plans

package struct MoreUsers: Mutator {
    package static let name = "more-users"
    package static let level = MutatorLevel.schedule
    package static let summary = "One more user does all that another one does, step by step beside it or afterwards."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let model = dice.pick(plan.openActors)?.user, let name = changed.addUser(like: model, in: workshop) else {
            return nil
        }
        let isBeside = dice.chance(0.6)
        var next = plan.freeNumber
        var steps: [Plan.Step] = []
        var tail: [Plan.Step] = []
        for step in plan.steps {
            steps.append(step)
            guard step.user == model else { continue }
            var copy = Plan.renamed(step, from: model, to: name)
            copy.number = next
            next += 1
            if isBeside { steps.append(copy) } else { tail.append(copy) }
        }
        changed.steps = steps + tail
        return changed.settled(from: plan, in: workshop)
    }
}
