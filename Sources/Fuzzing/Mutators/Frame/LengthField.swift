import Journaling
import Plans
import Wire

package struct LengthField: FrameMutator {
    package static let name = "frame-length"
    package static let summary = "A length in a longer form than needed, with its top bit set, or longer or shorter than what is sent."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let bytes = message.bytes
        let frame = Plan.FrameText(.text, .bytes(bytes))
        switch dice.below(7) {
        case 0: return FrameAttack(Plan.FrameText(.text, .bytes([0x61])).declaring(.sixteen, 1), mustFail: true)
        case 1: return FrameAttack(frame.declaring(.sixtyFour, bytes.count), mustFail: bytes.count < 65_536)
        case 2:
            let values: [UInt64] = [1 << 63, .max, 1 << 63 | 5, .max - 7]
            return FrameAttack(frame.declaring(.sixtyFour, dice.pick(values) ?? .max), mustFail: true)
        case 3:
            // A promise of what never comes: some servers make room for it at once.
            let values: [UInt64] = [1 << 31, 1 << 32, 1 << 40, 1 << 62, UInt64(Int64.max)]
            return FrameAttack(frame.declaring(.sixtyFour, dice.pick(values) ?? 1 << 32), mustFail: false)
        case 4: return FrameAttack(frame.declaring(.sixteen, bytes.count + dice.within(1...64)), mustFail: false)
        case 5: return FrameAttack(Plan.FrameText(.text, .bytes(Array(bytes.prefix(100)))).declaring(.seven, 101), mustFail: false)
        default:
            // What is left over is read as the next header: `{` has RSV bits set.
            let short = Plan.FrameText(.text, .bytes([0x61, 0x7b, 0x22, 0x7b])).masked(.key(0))
            return FrameAttack(short.declaring(.seven, 1), mustFail: true)
        }
    }
}
