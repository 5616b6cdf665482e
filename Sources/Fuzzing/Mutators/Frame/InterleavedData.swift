import Journaling
import Plans
import Wire

package struct InterleavedData: FrameMutator {
    package static let name = "frame-interleave"
    package static let summary = "Another data message begins inside a fragmented one."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let half = message.count / 2
        var frames = [Plan.FrameText(.text, message[0..<half], fin: false)]
        let opcode = dice.chance(0.7) ? Opcode.text : .binary
        frames.append(Plan.FrameText(opcode, dice.chance(0.5) ? message.payload : .text(""), fin: !dice.chance(0.3)))
        if dice.chance(0.7) { frames.append(Plan.FrameText(.continuation, message[half..<message.count])) }
        return FrameAttack(frames, mustFail: true)
    }
}
