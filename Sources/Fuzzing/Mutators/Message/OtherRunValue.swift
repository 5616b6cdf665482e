import Journaling
import NIOCore
import Plans
import Wire

struct OtherRunValue: Mutator {
    static let name = "message-other-run"
    static let level = MutatorLevel.message
    static let summary = "A value of an earlier or later run of the same user."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice), !workshop.contract.runs.isEmpty else { return nil }
        let maker = MessageMaker(workshop, user: target.user)
        let run = 1 + dice.below(3)
        let references = workshop.contract.identity.ids.filter { $0.is == nil }
            .compactMap { maker.reference(to: $0, of: target.user, run: run) }
        guard let (keys, value) = references.any(&dice), let message = target.document.value(of: 0) else { return nil }
        return target.replaced(by: TemplateText.unescaped(message.setting(keys[...], to: value)), in: workshop)
    }
}
