import Journaling
import NIOCore
import Plans
import Wire

struct OtherType: Mutator {
    static let name = "message-type"
    static let level = MutatorLevel.message
    static let summary = "The message says to be of another type, declared or not."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice),
            let keys = workshop.contract.wire.type?.keys
        else { return nil }
        let document = target.document
        guard let node = document.node(at: keys), node > 0 else { return nil }
        let declared = (workshop.contract.requests + workshop.contract.events).map(\.name)
        let names = declared + ["no_such_type", "", "*", "constructor", "error", "ping"]
        return names.any(&dice).flatMap {
            target.replaced(by: document.replacing(document.nodes[node].range, with: TemplateText.escaped(JSON.string($0).text)), in: workshop)
        }
    }
}
