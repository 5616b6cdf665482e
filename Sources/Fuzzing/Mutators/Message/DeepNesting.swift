import Journaling
import NIOCore
import Plans
import Wire

struct DeepNesting: Mutator {
    static let name = "message-nesting"
    static let level = MutatorLevel.message
    static let summary = "A value is wrapped in many lists or objects."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(Array(document.nodes.indices), &dice),
            let depth = [2, 31, 32, 63, 64, 65, 127, 128, 129, 1_000, 10_000].any(&dice)
        else { return nil }
        let text = document.text(document.nodes[node].range)
        let (before, after) = dice.chance(0.5) ? ("[", "]") : (#"{"x":"#, "}")
        let wrapped = String(repeating: before, count: depth) + text + String(repeating: after, count: depth)
        return target.replaced(by: document.replacing(document.nodes[node].range, with: wrapped), in: workshop)
    }
}
