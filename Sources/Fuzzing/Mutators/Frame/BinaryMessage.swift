import Journaling
import Plans
import Wire

package struct BinaryMessage: FrameMutator {
    package static let name = "frame-binary"
    package static let summary = "A binary message, with the text of a request or with any bytes."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let payloads: [Plan.FrameText.Payload] = [
            message.payload, .bytes(dice.bytes(dice.within(0...64))), .text(""), .bytes([0]),
        ]
        return FrameAttack(Plan.FrameText(.binary, dice.pick(payloads) ?? .text("")), mustFail: false)
    }
}
