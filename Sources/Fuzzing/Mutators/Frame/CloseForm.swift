import Journaling
import Plans
import Wire

package struct CloseForm: FrameMutator {
    package static let name = "close-form"
    package static let summary = "A Close whose body is one byte, too long or no text, or behind which more is sent."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let code: [UInt8] = [0x03, 0xe8]
        let good = Plan.FrameText(.close, .bytes(code))
        let bodies: [[UInt8]] = [
            [], [0x03], code + [0xff, 0xfe], code + [0xc0, 0x80], code + [0xe2, 0x82], code + [0xed, 0xa0, 0x80],
            code + Array(repeating: 0x61, count: 123), code + Array(repeating: 0x61, count: 124), code + [0],
        ]
        switch dice.below(5) {
        case 0: return FrameAttack(good, Plan.FrameText(.text, message.payload), mustFail: true)
        case 1: return FrameAttack(good, Plan.FrameText(.close, .bytes([0x03, 0xe9])), mustFail: true)
        case 2: return FrameAttack(good, Plan.FrameText(.ping, .text("p")), mustFail: true)
        case 3:
            // In the middle of a message.
            return FrameAttack(Plan.FrameText(.text, message.payload, fin: false), good, mustFail: true)
        default: return FrameAttack(Plan.FrameText(.close, .bytes(dice.pick(bodies) ?? [])), mustFail: true)
        }
    }
}
