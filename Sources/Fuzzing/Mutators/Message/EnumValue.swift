import Contracts
import Journaling
import NIOCore
import Plans
import Wire

struct EnumValue: Mutator {
    static let name = "message-enum"
    static let level = MutatorLevel.message
    static let summary = "A text becomes another one that the contract names."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: true, dice: &dice) else { return nil }
        let document = target.document
        guard let node = document.any(document.strings, &dice), let text = Self.literals(workshop.contract).any(&dice)
        else { return nil }
        return target.replaced(
            by: document.replacing(document.nodes[node].range, with: TemplateText.escaped(JSON.string(text).text)), in: workshop)
    }

    /// Texts in the conditions of `reject`, in file order.
    static func literals(_ contract: Contract) -> [String] {
        var found: [String] = []
        var open: [Pattern.Test] = contract.reject.flatMap(\.when).compactMap {
            if case .pattern(let pattern) = $0 { pattern.test } else { nil }
        }
        while let test = open.popLast() {
            switch test {
            case .fields(let fields): open += fields.map(\.test)
            case .anyOf(let tests): open += tests
            case .equal(.string(let text)): found.append(text)
            case .glob(let glob) where glob.isExact: found.append(glob.text)
            case .equal, .glob, .regex, .words: continue
            }
        }
        return found
    }
}
