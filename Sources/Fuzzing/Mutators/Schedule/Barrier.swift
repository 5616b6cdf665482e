package import Journaling
package import Plans

package struct Barrier: Mutator {
    package static let name = "barrier"
    package static let level = MutatorLevel.schedule
    package static let summary = "Messages of several users are released at the same instant."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        let barred = plan.barred
        let users = dice.shuffled(plan.users.map(\.name)).prefix(dice.within(2...4))
        let chosen = users.compactMap { user in dice.pick(plan.sends(of: user).filter { !barred.contains($0) }) }.sorted()
        guard chosen.count > 1, let last = chosen.last else { return nil }
        // What a user does behind its message waits until the barrier is open.
        var moved: Set<Int> = []
        for place in chosen {
            for next in place + 1..<max(place + 1, last) where plan.steps[next].user == plan.steps[place].user {
                moved.insert(next)
            }
        }
        moved.formUnion(chosen)
        let before = plan.steps.indices.prefix(last).filter { !moved.contains($0) }
        let behind = moved.subtracting(chosen).sorted() + plan.steps.indices.dropFirst(last + 1)
        changed.steps = (before + chosen + behind).map { plan.steps[$0] }
        let label = Plan.Step(
            number: plan.freeNumber, user: nil, verb: .together(chosen.map { plan.steps[$0].number }))
        changed.steps.insert(label, at: before.count + chosen.count)
        return changed.settled(from: plan, in: workshop)
    }
}
