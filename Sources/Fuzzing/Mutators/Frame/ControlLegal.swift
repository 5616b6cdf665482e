import Journaling
import Plans
import Wire

package struct ControlLegal: FrameMutator {
    package static let name = "frame-ping"
    package static let summary = "Legal control frames: pings of every size, pongs nobody asked for, up to 64 at once."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let sizes = [0, 1, 4, 124, 125]
        func frame(_ number: Int, _ opcode: Opcode) -> Plan.FrameText {
            let size = sizes[number % sizes.count]
            return Plan.FrameText(opcode, .text(String(repeating: "p", count: size)))
        }
        switch dice.below(4) {
        case 0: return FrameAttack(frame(dice.below(5), .pong), mustFail: false)
        case 1: return FrameAttack(frame(dice.below(5), .ping), mustFail: false)
        case 2: return FrameAttack(Plan.FrameText(.ping, .bytes(dice.bytes(dice.within(1...125)))), mustFail: false)
        default:
            let count = dice.pick([2, 8, 16, 32, 64]) ?? 8
            let isPong = dice.chance(0.2)
            return FrameAttack((0..<count).map { Plan.FrameText(isPong ? .pong : .ping, .text("\($0)")) }, mustFail: false)
        }
    }
}
