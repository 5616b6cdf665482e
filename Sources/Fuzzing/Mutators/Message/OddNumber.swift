import Journaling
import NIOCore
import Plans
import Wire

struct OddNumber: Mutator {
    static let name = "message-number"
    static let level = MutatorLevel.message
    static let summary = "A value becomes NaN, infinite, huge or a number at the edge of an integer."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.inner, &dice) else { return nil }
        let numbers = ["NaN", "Infinity", "-Infinity"] + OddTexts.hugeNumbers + OddTexts.numbers
        return numbers.any(&dice).flatMap { target.replaced(by: document.replacing(document.nodes[node].range, with: $0), in: workshop) }
    }
}
