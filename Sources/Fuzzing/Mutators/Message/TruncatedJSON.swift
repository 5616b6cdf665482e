import Journaling
import NIOCore
import Plans
import Wire

struct TruncatedJSON: Mutator {
    static let name = "message-truncate"
    static let level = MutatorLevel.message
    static let summary = "The message breaks off, or something stands behind it."

    func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let target = MessageTarget(plan, json: false, dice: &dice) else { return nil }
        let scalars = Array(target.text.unicodeScalars)
        if dice.chance(0.3), let tail = ["x", "}", ",", "{}", "\u{0}", " null", "\n"].any(&dice) {
            return target.replaced(by: target.text + tail, in: workshop)
        }
        let text = String(scalars: scalars.prefix(dice.below(max(1, scalars.count))))
        return target.replaced(by: text, in: workshop)
    }
}
