import Journaling
import NIOCore
import Plans
import Wire

struct DuplicateKey: Mutator {
    static let name = "message-duplicate-key"
    static let level = MutatorLevel.message
    static let summary = "A key stands there twice, with another value before or behind."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.membersOfObjects, &dice), let range = document.nodes[node].keyRange else {
            return nil
        }
        let values = ["null", #""other""#, "0", document.text(document.nodes[node].range)]
        guard let value = values.any(&dice) else { return nil }
        let member = document.text(range) + ":" + value
        let whole = document.nodes[node].wholeRange
        let isBehind = dice.chance(0.5)
        let place = isBehind ? whole.upperBound : whole.lowerBound
        return target.replaced(
            by: document.replacing(place..<place, with: isBehind ? "," + member : member + ","), in: workshop)
    }
}
