import Journaling
import NIOCore
import Plans
import Wire

struct NullField: Mutator {
    static let name = "message-null"
    static let level = MutatorLevel.message
    static let summary = "A value becomes null."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.inner, &dice) else { return nil }
        return target.replaced(by: document.replacing(document.nodes[node].range, with: "null"), in: workshop)
    }
}
