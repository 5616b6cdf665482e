import Journaling
import NIOCore
import Plans
import Wire

struct RepeatField: Mutator {
    static let name = "message-repeat"
    static let level = MutatorLevel.message
    static let summary = "A field or element stands there many times."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.inner, &dice) else { return nil }
        let whole = document.nodes[node].wholeRange
        guard whole.count <= 4_096, let times = [2, 16, 256].any(&dice) else { return nil }
        let text = document.text(whole)
        if dice.chance(0.5) {
            let items = Array(repeating: document.text(document.nodes[node].range), count: times).joined(separator: ",")
            return target.replaced(by: document.replacing(document.nodes[node].range, with: "[\(items)]"), in: workshop)
        }
        let copies = Array(repeating: text, count: times).joined(separator: ",")
        return target.replaced(by: document.replacing(whole, with: copies), in: workshop)
    }
}
