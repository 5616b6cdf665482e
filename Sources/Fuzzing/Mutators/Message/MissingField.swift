import Journaling
import NIOCore
import Plans
import Wire

struct MissingField: Mutator {
    static let name = "message-missing"
    static let level = MutatorLevel.message
    static let summary = "A field of the message is left out."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.membersOfObjects, &dice) else { return nil }
        return target.replaced(by: document.removing(node: node), in: workshop)
    }
}
