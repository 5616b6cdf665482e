import Journaling
import Plans
import Wire

package struct CloseCode: FrameMutator {
    package static let name = "close-code"
    package static let summary = "A Close with a code of every kind, legal and illegal."
    package init() {}

    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack? {
        let named = [0, 1, 999, 1016, 1100, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 9999, 65_535] + Array(1000...1015)
        let code = dice.chance(0.9) ? dice.pick(named) ?? 1000 : dice.within(0...65_535)
        let reason = dice.pick(["", "bye", "grüße \u{1F600}"]) ?? ""
        return FrameAttack([.close(code: code, reason: reason)], mustFail: true)
    }
}
