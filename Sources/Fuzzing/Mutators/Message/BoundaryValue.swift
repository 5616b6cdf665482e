import Journaling
import NIOCore
import Plans
import Wire

struct BoundaryValue: Mutator {
    static let name = "message-boundary"
    static let level = MutatorLevel.message
    static let summary = "A field gets a value at the edge of what its shape allows."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        guard let message = target.document.value(of: 0),
            let rule = workshop.recognizer.recognise(message, direction: .toServer).rule
        else { return nil }
        let fields = MessageMaker(workshop, user: target.user).fields(of: rule)
        guard let field = fields.any(&dice) else { return nil }
        let forms = ValueMaker(dictionary: workshop.dictionary).conformingForms(field.test, heavy: dice.chance(0.05))
        switch forms.any(&dice)?.change {
        case .value(let value):
            let kept = TemplateText.kept(value)
            return target.replaced(by: TemplateText.unescaped(message.setting(field.keys[...], to: kept)), in: workshop)
        case .missing: return target.replaced(by: TemplateText.unescaped(message.removing(field.keys[...])), in: workshop)
        case nil: return nil
        }
    }
}
