package import Journaling
package import Plans

package struct Interleave: Mutator {
    package static let name = "interleave"
    package static let level = MutatorLevel.schedule
    package static let summary = "The users' steps are merged anew by random priorities that change at up to three points (PCT)."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        var changed = plan
        let names = plan.users.map(\.name).filter { name in plan.steps.contains { $0.user == name } }
        guard names.count > 1 else { return nil }
        var waiting = names.map { name in plan.steps.filter { $0.user == name }[...] }
        var order = dice.shuffled(Array(names.indices))
        let total = plan.steps.count
        let changes = Set((0..<dice.within(0...3)).map { _ in dice.below(max(1, total)) })
        // A user who waits lets the others go first, as if each had a thread.
        let yields = dice.chance(0.6)
        changed.steps = []
        while let next = Self.next(order, waiting, yields) {
            if changes.contains(changed.steps.count) {
                order.removeAll { $0 == next }
                order.append(next)
            }
            changed.steps.append(waiting[next].removeFirst())
        }
        changed.steps += plan.steps.filter { $0.user == nil }
        return changed.settled(from: plan, in: workshop)
    }

    private static func next(_ order: [Int], _ waiting: [ArraySlice<Plan.Step>], _ yields: Bool) -> Int? {
        let ready = order.filter { !waiting[$0].isEmpty }
        let acting = yields ? ready.first { waiting[$0].first?.verb.isGuard == false } : nil
        return acting ?? ready.first
    }
}
