import Contracts
import Journaling

/// The monitors at work: one clock for all of them, which goes with the journal and stands still while nobody looked.
struct MonitorBoard: Sendable {
    private var monitors: [any Monitor] = []
    /// The place of each in the book.
    private var places: [Int] = []
    /// By the number of a kind of signal: the monitors that are told of it, a bit each. Most that is told concerns one or two.
    private var listeners: [UInt64]
    private var spared: [SignalKinds]
    /// When each of them wants to be woken, as it said last, in nanoseconds; the farthest future = not before it hears something.
    private var dues: [Int64]
    private var book = AlertBook()
    private(set) var watch: ConnectionWatch
    private(set) var vitals = Vitals()
    private var tracker: VitalsTracker
    private var signals: [Signal] = []
    /// On the monitors' clock: now, and when the next of them wants to be woken.
    private var now = Instant.zero
    private var due = Int64.max
    private var last: Instant?
    private var hasTicked = false
    /// Sessions of synthetic runs: nobody's.
    private var synthetic = SyntheticRuns()
    /// Between two entries of a journal that ticks every 100 ms: more, and miswire itself, or its machine, stood still.
    private static let mostSilence: Int64 = 1_000_000_000
    /// Between two entries of any other: a capture may hold days of which it knows nothing.
    private static let mostGap: Int64 = 86_400_000_000_000

    init(_ contract: Contract?, absence: Absence, seesFrames: Bool) {
        let session = contract?.session ?? SessionRules()
        let auth = contract?.auth ?? AuthRules()
        watch = ConnectionWatch(ready: session.ready, clean: session.clean + auth.close, seesFrames: seesFrames)
        tracker = VitalsTracker(hasRuns: !(contract?.runs.isEmpty ?? true))
        let rules = contract?.monitors ?? MonitorRules()
        for (place, type) in MonitorRegistry.all.enumerated() {
            let monitor = absence.holdsEverybody || !type.needsEveryone ? type.init(rules, contract) : nil
            book.enrol(MonitorStatus(id: type.id, name: type.name, severity: type.severity, isOn: monitor != nil))
            guard let monitor else { continue }
            monitors.append(monitor)
            places.append(place)
        }
        spared = monitors.map(\.spared)
        let hears = zip(monitors, spared).map { type(of: $0).hears.subtracting($1) }
        listeners = (0..<SignalKinds.RawValue.bitWidth).map { number in
            hears.indices.reduce(0) { hears[$1].contains(SignalKinds(rawValue: 1 << number)) ? $0 | 1 << UInt64($1) : $0 }
        }
        dues = monitors.map(\.next)
    }

    var alerts: [Alert] { book.alerts }
    var statuses: [MonitorStatus] { book.statuses }
    mutating func takeNews() -> [AlertChange] { book.takeNews() }

    var report: MonitorReport {
        var report = MonitorReport()
        report.statuses = book.statuses
        report.connections = ConnectionState.allCases.dropLast().map { ($0, watch.counts[$0] ?? 0) }
        report.vitals = vitals
        return report
    }

    // MARK: Time

    /// The journal has come so far: what is due before this entry is told first.
    mutating func advance(to entry: Entry) {
        if entry.body.isTick { hasTicked = true }
        advance(to: entry.instant)
    }

    mutating func conclude(at end: Instant) { advance(to: end) }

    private mutating func advance(to instant: Instant) {
        guard let before = last else {
            last = instant
            return now = instant
        }
        guard instant > before else { return }
        last = instant
        let (length, overflow) = instant.nanoseconds.subtractingReportingOverflow(before.nanoseconds)
        let gap = overflow ? .max : length
        let seen = min(gap, hasTicked ? Self.mostSilence : Self.mostGap)
        let target = now.advanced(nanoseconds: seen)
        if due < target.nanoseconds { wake(before: target) }
        now = target
        if seen < gap { book.shift += .nanoseconds(gap - seen) }
    }

    private mutating func wake(before limit: Instant) {
        while due < limit.nanoseconds, let index = dues.firstIndex(of: due) {
            book.speaker = places[index]
            take(monitors[index].woken(at: Instant(nanoseconds: due), watch, &book), from: index)
        }
    }

    // MARK: What happens

    mutating func observe(_ entry: Entry, _ pulses: inout [Pulse]) {
        // Nearly everything is, and says nothing of its connection.
        if !entry.body.isOfMessage {
            synthetic.observe(entry)
            watch.observe(entry, &signals)
            if !signals.isEmpty { tellSignals() }
        }
        guard !pulses.isEmpty else { return }
        hear(pulses.span)
        while pulses.popLast() != nil {}
    }

    private mutating func hear(_ pulses: Span<Pulse>) {
        for place in pulses.indices { hear(pulses[place]) }
    }

