import Journaling
import Plans
import Wire

package struct DeflateUnasked: FrameMutator {
    package static let name = "frame-deflate"
    package static let summary = "Compressed data, or bytes that claim to be, although no compression was agreed."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        // RFC 7692 section 7.2.3.1: `Hello`, in fixed and in stored blocks, and bytes that inflate to nothing.
        let blocks: [[UInt8]] = [
            [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            [0x00], [], [0xff, 0xff, 0xff, 0xff],
        ]
        let block = dice.pick(blocks) ?? []
        guard dice.chance(0.3) else {
            return FrameAttack(
                Plan.FrameText(dice.chance(0.7) ? .text : .binary, .bytes(block), rsv: 4), mustFail: true)
        }
        return FrameAttack(
            Plan.FrameText(.text, .bytes(Array(block.prefix(3))), fin: false, rsv: 4),
            Plan.FrameText(.continuation, .bytes(Array(block.dropFirst(3)))), mustFail: true)
    }
}
