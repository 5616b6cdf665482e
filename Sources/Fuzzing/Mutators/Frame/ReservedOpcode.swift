import Journaling
import Plans
import Wire

package struct ReservedOpcode: FrameMutator {
    package static let name = "frame-opcode"
    package static let summary = "A frame with an opcode that is reserved."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let opcode = Opcode(rawValue: dice.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) ?? 3)
        let payloads: [Plan.FrameText.Payload] = [.text(""), .text("x"), message.payload, .bytes(dice.bytes(16))]
        var frames = [Plan.FrameText(opcode, dice.pick(payloads) ?? .text(""), fin: !dice.chance(0.1))]
        if dice.chance(0.3) { frames.append(Plan.FrameText(.text, message.payload)) }
        return FrameAttack(frames, mustFail: true)
    }
}
