import Contracts
package import Journaling
package import Plans
import Wire

package struct CredentialPlace: Mutator {
    package static let name = "credential-place"
    package static let level = MutatorLevel.handshake
    package static let summary = "A good credential travels at another place that the contract allows."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let actor = dice.pick(plan.openActors),
            let index = plan.users.firstIndex(where: { $0.name == actor.user }),
            let own = CredentialPlan(plan.users[index].credential), own.place != .none, own.variant == .intact
        else { return nil }
        var changed = plan
        if dice.chance(0.25), let first = firstMessage(of: actor.user, in: workshop) {
            changed.users[index].credential = "none"
            let entries = changed.steps.indices.filter {
                changed.steps[$0].user == actor.user && changed.steps[$0].verb.opens
            }
            for place in entries.reversed() {
                let connection = changed.steps[place].actor?.connection
                changed.insert(
                    [.until(["open"], within: .seconds(2)), .send(first)],
                    by: Actor(actor.user, connection: connection), at: place + 1)
            }
            return changed.settled(from: plan, in: workshop)
        }
        guard let place = dice.pick(workshop.credentialPlaces.filter { $0 != own.place }) else { return nil }
        changed.users[index].credential = place.rawValue
        return changed.settled(from: plan, in: workshop)
    }

    /// The message that carries a credential, when the contract has one: `{"type":"auth","token":$alice.credential}`.
    private func firstMessage(of user: String, in workshop: Workshop) -> String? {
        guard let type = workshop.contract.wire.type?.text else { return nil }
        for place in workshop.contract.identity.credential {
            guard case .request(let name, let path) = place.kind, !path.text.contains("|") else { continue }
            let keys = [type, path.text]
            guard keys.allSatisfy({ key in key.utf8.allSatisfy { ReferenceText.isNameByte($0) } }) else { continue }
            return "{\"\(type)\":\(JSON.string(name).text),\"\(path.text)\":$\(user).credential}"
        }
        return nil
    }
}
