package import Journaling
package import Plans

package struct CancelRun: Mutator {
    package static let name = "cancel-run"
    package static let level = MutatorLevel.session
    package static let summary = "A request that names the open run, to end it or what else the contract lets one ask of it, in its midst."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.starts(in: workshop)), let actor = plan.steps[place].actor,
            let run = plan.run(startedAt: place, in: workshop),
            let request = dice.pick(workshop.requests(naming: run))
        else { return nil }
        var verbs: [Plan.Verb] = []
        // The run's key is known from its first event on.
        if let begins = workshop.runBegins { verbs.append(.until([begins], within: .seconds(2))) }
        verbs.append(request)
        if dice.chance(0.2) { verbs.append(request) }
        if dice.chance(0.2) { verbs.append(plan.steps[place].verb) }
        changed.insert(verbs, by: actor, at: place + 1)
        return changed.settled(from: plan, in: workshop)
    }
}
