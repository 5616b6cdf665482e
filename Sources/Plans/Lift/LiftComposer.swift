import Contracts
import Journaling
import NIOCore
import Wire

/// Writes the plan of one group of sessions: everything the clients did, in the order in which it arrived, with a guard
/// before each that waits for what that client had seen by then.
struct LiftComposer {
    private let sessions: [LiftSession]
    private let contract: Contract?
    private let epoch: Int64?
    private let cast: LiftCast
    private let recognizer: Recognizer?
    private let landmarks: LiftLandmarks
    private let uuids: Set<String>
    private var binding: Binding
    private var values = LiftValues()
    private var guards: [LiftGuard]
    /// Highest run of each user so far.
    private var runs: [String: Int] = [:]
    private var plan = Plan()
    private let mostSteps: Int
    /// For each step when it was done and on which session; guards were never done.
    private var acts: [(at: Instant, session: Int)?] = []

    init(_ sessions: [LiftSession], contract: Contract?, epoch: Int64?, mostSteps: Int) {
        self.mostSteps = mostSteps
        self.sessions = sessions
        self.contract = contract
        self.epoch = epoch
        cast = LiftCast(sessions)
        recognizer = contract.map { Recognizer($0) }
        landmarks = LiftLandmarks(contract)
        uuids = Self.ownUUIDs(sessions)
        binding = Binding(contract: contract, principals: cast.principals)
        guards = sessions.map { LiftGuard(since: $0.began) }
    }

    /// Nil when it takes more steps than a plan may have; `cut` ends it there instead and says so.
    mutating func compose(cut: Bool) -> LiftedPlan? {
        var moments: [(session: Int, moment: LiftSession.Moment)] = []
        for (index, session) in sessions.enumerated() { moments += session.moments.map { (index, $0) } }
        moments.sort { ($0.moment.at, $0.moment.order) < ($1.moment.at, $1.moment.order) }
        plan.users = cast.users
        let names = sessions.prefix(8).map { "\($0.id)" }.joined(separator: ", ")
        let more = sessions.count > 8 ? " and \(sessions.count - 8) more" : ""
        plan.head.comments = ["Lifted from \(names)\(more) of a recording."]
        for (number, (session, moment)) in moments.enumerated() {
            // Whatever one moment adds fits behind this.
            if plan.steps.count + 4 * (sessions.count + 2) > mostSteps {
                guard cut else { return nil }
                plan.tail = ["The session goes on: \(moments.count - number) more messages and events are left out."]
                return lifted()
            }
            play(moment, session)
        }
        for index in sessions.indices { wait(index, .distantFuture) }
        join()
        return lifted()
    }

    private func lifted() -> LiftedPlan {
        var lifted = LiftedPlan(plan: plan, sessions: sessions.map(\.id), principals: cast.principals)
        let begun = acts.lazy.compactMap { $0?.at }.first ?? .zero
        var last: [String: Instant] = [:]
        for (step, act) in zip(plan.steps, acts) {
            guard let act, let user = step.user else { continue }
            if step.verb.opens { lifted.openings[step.number] = sessions[act.session].id }
            lifted.gaps[step.number] = max(.zero, (last[user] ?? begun).duration(to: act.at))
            last[user] = act.at
        }
        return lifted
    }

    private mutating func play(_ moment: LiftSession.Moment, _ index: Int) {
        let session = sessions[index]
        let user = cast.roles[index].user
        switch moment.action {
        case .connect:
            add(
                index,
                .connect(path: session.opening.path, as: cast.roles[index].connection, headers: session.opening.headers),
                at: moment.at)
            guards[index] = LiftGuard(since: moment.at)
        case .answered(let accepted): guards[index].answered(accepted, at: moment.at)
        case .event(let payload, let opcode): arrived(payload, opcode, index, user, moment.at)
        case .text(let payload):
            var message = message(user, moment.at)
            let verb = message.verb(payload)
            act(index, verb, moment.at, wants: message.sources)
        case .frame(let record):
            var message = message(user, moment.at)
            act(index, .frames([frame(record, &message)]), moment.at)
        case .bytes(let bytes): if !bytes.isEmpty { act(index, .sendBytes(bytes), moment.at) }
        case .close(let code, let reason): act(index, .close(code: Int(code), reason: reason), moment.at)
        case .end(let style): act(index, .cut(style == .reset ? "reset" : "half"), moment.at)
        case .closed: guards[index].closed(at: moment.at)
        }
    }

