import Journaling
import NIOCore
import Plans
import Wire

struct AsBytes: Mutator {
    static let name = "message-as-bytes"
    static let level = MutatorLevel.message
    static let summary = "The message travels in a binary frame, or in a text frame that is no UTF-8."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: false, dice: &dice),
            let payload = StaticLabels.filled(target.verb, user: target.user), payload.utf8.count <= 16_384
        else { return nil }
        var bytes = Array(payload.utf8)
        if dice.chance(0.5) {
            return target.replaced(by: .sendBytes(BadTexts.frame(bytes, opcode: .binary)), in: workshop)
        }
        guard let bad = BadTexts.invalidUTF8.any(&dice) else { return nil }
        bytes.insert(contentsOf: bad.bytes, at: dice.below(bytes.count + 1))
        return target.replaced(by: .sendBytes(BadTexts.frame(bytes, opcode: .text)), in: workshop)
    }
}
