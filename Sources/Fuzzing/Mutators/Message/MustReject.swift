import Contracts
import Journaling
import NIOCore
import Plans
import Wire

struct MustReject: Mutator {
    static let name = "message-must-reject"
    static let level = MutatorLevel.message
    static let summary = "A request that a rule of the contract refuses."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice),
            let message = target.document.value(of: 0)
        else { return nil }
        let labels = StaticLabels(workshop)
        for _ in 0..<8 {
            guard let changed = refused(message, workshop, &dice) else { continue }
            let text = TemplateText.unescaped(changed)
            guard case .mustReject = labels.label(TemplateText.verb(marked: text)) else { continue }
            if let plan = target.replaced(by: text, in: workshop) { return plan }
        }
        return nil
    }

    /// The message with the conditions of one rule met, or the rule's own probe.
    private func refused(_ message: JSON, _ workshop: Workshop, _ dice: inout Dice) -> JSON? {
        let contract = workshop.contract
        guard let index = Array(contract.reject.indices).any(&dice) else { return nil }
        if dice.chance(0.3), let probe = contract.probe(for: index) { return probe }
        switch contract.reject[index].when.any(&dice) {
        case .pattern(let pattern): return meeting(pattern, message, workshop, &dice)
        case .unknown: return contract.wire.type?.keys.map { message.setting($0[...], to: "no_such_type") }
        case .invalid: return invalid(message, workshop, &dice)
        case .malformed, nil: return nil
        }
    }

    private func meeting(_ pattern: Pattern, _ message: JSON, _ workshop: Workshop, _ dice: inout Dice) -> JSON? {
        guard case .fields(let fields) = pattern.test else { return nil }
        let values = ValueMaker(dictionary: workshop.dictionary)
        var message = message
        for field in fields {
            guard let keys = field.path.keys, !keys.isEmpty,
                let form = values.conformingForms(field.test).prefix(8).map({ $0 }).any(&dice)
            else { return nil }
            switch form.change {
            case .value(let value): message = message.setting(keys[...], to: value)
            case .missing: message = message.removing(keys[...])
            }
        }
        return message
    }

    private func invalid(_ message: JSON, _ workshop: Workshop, _ dice: inout Dice) -> JSON? {
        let sample = workshop.recognizer.recognise(message, direction: .toServer)
        guard let rule = sample.rule, case .fields(let fields)? = workshop.contract.requests[rule].shape?.test,
            let field = fields.any(&dice), let keys = field.path.keys, !keys.isEmpty,
            let form = ValueMaker().violating(field.test, dice: &dice)
        else { return nil }
        switch form.change {
        case .value(let value): return message.setting(keys[...], to: value)
        case .missing: return message.removing(keys[...])
        }
    }
}
