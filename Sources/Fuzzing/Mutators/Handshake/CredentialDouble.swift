package import Journaling
package import Plans

package struct CredentialDouble: Mutator {
    package static let name = "credential-double"
    package static let level = MutatorLevel.handshake
    package static let summary = "Credentials stand at two places of the request: the same twice, or one of them another's or none."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let actor = dice.pick(plan.openActors), let path = plan.path(of: actor),
            let user = plan.users.first(where: { $0.name == actor.user }),
            let own = CredentialPlan(user.credential)
        else { return nil }
        let places = workshop.credentialPlaces.filter { $0 != own.place }
        let others = plan.users.map(\.name).filter { $0 != actor.user }
        var values = ["$\(actor.user).credential", "not-a-token"]
        if let other = dice.pick(others) { values.append("$\(other).credential") }
        guard let place = dice.pick(places), let value = dice.pick(values),
            let attempt = workshop.carried(value, at: place, path: path)
        else { return nil }
        guard dice.chance(0.4) else { return beside(actor, path, attempt, plan, workshop, &dice) }
        var changed = plan
        for index in changed.steps.indices where changed.steps[index].actor == actor {
            guard case .connect(let path, let name, let headers) = changed.steps[index].verb else { continue }
            changed.steps[index].verb = .connect(
                path: attempt.path ?? path, as: name, headers: headers + attempt.headers)
        }
        return changed.settled(from: plan, in: workshop)
    }

    private func beside(
        _ actor: Actor, _ path: String, _ attempt: Attempt, _ plan: Plan, _ workshop: Workshop, _ dice: inout Dice
    ) -> Plan? {
        guard let range = plan.openRange(of: actor) else { return nil }
        var changed = plan
        let probe = Actor(actor.user, connection: plan.freeConnection(of: actor.user))
        var verbs: [Plan.Verb] = [
            .connect(path: attempt.path ?? path, as: probe.connection, headers: attempt.headers),
            .until(["answered"], within: .seconds(2)),
        ]
        if let send = plan.sends(of: actor.user).first {
            verbs.append(plan.steps[send].verb)
            if let wait = plan.guardBehind(send) { verbs.append(plan.steps[wait].verb) }
        }
        changed.insert(verbs, by: probe, at: dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
