import Journaling
import Plans
import Wire

package struct MaskBit: FrameMutator {
    package static let name = "frame-mask"
    package static let summary = "A frame without a mask, or with a mask of zeros."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let frames = [
            Plan.FrameText(.text, message.payload), Plan.FrameText(.ping, .text("p")), Plan.FrameText(.text),
            Plan.FrameText(.close, .bytes([0x03, 0xe8])), Plan.FrameText(.binary, .bytes([0, 1])),
        ]
        guard let frame = dice.pick(frames) else { return nil }
        if dice.chance(0.2) { return FrameAttack(Plan.FrameText(.text, message.payload).masked(.key(0)), mustFail: false) }
        return FrameAttack(frame.masked(.none), mustFail: true)
    }
}
