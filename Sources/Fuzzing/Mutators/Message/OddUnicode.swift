import Journaling
import NIOCore
import Plans
import Wire

struct OddUnicode: Mutator {
    static let name = "message-unicode"
    static let level = MutatorLevel.message
    static let summary = "A text becomes one at the edge of Unicode, or has it inside; also lone surrogates."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: false, dice: &dice) else { return nil }
        guard let odd = OddTexts.short.any(&dice) else { return nil }
        guard target.isJSON else {
            let text = TemplateText.escaped(odd.text)
            return target.replaced(by: dice.chance(0.5) ? text : target.text + text, in: workshop)
        }
        let document = target.document
        guard let node = document.any(document.strings, &dice) else { return nil }
        let range = document.nodes[node].range
        if dice.chance(0.2), let lone = (OddTexts.loneSurrogates + OddTexts.escapes.map(\.text)).any(&dice) {
            return target.replaced(by: document.replacing(range, with: lone), in: workshop)
        }
        let quoted = TemplateText.escaped(JSON.string(odd.text).text)
        if dice.chance(0.5) { return target.replaced(by: document.replacing(range, with: quoted), in: workshop) }
        let end = range.upperBound - 1
        return target.replaced(by: document.replacing(end..<end, with: String(quoted.dropFirst().dropLast())), in: workshop)
    }
}
