import Contracts
import Journaling

/// A run that is under way and has no event for so long (incidents.md I5). In states without a bound nothing is under way.
struct EventFlowBreakdown: Monitor {
    static let id = "event-flow-breakdown"
    static let name = "event flow breakdown"
    static let severity = Alert.Severity.high
    static let hears: SignalKinds = [.run, .touched, .moved]

    private struct Run: Sendable {
        var card: ConnectionCard
        var last: Instant
        /// It stands in the agenda, at most once.
        var isPlanned = true
        /// There was no room for its alert.
        var isUntold = false
    }
    private let bound: Duration
    private var runs: [UInt64: Run] = [:]
    private var agenda = Agenda<UInt64>()
    /// When faults of ours last acted on what a server said.
    private var touched: [SessionID: Instant] = [:]

    var due: Instant? { agenda.first?.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let bound = rules.eventFlowBreakdown, let contract, !contract.runs.isEmpty else { return nil }
        self.bound = bound
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        switch signal {
        case .run(let number, let card, .entered(isBounded: true)):
            guard runs[number] == nil else { return }
            runs[number] = Run(card: card, last: now)
            agenda.add(number, at: now.advanced(by: bound))
        case .run(let number, _, .entered(isBounded: false)): leave(number, "nothing more is due", at: now, &book)
        case .run(let number, _, .heard(let type)):
            guard let place = runs.index(forKey: number) else { return }
            let last = runs.values[place].last
            book.clear("\(type) after \(Wording.duration(last.duration(to: now)))", subject: number, at: now)
            runs.values[place].last = now
            runs.values[place].isUntold = false
            if !runs.values[place].isPlanned {
                runs.values[place].isPlanned = true
                agenda.add(number, at: now.advanced(by: bound))
            }
        case .run(let number, _, .over(let end)):
            let words = end == .completed || end == .failed ? "the run is over" : "its connection is gone"
            leave(number, words, at: now, &book)
        case .touched(let card): touched[card.session] = now
        case .moved(let card, .closed): touched[card.session] = nil
        default: return
        }
    }

    private mutating func leave(_ number: UInt64, _ words: String, at now: Instant, _ book: inout AlertBook) {
        guard runs.removeValue(forKey: number) != nil else { return }
        book.clear(words, subject: number, at: now)
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        guard let number = agenda.removeFirst()?.subject, let run = runs[number] else { return }
        let last = max(run.last, touched[run.card.session] ?? run.last)
        // What is not read may have been said long ago.
        let isHeld = scene[run.card.session]?.isHeld ?? false
        let next = isHeld ? now.advanced(by: max(bound, .seconds(1))) : last.advanced(by: bound)
        if next > now { return agenda.add(number, at: next) }
        runs[number]?.isPlanned = false
        let card = scene.connections[run.card.session] == nil ? run.card : scene.card(run.card.session)
        let silence = Wording.duration(run.isUntold ? last.duration(to: now) : bound)
        let words = "run r-\(number) is under way without an event for \(silence)"
        if book.open(words, subject: number, of: card, at: now, counts: !run.isUntold) { return }
        runs[number]?.isUntold = true
        runs[number]?.isPlanned = true
        agenda.add(number, at: now.advanced(by: max(bound, .seconds(1))))
    }
}
