package import Journaling
package import Plans

package struct CloseAndGoOn: Mutator {
    package static let name = "close-and-go-on"
    package static let level = MutatorLevel.session
    package static let summary = "The connection is closed in good order in the middle of a run, then made anew, or not."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        guard let actor = dice.pick(plan.openActors), let range = plan.openRange(of: actor) else { return nil }
        var verbs: [Plan.Verb] = [.close(code: dice.pick([1000, 1001, 4000]) ?? 1000, reason: "")]
        if dice.chance(0.3) { verbs.append(.until(["closed"], within: .seconds(2))) }
        if dice.chance(0.7) { verbs += [.reconnect(cursor: nil), .until(["open"], within: .seconds(2))] }
        let sends = plan.sends(of: actor.user).filter { range.contains($0) }
        let place = dice.chance(0.7) ? dice.pick(sends).map { $0 + 1 } : nil
        changed.insert(verbs, by: actor, at: place ?? dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}
