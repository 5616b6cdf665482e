import Journaling
import Plans
import Wire

package struct InvalidUTF8: FrameMutator {
    package static let name = "frame-utf8"
    package static let summary = "A text that is no UTF-8: overlong, surrogates, beyond the last character, cut off, in one frame or several."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let bad: [[UInt8]] = [
            [0xff], [0xfe, 0xfe, 0xff, 0xff], [0xc0, 0xaf], [0xc1, 0xbf], [0xe0, 0x80, 0xaf], [0xf0, 0x80, 0x80, 0xaf],
            [0xed, 0xa0, 0x80], [0xed, 0xb0, 0x80], [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80], [0xf4, 0x90, 0x80, 0x80],
            [0xf8, 0x88, 0x80, 0x80, 0x80], [0x80], [0xbf, 0xbf], [0xe2, 0x28, 0xa1], [0xc3, 0x28], [0xf0, 0x9f, 0x98],
        ]
        let sequence = dice.pick(bad) ?? [0xff]
        let bytes = message.bytes
        let place = dice.within(0...bytes.count)
        let whole = Array(bytes[..<place]) + sequence + Array(bytes[place...])
        switch dice.below(4) {
        case 0:
            // Cut off in its last character.
            return FrameAttack(Plan.FrameText(.text, .bytes(bytes + [0xe2, 0x82])), mustFail: true)
        case 1:
            let cut = min(whole.count, place + dice.within(0...sequence.count))
            return FrameAttack(
                Plan.FrameText(.text, .bytes(Array(whole[..<cut])), fin: false),
                Plan.FrameText(.continuation, .bytes(Array(whole[cut...]))), mustFail: true)
        default: return FrameAttack(Plan.FrameText(.text, .bytes(whole)), mustFail: true)
        }
    }
}
