import Journaling
import Plans
import Wire

package struct ReservedBits: FrameMutator {
    package static let name = "frame-rsv"
    package static let summary = "Reserved bits are set on a data, control or continuation frame."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let rsv = UInt8(truncatingIfNeeded: dice.within(1...7))
        switch dice.below(6) {
        case 0: return FrameAttack(Plan.FrameText(.ping, .text("p"), rsv: rsv), mustFail: true)
        case 1: return FrameAttack(Plan.FrameText(.close, .bytes([0x03, 0xe8]), rsv: rsv), mustFail: true)
        case 2:
            let half = message.count / 2
            return FrameAttack(
                Plan.FrameText(.text, message[0..<half], fin: false),
                Plan.FrameText(.continuation, message[half..<message.count], rsv: rsv), mustFail: true)
        case 3: return FrameAttack(Plan.FrameText(.binary, .bytes([1, 2, 3]), rsv: rsv), mustFail: true)
        default: return FrameAttack(Plan.FrameText(.text, message.payload, rsv: rsv), mustFail: true)
        }
    }
}
