package import Journaling
package import Plans
import Wire

package struct EarlyFrames: Mutator {
    package static let name = "frame-early"
    package static let level = MutatorLevel.frame
    package static let summary = "A message is on the wire before the upgrade is answered."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        let entries = plan.steps.indices.filter { plan.steps[$0].verb.opens && plan.steps[$0].user != nil }
        guard let place = dice.pick(entries), let actor = plan.steps[place].actor else { return nil }
        let texts = plan.sends(of: actor.user).map { plan.steps[$0].verb }.filter(MessageText.isText)
        let payload = (dice.pick(texts).flatMap { MessageText($0) } ?? MessageText("hello")).payload
        let opcode = dice.pick([Opcode.text, .text, .ping]) ?? .text
        let frame = Plan.FrameText(opcode, opcode == .ping ? .text("early") : payload)
        var changed = plan
        changed.insert([.frames([frame])], by: actor, at: place + 1)
        return changed.settled(from: plan, in: workshop)
    }
}
