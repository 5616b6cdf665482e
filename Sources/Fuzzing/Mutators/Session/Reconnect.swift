package import Journaling
package import Plans

package struct Reconnect: Mutator {
    package static let name = "reconnect"
    package static let level = MutatorLevel.session
    package static let summary = "The connection is made anew in the middle of a run, with or without a cursor."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let place = dice.pick(plan.sends()), let actor = plan.steps[place].actor else { return nil }
        let key = workshop.runKey.map { "$run1.\($0)" } ?? "0"
        let cursors = ["0", "1", "-1", "999999", "x", "$run1.cursor", "$run1.seq", key]
        let cursor = dice.chance(0.6) ? nil : dice.pick(cursors)
        var verbs: [Plan.Verb] = []
        if dice.chance(0.4), let begins = workshop.runBegins { verbs.append(.until([begins], within: .seconds(1))) }
        verbs += [.reconnect(cursor: cursor), .until(["open"], within: .seconds(2))]
        if dice.chance(0.4) { verbs.append(plan.steps[place].verb) }
        changed.insert(verbs, by: actor, at: place + 1)
        return changed.settled(from: plan, in: workshop)
    }
}
