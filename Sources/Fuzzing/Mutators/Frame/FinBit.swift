import Journaling
import Plans
import Wire

package struct FinBit: FrameMutator {
    package static let name = "frame-fin"
    package static let summary = "A continuation of nothing, or a message that is never finished."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        switch dice.below(4) {
        case 0: return FrameAttack(Plan.FrameText(.continuation, message.payload), mustFail: true)
        case 1: return FrameAttack(Plan.FrameText(.continuation, message.payload, fin: false), mustFail: true)
        case 2:
            return FrameAttack(
                Plan.FrameText(.text, message.payload), Plan.FrameText(.continuation, message.payload), mustFail: true)
        default:
            // Nothing forbids to wait for the rest.
            var frames = [Plan.FrameText(dice.chance(0.8) ? .text : .binary, message.payload, fin: false)]
            for _ in 0..<dice.below(8) { frames.append(Plan.FrameText(.continuation, .text("x"), fin: false)) }
            return FrameAttack(frames, mustFail: false)
        }
    }
}
