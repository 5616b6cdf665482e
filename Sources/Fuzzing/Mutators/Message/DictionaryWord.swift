import Journaling
import NIOCore
import Plans
import Wire

struct DictionaryWord: Mutator {
    static let name = "message-word"
    static let level = MutatorLevel.message
    static let summary = "A word of the dictionary takes the place of a text, or goes into it."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let word = workshop.dictionary.any(&dice), let target = MessageTarget(plan, json: false, dice: &dice) else {
            return nil
        }
        guard target.isJSON else {
            let text = TemplateText.escaped(word)
            return target.replaced(by: dice.chance(0.5) ? text : target.text + " " + text, in: workshop)
        }
        let document = target.document
        if dice.chance(0.3) { return added(word, target, workshop, &dice) }
        guard let node = document.any(document.strings, &dice) else { return nil }
        let range = document.nodes[node].range
        let quoted = TemplateText.escaped(JSON.string(word).text)
        if dice.chance(0.5) { return target.replaced(by: document.replacing(range, with: quoted), in: workshop) }
        let inside = String(quoted.dropFirst().dropLast())
        let place = dice.chance(0.5) ? range.lowerBound + 1 : range.upperBound - 1
        let text = place == range.upperBound - 1 ? " " + inside : inside + " "
        return target.replaced(by: document.replacing(place..<place, with: text), in: workshop)
    }

    /// Into a field that the shape knows, whether the message has it or not.
    private func added(_ word: String, _ target: MessageTarget, _ workshop: Workshop, _ dice: inout Dice) -> Plan? {
        guard let message = target.document.value(of: 0),
            let rule = workshop.recognizer.recognise(message, direction: .toServer).rule,
            let field = MessageMaker(workshop, user: target.user).fields(of: rule).any(&dice)
        else { return nil }
        let value = TemplateText.kept(.string(word))
        return target.replaced(by: TemplateText.unescaped(message.setting(field.keys[...], to: value)), in: workshop)
    }
}
