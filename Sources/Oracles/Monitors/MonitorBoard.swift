import Contracts
import Journaling

/// The monitors at work: one clock for all of them, which goes with the journal and stands still while nobody looked.
struct MonitorBoard: Sendable {
    private struct Seat: Sendable {
        var monitor: any Monitor
        /// Its place in the book.
        let place: Int
        let hears: SignalKinds
        /// When it wants to be woken, as it said last.
        var due: Instant?

        mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
            book.speaker = place
            monitor.hear(signal, at: now, &book)
            due = monitor.due
        }

        mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
            book.speaker = place
            monitor.wake(at: now, scene, &book)
            due = monitor.due
        }
    }
    private var seats: [Seat] = []
    private var book = AlertBook()
    private(set) var watch: ConnectionWatch
    private(set) var vitals = Vitals()
    private var tracker: VitalsTracker
    private var signals: [Signal] = []
    /// On the monitors' clock: now, and when the next of them wants to be woken.
    private var now = Instant.zero
    private var due: Instant?
    private var last: Instant?
    private var hasTicked = false
    /// Sessions of synthetic runs: nobody's.
    private var synthetic = SyntheticRuns()
    /// Between two entries of a journal that ticks every 100 ms: more, and miswire itself, or its machine, stood still.
    private static let mostSilence: Duration = .seconds(1)
    /// Between two entries of any other: a capture may hold days of which it knows nothing.
    private static let mostGap: Duration = .seconds(86_400)

    init(_ contract: Contract?, absence: Absence, seesFrames: Bool) {
        let session = contract?.session ?? SessionRules()
        let auth = contract?.auth ?? AuthRules()
        watch = ConnectionWatch(ready: session.ready, clean: session.clean + auth.close, seesFrames: seesFrames)
        tracker = VitalsTracker(hasRuns: !(contract?.runs.isEmpty ?? true))
        let rules = contract?.monitors ?? MonitorRules()
        for (place, type) in MonitorRegistry.all.enumerated() {
            let monitor = absence.holdsEverybody || !type.needsEveryone ? type.init(rules, contract) : nil
            book.enrol(MonitorStatus(id: type.id, name: type.name, severity: type.severity, isOn: monitor != nil))
            if let monitor { seats.append(Seat(monitor: monitor, place: place, hears: type.hears)) }
        }
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
        let gap = before.duration(to: instant)
        let seen = min(gap, hasTicked ? Self.mostSilence : Self.mostGap)
        let target = now.advanced(by: seen)
        wake(before: target)
        now = target
        if seen < gap { book.shift += gap - seen }
    }

    private mutating func wake(before limit: Instant) {
        while let next = due, next < limit {
            guard let index = seats.indices.first(where: { seats[$0].due == next }) else { break }
            seats[index].wake(at: next, watch, &book)
            plan()
        }
    }

    private mutating func plan() {
        due = nil
        for index in seats.indices {
            if let next = seats[index].due, due.map({ next < $0 }) ?? true { due = next }
        }
    }

    // MARK: What happens

    mutating func observe(_ entry: Entry, _ pulses: inout [Pulse]) {
        synthetic.observe(entry)
        watch.observe(entry, &signals)
        // Most of an entry's are of one connection.
        var card: ConnectionCard?
        for pulse in pulses {
            let known = card?.session == pulse.session ? card : nil
            card = translate(pulse, of: known ?? watch.card(pulse.session))
        }
        pulses.removeAll(keepingCapacity: true)
        if !signals.isEmpty { tell() }
    }

    /// - Returns: the card, which no pulse changes.
    private mutating func translate(_ pulse: Pulse, of card: ConnectionCard) -> ConnectionCard {
        switch pulse.kind {
        case .asked: signals.append(.asked(card))
        case .event(let mark, let name):
            if let ready = watch.ready, ready == name || ready == mark.title { watch.becomeReady(pulse.session, &signals) }
            signals.append(.event(card, mark))
        case .run(let number, let step):
            if watch.ready != nil, case .heard(let type) = step, let known = watch[pulse.session], known.state == .authenticating,
                !known.isObscured, !known.isTouched
            {
                signals.append(.invalid(card, "authenticating: \(type) before \(watch.ready ?? "it is ready")"))
            }
            signals.append(.run(number, card, step))
        case .obscured: watch.obscure(pulse.session)
        }
        return card
    }

    /// What was settled by an entry, or by a deadline before the next.
    mutating func hear(_ readings: [Reading]) {
        for reading in readings {
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
        }
        if !signals.isEmpty { tell() }
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

    private mutating func tell() {
        for signal in signals where !synthetic.holds(signal.session) {
            tracker.hear(signal, at: now, &vitals)
            let kind = signal.kind
            for index in seats.indices where seats[index].hears.contains(kind) {
                seats[index].hear(signal, at: now, &book)
            }
        }
        signals.removeAll(keepingCapacity: true)
        plan()
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
