package import Journaling
package import Plans

package struct Bystander: Mutator {
    package static let name = "bystander"
    package static let level = MutatorLevel.session
    package static let summary = "One more user connects last, right before another's message, and runs what the other ran first."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let model = dice.pick(plan.openActors), let path = plan.path(of: model),
            let place = dice.pick(plan.sends(of: model.user)),
            let name = changed.addUser(like: model.user, in: workshop)
        else { return nil }
        let user = Actor(name)
        changed.insert(
            [.connect(path: path, as: nil, headers: []), .until(["open"], within: .seconds(2))], by: user, at: place)
        let send = dice.pick(plan.sends(of: model.user).prefix(2)) ?? place
        var own = [plan.steps[send]]
        if let wait = plan.guardBehind(send) { own.append(plan.steps[wait]) }
        let renamed = own.map { step in
            var step = Plan.renamed(step, from: model.user, to: name)
            step.connection = nil
            return step
        }
        // Before the other's message is answered, or when all is over.
        changed.insert(copies: renamed, at: dice.chance(0.5) ? place + 3 : changed.steps.count)
        return changed.settled(from: plan, in: workshop)
    }
}
