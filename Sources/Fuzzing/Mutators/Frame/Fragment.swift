package import Journaling
package import Plans
import Wire

package struct Fragment: Mutator {
    package static let name = "frame-fragment"
    package static let level = MutatorLevel.frame
    package static let summary = "A message travels in fragments, some of them empty or with a ping between them."
    package init() {}

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        let candidates = plan.sends().filter { MessageText.isText(plan.steps[$0].verb) }
        guard let place = dice.pick(candidates), let message = MessageText(plan.steps[place].verb) else { return nil }
        var pieces = Self.pieces(message, dice: &dice)
        for _ in 0..<dice.below(3) { pieces.insert(.text(""), at: dice.within(0...pieces.count)) }
        if pieces.count < 2 { pieces.append(.text("")) }
        var changed = plan
        changed.steps[place].verb = .frames(Self.frames(pieces, dice: &dice))
        return changed.settled(from: plan, in: workshop)
    }

    /// In 2 to 9 parts of any length, or one a character at the start.
    private static func pieces(_ message: MessageText, dice: inout Dice) -> [Plan.FrameText.Payload] {
        var cuts: Set<Int> = []
        if dice.chance(0.2) {
            cuts = Set(1...max(1, min(32, message.count - 1)))
        } else {
            for _ in 0..<dice.within(1...8) { cuts.insert(dice.within(0...message.count)) }
        }
        let ends = cuts.sorted() + [message.count]
        var start = 0
        return ends.map { end in
            defer { start = end }
            return message[start..<max(start, end)]
        }
    }

    static func frames(_ pieces: [Plan.FrameText.Payload], dice: inout Dice) -> [Plan.FrameText] {
        let withControl = dice.chance(0.4)
        var frames: [Plan.FrameText] = []
        for (index, payload) in pieces.enumerated() {
            if withControl, index > 0, dice.chance(0.5) {
                frames.append(Plan.FrameText(dice.chance(0.8) ? .ping : .pong, .text("between")))
            }
            frames.append(
                Plan.FrameText(index == 0 ? .text : .continuation, payload, fin: index == pieces.count - 1))
        }
        return frames
    }
}
