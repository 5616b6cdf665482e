import Journaling
import Plans
import Wire

package struct ControlForm: FrameMutator {
    package static let name = "frame-control"
    package static let summary = "A control frame that is too long or in fragments."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let opcode = dice.pick([Opcode.ping, .pong, .close]) ?? .ping
        let size = dice.pick([126, 127, 128, 200, 1024]) ?? 126
        let body = (opcode == .close ? [0x03, 0xe8] : []) + Array(repeating: UInt8(ascii: "a"), count: size)
        switch dice.below(4) {
        case 0: return FrameAttack(Plan.FrameText(opcode, .text(""), fin: false), mustFail: true)
        case 1:
            return FrameAttack(
                Plan.FrameText(.ping, .text("a"), fin: false), Plan.FrameText(.continuation, .text("b")), mustFail: true)
        case 2:
            // Short, but in a form that control frames do not have.
            return FrameAttack(Plan.FrameText(.ping, .text("abc")).declaring(.sixteen, 3), mustFail: true)
        default: return FrameAttack(Plan.FrameText(opcode, .bytes(body)), mustFail: true)
        }
    }
}
