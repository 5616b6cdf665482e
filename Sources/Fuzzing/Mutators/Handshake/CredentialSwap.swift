package import Journaling
package import Plans

package struct CredentialSwap: Mutator {
    package static let name = "credential-swap"
    package static let level = MutatorLevel.handshake
    package static let summary = "A user connects with another user's credential and goes on as itself."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors),
            let other = dice.pick(plan.users.map(\.name).filter { $0 != actor.user })
                ?? changed.addUser(like: actor.user, in: workshop),
            let own = plan.users.first(where: { $0.name == actor.user }).flatMap({ CredentialPlan($0.credential) }),
            let path = plan.path(of: actor)
        else { return nil }
        // At the place of its own credential, which is then not sent; else there would be two.
        guard let attempt = workshop.carried("$\(other).credential", at: own.place, path: path),
            let range = plan.openRange(of: actor)
        else { return nil }
        let probe = Actor(actor.user, connection: plan.freeConnection(of: actor.user))
        var verbs: [Plan.Verb] = [
            .connect(path: attempt.path ?? path, as: probe.connection, headers: attempt.headers),
            .until(["answered"], within: .seconds(2)),
        ]
        if let send = dice.pick(plan.sends(of: actor.user)) {
            verbs.append(plan.steps[send].verb)
            if let wait = plan.guardBehind(send) { verbs.append(plan.steps[wait].verb) }
        }
        changed.insert(verbs, by: probe, at: dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
