import Journaling
import NIOCore
import Plans
import Wire

struct Oversize: Mutator {
    static let name = "message-oversize"
    static let level = MutatorLevel.message
    static let summary = "A message far longer than any other."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: false, dice: &dice) else { return nil }
        let sizes = [125, 126, 65_535, 65_536, 131_072, 262_144, 1_048_576]
        // The largest is rare: it costs more time than it is worth.
        guard let size = dice.chance(0.02) ? sizes.last : sizes.dropLast().any(&dice) else { return nil }
        let filler = OddTexts.long(size)
        guard target.isJSON else { return target.replaced(by: target.text + filler, in: workshop) }
        let document = target.document
        if dice.chance(0.5), let node = document.any(document.strings, &dice) {
            let end = document.nodes[node].range.upperBound - 1
            return target.replaced(by: document.replacing(end..<end, with: filler), in: workshop)
        }
        guard let node = document.any(document.objects, &dice) else { return nil }
        return target.replaced(by: document.adding("x", text: "\"\(filler)\"", to: node), in: workshop)
    }
}