    /// A step of a client, behind the guards for what it (and whoever's values it says) had seen.
    private mutating func act(_ index: Int, _ verb: Plan.Verb, _ now: Instant, wants users: [String] = []) {
        for other in sessions.indices where users.contains(cast.roles[other].user) && other != index {
            wait(other, now)
        }
        wait(index, now)
        add(index, verb, at: now)
    }

    private mutating func wait(_ index: Int, _ now: Instant) {
        for verb in guards[index].take(bound: landmarks.bound, now: now) { add(index, verb) }
    }

    private mutating func add(_ index: Int, _ verb: Plan.Verb, at instant: Instant? = nil) {
        var step = Plan.Step(number: plan.steps.count + 1, user: cast.roles[index].user, verb: verb)
        if !verb.opens { step.connection = cast.roles[index].connection }
        plan.steps.append(step)
        acts.append(instant.map { ($0, index) })
    }

    private mutating func arrived(_ payload: ByteBuffer, _ opcode: Opcode, _ index: Int, _ user: String, _ now: Instant)
    {
        if let recognizer {
            for read in recognizer.recogniseAll(payload, opcode: opcode, direction: .toClient) {
                if let value = read.value { arrived(value, read.name ?? read.type, payload, index, user, now) }
            }
        } else if opcode == .text, let value = JSON.decode(payload).value {
            arrived(value, value["type"]?.string, payload, index, user, now)
        }
    }

    private mutating func arrived(
        _ value: JSON, _ name: String?, _ payload: ByteBuffer, _ index: Int, _ user: String, _ now: Instant
    ) {
        binding.observe(value, user: user)
        let run = binding.run(of: value, user: user)
        let isNew = run.map { $0 > runs[user] ?? 0 } ?? false
        if let run, isNew { runs[user] = run }
        if contract?.wire.format != .raw { values.note(LiftLeaf.all(in: payload), user: user, run: run) }
        guards[index].saw(name, isLandmark: isNew || name.map(landmarks.contains) ?? false, at: now)
    }

    private func message(_ user: String, _ now: Instant) -> LiftMessage {
        LiftMessage(
            user: user, principals: cast.principals, tags: cast.tags, binding: binding, values: values, uuids: uuids,
            now: epoch.map { $0.addingReportingOverflow(now.nanoseconds / 1_000_000_000).partialValue },
            isRaw: contract?.wire.format == .raw)
    }

    private func frame(_ record: FrameRecord, _ message: inout LiftMessage) -> Plan.FrameText {
        let frame = record.frame
        let bytes = Array(frame.payload.readableBytesView)
        var text = Plan.FrameText(
            fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, mask: frame.maskKey == nil ? .none : .drawn,
            payload: .bytes(bytes))
        if frame.opcode == .text || frame.opcode == .continuation || record.redacted,
            let words = String(validatingUTF8Bytes: bytes), let plain = message.plain(words)
        {
            text.payload = .text(plain)
        }
        let minimal = Frame(
            fin: frame.fin, rsv: frame.rsv, opcode: frame.opcode, maskKey: frame.maskKey, payload: frame.payload)
        if !record.redacted, frame.lengthForm != minimal.lengthForm || frame.declaredLength != minimal.declaredLength {
            text.length = Plan.FrameText.Length(form: frame.lengthForm, value: frame.declaredLength)
        }
        return text
    }

    /// Frames of one connection that follow each other become one step.
    private mutating func join() {
        var steps: [Plan.Step] = []
        var kept: [(at: Instant, session: Int)?] = []
        for (step, act) in zip(plan.steps, acts) {
            if case .frames(let more) = step.verb, let last = steps.last, case .frames(let frames) = last.verb,
                last.user == step.user, last.connection == step.connection, frames.count < 64
            {
                steps[steps.count - 1].verb = .frames(frames + more)
            } else {
                steps.append(step)
                kept.append(act)
            }
        }
        for index in steps.indices { steps[index].number = index + 1 }
        plan.steps = steps
        acts = kept
    }

    /// UUIDs that clients said once and no server before.
    private static func ownUUIDs(_ sessions: [LiftSession]) -> Set<String> {
        var said: [String: Int] = [:]
        var told: Set<String> = []
        let moments = sessions.flatMap(\.moments).sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        for moment in moments {
            switch moment.action {
            case .text(let payload):
                for found in LiftText.uuids(in: String(buffer: payload)) where !told.contains(found) {
                    said[found, default: 0] += 1
                }
            case .event(let payload, _):
                for found in LiftText.uuids(in: String(buffer: payload)) where said[found] == nil { told.insert(found) }
            default: break
            }
        }
        return Set(said.filter { $0.value == 1 }.keys)
    }
}
