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
    /// Which faults keep it back, each until when.
    var holds: [Hold] = []
}

/// A fault keeps something back until then.
struct Hold: Sendable, Equatable {
    var fault: String
    var until: Instant
}

extension [Hold] {
    /// Those faults are no more.
    func without(_ gone: [String]) -> [Hold] { filter { !gone.contains($0.fault) } }
    /// The last of them to let go.
    var end: Instant? { map(\.until).max() }
}

/// What the faults that were selected made of a parcel.
struct Chained: Sendable {
    var steps: [Step]
    var records: [FaultRecord] = []

    /// The parcel goes on now as it came, before anything else does in its place.
    var passesWhole: Bool { steps.first { $0.effect.writes }?.isWhole ?? false }

    /// Of a compressed message exactly what came goes on in its place, so that the receiver's context is the sender's.
    var keepsContext: Bool {
        let compressed = steps.filter { $0.effect.message?.isCompressed == true && !$0.effect.travels }
        guard compressed.count == 1, let only = compressed.first?.effect, let message = only.message else { return false }
        return only.writes && !message.changed
    }

    /// The opening head that goes on.
    var head: ByteBuffer? {
        steps.lazy.compactMap { step in
            switch step.effect {
            case .forward(.requestHead(let head), _), .forward(.responseHead(let head), _): head.bytes
            default: nil
            }
        }.first
    }

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
                    let action = trigger.act(index, on: current, in: scene(of: current, of: armed, at: now), direction, ordinal: ordinal)
                else {
                    steps.append(step)
                    continue
                }
                var record = armed.record(kind.tap, on: ref)
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
                        next.holds = step.holds + (effect.release.map { [Hold(fault: armed.rule.id, until: $0)] } ?? [])
                        if let until = effect.release { record.held = max(.zero, now.duration(to: until)) }
                        steps.append(next)
                    }
                    // Of the others it is told when it is known what became of them.
                    if !effects.contains(where: \.isToldLater) { chained.records.append(record) }
                }
            }
            chained.steps = steps
        }
        return chained
    }

    func scene(of parcel: Parcel, of armed: ArmedRule, at now: Instant) -> Scene {
        let finder = configuration.finder
        let secrets: [FoundSecret] =
            switch parcel {
            case .requestHead(let head): finder.secrets(inRequest: HeadView(head.bytes))
            case .message(let message) where message.direction == .toServer && armed.seeksCredentials:
                finder.secrets(inMessage: message.payload, opcode: message.opcode, .toServer)
            case .message, .accept, .responseHead, .stream: []
            }
        var scene = Scene(
            session: id, user: user, path: path, now: now, accepted: phase == .relaying,
            credentials: secrets.filter(\.isCredential))
        scene.signingKey = finder.verificationKey
        scene.hops = hops
        if armed.joins.contains(.storms) { scene.isStorming = configuration.rendezvous.isStorming(armed.rule.id, at: now) }
        if armed.joins.contains(.past) {
            scene.past = user.map { configuration.past.before(id, of: $0) } ?? []
            var dice = trigger.dice("\(armed.rule.id) other", .toServer, 0)
            scene.pastOfOther = configuration.past.other(than: user, draw: dice.next())
            if case .message(let message) = parcel {
                scene.request = configuration.recognizer?
                    .recognise(message.payload, opcode: message.opcode, direction: message.direction).name
            }
        }
        let others = armed.fault.borrows
        if !others.isEmpty { scene.loans = configuration.lender.loans(of: others) }
        return scene
    }

    /// A message through the rules that select it, and on its way.
    mutating func applyChain(
        _ message: Message, _ selected: [Int], _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        var message = message
        let waiting = joinedWaiting(direction)
        let writesFrames = selected.contains { type(of: trigger.rules[$0].fault).group == .frame }
        if writesFrames, !message.isCompressed || self[direction].work?.isRecoding != true { message.wire = waiting }
        let kind: ParcelKind = direction == .toServer ? .messageToServer : .messageToClient
        let chained = chain(
            .message(message), selected, kind, direction, ordinal: message.ordinal, on: message.entry, at: now)
        var parts: [Outbox.Part] = []
        if chained.passesWhole, !message.isCompressed || self[direction].work?.isRecoding != true {
            sendWaiting(direction, at: now, &output)
        } else if chained.passesWhole {
            goOn(message, direction, at: now, &output)
        } else {
            parts = tellArrival(direction, mayReturn: chained.taker != nil, at: now, &output).parts
        }
        if message.isCompressed, !chained.keepsContext { recodeFromHere(direction) }
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
        if case .frames(let frames, let message, nil) = effect { next.effect = .frames(frames, of: message, at: release) }
        return next
    }
}

extension Effect {
    /// Something of the parcel goes on here, now or later.
    var goesOn: Bool {
        if case .forwardLater = self { true } else { writes }
    }

    /// It takes the parcel's place in the order of bytes.
    var writes: Bool {
        switch self {
        case .forward, .forwardPart, .frames, .wait: true
        default: false
        }
    }

    /// The message that goes on here.
    var message: Message? {
        switch self {
        case .forward(.message(let message), _), .forwardPart(.message(let message), _), .send(.message(let message), _),
            .forwardLater(.message(let message), _, _), .frames(_, let message, _), .wait(.message(let message), _):
            message
        default: nil
        }
    }

    /// What is behind it waits until then.
    var release: Instant? {
        switch self {
        case .forward(_, let release), .frames(_, _, let release): release
        default: nil
        }
    }

    var travels: Bool {
        if case .send = self { true } else { false }
    }

    /// What becomes of it is known only when others have answered, or time has passed.
    var isToldLater: Bool {
        switch self {
        case .send, .insert, .connect, .wait: true
        default: false
        }
    }
}
