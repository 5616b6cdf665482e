package import Journaling
package import Plans
import Wire

package struct SplitCharacter: Mutator {
    package static let name = "frame-split-character"
    package static let level = MutatorLevel.frame
    package static let summary = "A character's bytes are parted between two fragments of a valid text."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        let candidates = plan.sends().filter { MessageText.isText(plan.steps[$0].verb) }
        guard let place = dice.pick(candidates), var message = MessageText(plan.steps[place].verb) else { return nil }
        if message.isASCII { message = message.adding(dice.pick(["grüße", "€", "日本語", "\u{1F600}"]) ?? "é") }
        guard let wide = dice.pick(message.wide) else { return nil }
        let bytes = message.bytes(wide..<wide + 1)
        guard bytes.count > 1 else { return nil }
        let cut = dice.within(1...bytes.count - 1)
        var pieces: [Plan.FrameText.Payload] = [
            message[0..<wide], .bytes(Array(bytes[..<cut])), .bytes(Array(bytes[cut...])),
            message[wide + 1..<message.count],
        ]
        if dice.chance(0.3) { pieces.insert(.text(""), at: 2) }
        var changed = plan
        changed.steps[place].verb = .frames(Fragment.frames(pieces, dice: &dice))
        return changed.settled(from: plan, in: workshop)
    }
}
