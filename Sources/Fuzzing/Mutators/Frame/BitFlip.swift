import Journaling
import Plans
import Wire

package struct BitFlip: FrameMutator {
    package static let name = "frame-bit-flip"
    package static let summary = "One bit of a frame's header or payload is turned."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let bytes = message.bytes
        var frame = Plan.FrameText(.text, .bytes(bytes))
        guard dice.chance(0.7) else { return flippedPayload(bytes, &dice) }
        let bit = dice.below(16)
        switch bit {
        case 0:
            frame.fin = false
            return FrameAttack(frame, mustFail: false)
        case 1...3:
            frame.rsv = 1 << UInt8(3 - bit)
            return FrameAttack(frame, mustFail: true)
        case 4...7:
            frame.opcode = Opcode(rawValue: 1 ^ 1 << UInt8(7 - bit))
            // A continuation of nothing, 3, 5, or a ping, which may be as long as 125 bytes.
            let isLegal = frame.opcode == .ping && bytes.count <= 125
            return FrameAttack(frame, mustFail: !isLegal)
        case 8: return FrameAttack(frame.masked(.none), mustFail: true)
        default:
            // Sixteen length bits stand there for most messages, seven for short ones.
            let isShort = bytes.count < 126
            let value = UInt64(clamping: bytes.count) ^ 1 << UInt64(dice.below(isShort ? 6 : 16))
            return FrameAttack(frame.declaring(isShort ? .seven : .sixteen, value), mustFail: false)
        }
    }

    /// The text may have become none.
    private func flippedPayload(_ bytes: [UInt8], _ dice: inout Dice) -> FrameAttack? {
        guard !bytes.isEmpty else { return nil }
        var bytes = bytes
        let place = dice.below(bytes.count)
        bytes[place] ^= 1 << UInt8(dice.below(8))
        let frame = Plan.FrameText(.text, .bytes(bytes))
        return FrameAttack(frame, mustFail: String(validating: bytes, as: UTF8.self) == nil)
    }
}
