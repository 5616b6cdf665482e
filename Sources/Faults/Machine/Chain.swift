import Journaling
import NIOCore
import Wire

/// One effect and the faults that brought it about, in the order in which they acted.
struct Step: Sendable {
    var effect: Effect
    var faults: [String] = []
    /// Index of the rule that asked for it.
    var rule: Int?
    /// It took the message to another session and left nothing of it here.
    var takes = false
}

/// What the faults that were selected made of a parcel.
struct Chained: Sendable {
    var steps: [Step]
    var records: [FaultRecord] = []

    /// The parcel goes on now as it came, whatever happens beside.
    var passesWhole: Bool { steps.contains { $0.isWhole } }

    /// Index of the step that took the message to another session, so that nothing of it goes on here unless it is refused
    /// there; nil when something does.
    var taker: Int? {
        steps.contains(where: \.goesOn) ? nil : steps.lastIndex(where: \.takes)
    }
}

extension Step {
    var goesOn: Bool { effect.goesOn }

    var isWhole: Bool {
        switch effect {
        case .forward(.message(let message), nil): !message.changed
        case .forward(_, nil): faults.isEmpty
        default: false
        }
    }
}

/// Faults in file order, each acting on what the one before left to go on.
extension SessionMachine {
    /// A head, or the accept, through the rules that select it.
    mutating func chain(
        _ parcel: Parcel, _ kind: ParcelKind, _ direction: Direction, on ref: EntryRef?, at now: Instant
    ) -> Chained {
        chain(parcel, trigger.selected(kind, at: now), kind, direction, ordinal: 0, on: ref, at: now)
    }

    mutating func chain(
        _ parcel: Parcel, _ selected: [Int], _ kind: ParcelKind, _ direction: Direction, ordinal: UInt32,
        on ref: EntryRef?, at now: Instant
    ) -> Chained {
        var chained = Chained(steps: [Step(effect: .forward(parcel, at: nil))])
        for index in selected {
            guard let armed = trigger.rules.indices.contains(index) ? trigger.rules[index] : nil else { continue }
            var steps: [Step] = []
            for step in chained.steps {
                guard case .forward(let current, let release) = step.effect,
                    let action = trigger.act(index, on: current, in: scene(of: current, at: now), direction, ordinal: ordinal)
                else {
                    steps.append(step)
                    continue
                }
                var record = FaultRecord(
                    id: armed.rule.id, kind: armed.rule.kind, influence: armed.fault.influence, tap: kind.tap, on: ref,
                    detail: "")
                switch action {
                case .pass: steps.append(step)
                case .notApplied(let reason):
                    steps.append(step)
                    record.detail = reason
                    record.applied = false
                    chained.records.append(record)
                case .effects(let effects, let detail):
                    record.detail = detail
                    let takes = !effects.contains(where: \.goesOn)
                    for effect in effects {
                        var next = Step.following(step, effect, release, index, armed.rule.id)
                        next.takes = takes && effect.travels
                        if case .forward(_, let until?) = effect { record.held = max(.zero, now.duration(to: until)) }
                        steps.append(next)
                    }
                    // What travels is told of when the other session has answered.
                    if !effects.contains(where: \.travels) { chained.records.append(record) }
                }
            }
            chained.steps = steps
        }
        return chained
    }

    private func scene(of parcel: Parcel, at now: Instant) -> Scene {
        var credentials: [FoundSecret] = []
        if case .requestHead(let head) = parcel {
            credentials = configuration.finder.secrets(inRequest: HeadView(head.bytes)).filter(\.isCredential)
        }
        return Scene(
            session: id, user: user, path: path, now: now, accepted: phase == .relaying, credentials: credentials)
    }

    /// A message through the rules that select it, and on its way.
    mutating func applyChain(
        _ message: Message, _ selected: [Int], _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        let chained = chain(
            .message(message), selected, kind, direction, ordinal: message.ordinal, on: message.entry, at: now)
        let waiting = joinedWaiting(direction)
        var parts: [Outbox.Part] = []
        if chained.passesWhole, !message.isCompressed || self[direction].work?.isRecoding != true {
            sendWaiting(direction, at: now, &output)
        } else if chained.passesWhole {
            goOn(message, direction, at: now, &output)
        } else {
            parts = tellArrival(direction, mayReturn: chained.taker != nil, at: now, &output).parts
            if message.isCompressed { recodeFromHere(direction) }
        }
        for record in chained.records { note(.fault(record), at: now, &output) }
        perform(chained, of: message.entry, direction, original: waiting, parts, at: now, &output)
    }
}

extension Step {
    /// An effect of the next fault on what this step forwarded: a delay before it stays, faults add up.
    static func following(_ step: Step, _ effect: Effect, _ release: Instant?, _ rule: Int, _ id: String) -> Step {
        var next = Step(effect: effect, faults: step.faults + [id], rule: rule)
        if case .forward(let parcel, let until) = effect, let release {
            next.effect = .forward(parcel, at: until.map { max($0, release) } ?? release)
        }
        return next
    }
}

extension Effect {
    var goesOn: Bool {
        switch self {
        case .forward, .forwardPart: true
        default: false
        }
    }

    var travels: Bool {
        if case .send = self { true } else { false }
    }
}
