package import Journaling
package import Plans

package struct UseAfterEnd: Mutator {
    package static let name = "use-after-end"
    package static let level = MutatorLevel.session
    package static let summary = "A request names a run that has ended, one of the user's own or of another."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let key = workshop.runKey, let place = dice.pick(plan.starts(in: workshop)),
            let wait = plan.guardBehind(place), let actor = plan.steps[place].actor,
            let run = plan.run(startedAt: place, in: workshop)
        else { return nil }
        var verbs: [Plan.Verb] = []
        if dice.chance(0.6), let request = dice.pick(workshop.requests(naming: run)) {
            verbs.append(request)
        } else if case .send(let json) = plan.steps[place].verb, json.hasSuffix("}"), !json.contains("\"\(key)\"") {
            verbs.append(.send(json.dropLast() + ",\"\(key)\":$run\(run).\(key)}"))
        } else {
            return nil
        }
        let later = plan.places(of: actor).filter { $0 >= wait }
        changed.insert(verbs, by: actor, at: (dice.chance(0.6) ? wait : dice.pick(later) ?? wait) + 1)
        return changed.settled(from: plan, in: workshop)
    }
}
