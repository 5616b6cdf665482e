import Journaling
import NIOCore
import Plans
import Wire

struct ForeignValue: Mutator {
    static let name = "message-foreign-value"
    static let level = MutatorLevel.message
    static let summary = "A value of another user: the name, a run, a thread."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice), let owner = target.others.any(&dice) else {
            return nil
        }
        let maker = MessageMaker(workshop, user: target.user)
        let references = workshop.contract.identity.ids.compactMap { maker.reference(to: $0, of: owner, run: 1 + dice.below(2)) }
        guard let message = target.document.value(of: 0) else { return nil }
        guard let (keys, value) = references.any(&dice) else {
            return target.putting(TemplateText.reference(owner + ".id"), workshop, &dice)
        }
        // Where such a value belongs, more often than not.
        if dice.chance(0.2) { return target.putting(value, workshop, &dice) }
        return target.replaced(by: TemplateText.unescaped(message.setting(keys[...], to: value)), in: workshop)
    }
}
