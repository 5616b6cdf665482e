import Journaling
import Plans
import Wire

package struct EmptyMessage: FrameMutator {
    package static let name = "frame-empty"
    package static let summary = "An empty text, in one frame or in several."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        guard dice.chance(0.5) else { return FrameAttack(Plan.FrameText(.text), mustFail: false) }
        var frames = [Plan.FrameText(.text, .text(""), fin: false)]
        for _ in 0..<dice.below(32) { frames.append(Plan.FrameText(.continuation, .text(""), fin: false)) }
        return FrameAttack(frames + [Plan.FrameText(.continuation)], mustFail: false)
    }
}
