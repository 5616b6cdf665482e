package import Journaling
package import Plans

package struct SecondConnection: Mutator {
    package static let name = "second-connection"
    package static let level = MutatorLevel.session
    package static let summary = "A user opens one more connection and asks there too, or goes on there."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor),
            let path = plan.path(of: actor)
        else { return nil }
        let second = Actor(actor.user, connection: plan.freeConnection(of: actor.user, "second"))
        let place = dice.within(range)
        let rest = changed.places(of: actor).filter { $0 >= place }
        var verbs: [Plan.Verb] = [
            .connect(path: path, as: second.connection, headers: []), .until(["open"], within: .seconds(2)),
        ]
        if dice.chance(0.3), !rest.isEmpty {
            for index in rest where !changed.steps[index].verb.isConnect {
                changed.steps[index].connection = second.connection
            }
        } else if let send = dice.pick(plan.sends(of: actor.user)) {
            verbs.append(plan.steps[send].verb)
            if dice.chance(0.7), let wait = plan.guardBehind(send) { verbs.append(plan.steps[wait].verb) }
        }
        changed.insert(verbs, by: second, at: place)
        return changed.settled(from: plan, in: workshop)
    }
}