    private mutating func hear(_ pulse: Pulse) {
        let session = pulse.session
        switch pulse.what {
        case .asked: tell(.asked(session))
        case .event(let isError, let isReady):
            if isReady {
                watch.becomeReady(session, &signals)
                if !signals.isEmpty { tellSignals() }
            }
            tell(.event(session, isError: isError))
        case .heard:
            if let ready = watch.ready, let known = watch[session], known.state == .authenticating, !known.isObscured, !known.isTouched {
                tell(.invalid(known.card(session), "authenticating: \(pulse.type) before \(ready)"))
            }
            tell(.heard(pulse.run, session, type: pulse.type))
        case .began: tell(.began(pulse.run, session))
        case .entered(let isBounded): tell(isBounded ? .underWay(pulse.run, watch.card(session)) : .rests(pulse.run, session))
        case .over(let end): tell(.over(pulse.run, session, end))
        case .obscured: watch.obscure(session)
        }
    }

    /// The readings that it has a use for.
    static let hears: ReadingKinds = [.early, .conduct, .run]

    /// What was settled by an entry, or by a deadline before the next.
    mutating func hear(_ reading: Reading) {
        switch reading {
        case .early(let early):
            signals.append(.invalid(card(early.evidence), "upgrading: \(early.what) before the accept"))
        case .conduct(let conducted):
            if case .wrote(.afterClose, let evidence) = conducted.outcome {
                signals.append(.invalid(card(evidence), "closing: data behind the server's own Close"))
            }
        case .settled(let obligation, .missed(let bound, let evidence)):
            if let run = Self.run(obligation) {
                signals.append(.unpaired(card(evidence), "\(run.name): no \(run.expected) within \(Wording.duration(bound))"))
            }
        case .settled(let obligation, .broken(let how, _, let evidence)):
            if let run = Self.run(obligation) {
                signals.append(.unpaired(card(evidence), "\(run.name): no \(run.expected), \(how)"))
            }
        default: break
        }
        if !signals.isEmpty { tellSignals() }
    }

    /// What a run is called, and what should have come of it; nil of any other obligation.
    private static func run(_ obligation: Obligation) -> (name: String, expected: String)? {
        guard case .run(let name, let key, _, let expected, _, _) = obligation else { return nil }
        return (Terminal.plain(key.map { "\(name) \($0)" } ?? name), expected)
    }

    private func card(_ evidence: Evidence) -> ConnectionCard {
        guard let session = evidence.sessions.first else { return ConnectionCard(session: SessionID(0), user: evidence.users.first) }
        return ConnectionCard(session: session, user: watch[session]?.user ?? evidence.users.first)
    }

    private mutating func tellSignals() {
        for signal in signals { tell(signal) }
        signals.removeAll(keepingCapacity: true)
    }

    private mutating func tell(_ signal: Signal) {
        if !synthetic.isEmpty, synthetic.holds(signal.session) { return }
        let kind = signal.kind
        vitals.hasRuns = tracker.hasRuns
        if !kind.isDisjoint(with: [.event, .touched]) { watch.lastWord = now }
        if VitalsTracker.hears.contains(kind) { tracker.hear(signal, at: now, &vitals) }
        var rest = listeners[kind.number]
        while rest != 0 {
            let index = rest.trailingZeroBitCount
            rest &= rest &- 1
            book.speaker = places[index]
            take(monitors[index].told(signal, at: now, &book), from: index)
        }
    }

    private mutating func take(_ turn: Turn, from index: Int) {
        let before = dues[index]
        dues[index] = turn.due
        if turn.due < due {
            due = turn.due
        } else if before == due, turn.due != before {
            due = dues.min() ?? .max
        }
        if turn.spared != spared[index] { spare(turn.spared, index) }
    }

    private mutating func spare(_ kinds: SignalKinds, _ index: Int) {
        let hears = type(of: monitors[index]).hears
        var changed = spared[index].symmetricDifference(kinds).intersection(hears).rawValue
        while changed != 0 {
            listeners[changed.trailingZeroBitCount] ^= 1 << UInt64(clamping: index)
            changed &= changed &- 1
        }
        spared[index] = kinds
    }
}

/// What a monitor wants when it has had its turn.
private struct Turn {
    /// To be woken then, in nanoseconds.
    var due: Int64
    var spared: SignalKinds
}

extension Monitor {
    /// When it wants to be woken, in nanoseconds.
    fileprivate var next: Int64 { due?.nanoseconds ?? .max }

    /// In one turn, for which it is taken from its box once.
    fileprivate mutating func told(_ signal: Signal, at now: Instant, _ book: inout AlertBook) -> Turn {
        hear(signal, at: now, &book)
        return Turn(due: next, spared: spared)
    }

    fileprivate mutating func woken(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) -> Turn {
        wake(at: now, scene, &book)
        return Turn(due: next, spared: spared)
    }
}

/// Where monitors and properties stand while traffic flows.
package struct MonitorReport: Sendable {
    package var statuses: [MonitorStatus] = []
    /// Live connections by their state.
    package var connections: [(state: ConnectionState, count: Int)] = []
    package var vitals = Vitals()
    package var properties: [PropertySummary] = []
    package var errorsDelivered = 0
    package var errorKinds = 0
    package init() {}
}
