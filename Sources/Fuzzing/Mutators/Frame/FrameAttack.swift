import Journaling
import Plans
import Wire

/// Frames to put into a plan, and what a server owes for them.
struct FrameAttack {
    var verbs: [Plan.Verb]
    /// RFC 6455 demands that the connection is failed (or closed).
    var mustFail: Bool

    init(_ verbs: [Plan.Verb], mustFail: Bool) {
        self.verbs = verbs
        self.mustFail = mustFail
    }

    init(_ frames: Plan.FrameText..., mustFail: Bool) { self.init(frames, mustFail: mustFail) }
    init(_ frames: [Plan.FrameText], mustFail: Bool) { self.init([.frames(frames)], mustFail: mustFail) }
}

/// A mutator that adds frames of one user to a plan: in four of five cases at the end of a valid prefix, for behind
/// them nothing of that connection is reached.
protocol FrameMutator: Mutator {
    /// - Parameter message: what the user sends otherwise.
    func attack(_ message: MessageText, in workshop: Workshop, dice: inout Dice) -> FrameAttack?
}

extension FrameMutator {
    package static var level: MutatorLevel { .frame }

    package func mutate(_ plan: Plan, in workshop: Workshop, dice: inout Dice) -> Plan? {
        guard let actor = dice.pick(plan.openActors), let end = plan.prefixEnd(of: actor),
            let range = plan.openRange(of: actor)
        else { return nil }
        let sends = plan.sends(of: actor.user)
        let texts = sends.map { plan.steps[$0].verb }.filter(MessageText.isText)
        let message = dice.pick(texts).flatMap { MessageText($0) } ?? MessageText("hello")
        guard let attack = attack(message, in: workshop, dice: &dice) else { return nil }
        let isAtEnd = dice.chance(0.8)
        var verbs = attack.verbs
        if attack.mustFail { verbs.append(.until(["closed"], within: .seconds(2))) }
        var changed = plan
        if isAtEnd || !attack.mustFail, dice.chance(0.5), let send = sends.last {
            // Whether the server lives on: on a new connection when this one has to go.
            if attack.mustFail { verbs += [.reconnect(cursor: nil), .until(["open"], within: .seconds(2))] }
            verbs.append(plan.steps[send].verb)
            if let wait = plan.guardBehind(send) { verbs.append(plan.steps[wait].verb) }
        }
        changed.insert(verbs, by: actor, at: isAtEnd ? end : dice.within(range))
        return changed.settled(from: plan, in: workshop)
    }
}

extension Plan.FrameText {
    init(_ opcode: Opcode, _ payload: Payload = .text(""), fin: Bool = true, rsv: UInt8 = 0) {
        self.init(fin: fin, rsv: rsv, opcode: opcode, payload: payload)
    }

    func masked(_ mask: Mask) -> Self {
        var frame = self
        frame.mask = mask
        return frame
    }

    func declaring(_ form: LengthForm, _ value: Int) -> Self { declaring(form, UInt64(clamping: value)) }

    func declaring(_ form: LengthForm, _ value: UInt64) -> Self {
        var frame = self
        frame.length = Length(form: form, value: value)
        return frame
    }
}
