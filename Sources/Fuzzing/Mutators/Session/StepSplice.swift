package import Journaling
package import Plans

package struct StepSplice: Mutator {
    package static let name = "step-splice"
    package static let level = MutatorLevel.session
    package static let summary = "The plan goes on as another plan does, or has some steps of another in its middle."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let other = dice.pick(workshop.seeds), !other.steps.isEmpty else { return nil }
        let start = dice.below(other.steps.count)
        let count = dice.chance(0.5) ? other.steps.count - start : min(other.steps.count - start, dice.within(1...8))
        var taken = Array(other.steps[start..<start + count]).filter { $0.user != nil }
        // Whoever acts there is somebody here: users in their order, as far as they go.
        var roles: [(old: String, new: String)] = []
        for user in other.users {
            let new = changed.users.indices.contains(roles.count) ? changed.users[roles.count].name : nil
            guard let name = new ?? changed.addUser(like: plan.users.first?.name, in: workshop) else { break }
            roles.append((user.name, name))
        }
        let known = Set(roles.map(\.old))
        taken.removeAll { step in
            !known.contains(step.user ?? "") || step.verb.names.contains { name in
                other.users.contains { $0.name == name } && !known.contains(name)
            }
        }
        taken = taken.map { Self.cast($0, roles) }
        let place = dice.within(0...plan.steps.count)
        if dice.chance(0.5) { changed.steps = Array(changed.steps.prefix(place)) }
        changed.insert(copies: taken, at: place)
        return changed.settled(from: plan, in: workshop)
    }

    /// In two turns, so that alice as bob and bob as alice do not become one.
    private static func cast(_ step: Plan.Step, _ roles: [(old: String, new: String)]) -> Plan.Step {
        var step = step
        for (index, role) in roles.enumerated() { step = Plan.renamed(step, from: role.old, to: "role-\(index)") }
        for (index, role) in roles.enumerated() { step = Plan.renamed(step, from: "role-\(index)", to: role.new) }
        return step
    }
}
