import Journaling
import NIOCore
import Plans
import Wire

struct SplicedMessage: Mutator {
    static let name = "message-splice"
    static let level = MutatorLevel.message
    static let summary = "A message of another plan, or another one of this plan."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: false, dice: &dice) else { return nil }
        let source = dice.chance(0.8) ? workshop.seeds.any(&dice) ?? plan : plan
        let messages = source.steps.map(\.verb).filter { $0.sends && $0.messageBytes <= MessageTarget.largest }
        guard let verb = messages.any(&dice) else { return nil }
        guard let text = MessageTarget.text(verb, json: true) else { return target.replaced(by: verb, in: workshop) }
        return target.replaced(by: renamed(text, for: target), in: workshop)
    }

    /// Users whom this plan does not have become the one who sends.
    private func renamed(_ text: String, for target: MessageTarget) -> String {
        let document = JSONDocument(ByteBuffer(string: text))
        guard let message = document.value(of: 0) else { return text }
        return TemplateText.unescaped(renamed(message, target, depth: 0))
    }

    private func renamed(_ value: JSON, _ target: MessageTarget, depth: Int) -> JSON {
        guard depth < 128 else { return value }
        switch value {
        case .string(let text) where text.unicodeScalars.first == TemplateText.opening:
            let inside = String(String.UnicodeScalarView(text.unicodeScalars.dropFirst().dropLast()))
            var parts = inside.split(separator: ".").map { String($0) }
            guard let first = parts.first, first.wholeMatch(of: /run[0-9]+/) == nil,
                !target.plan.users.contains(where: { $0.name == first })
            else { return value }
            parts[0] = target.user
            return TemplateText.reference(parts.joined(separator: "."))
        case .array(let items): return .array(items.map { renamed($0, target, depth: depth + 1) })
        case .object(let members):
            return .object(members.map { .init(key: $0.key, value: renamed($0.value, target, depth: depth + 1)) })
        case .null, .bool, .number, .string: return value
        }
    }
}
