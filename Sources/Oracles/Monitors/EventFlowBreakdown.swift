import Contracts
import Journaling

/// A run that is under way and has no event for so long (incidents.md I5). In states without a bound nothing is under way.
struct EventFlowBreakdown: Monitor {
    static let id = "event-flow-breakdown"
    static let name = "event flow breakdown"
    static let severity = Alert.Severity.high
    static let hears: SignalKinds = [.underWay, .rests, .heard, .over, .touched, .moved]

    private struct Run: Sendable {
        var card: ConnectionCard
        var last: Instant
        /// It stands in the agenda, at most once.
        var isPlanned = true
        /// There was no room for its alert.
        var isUntold = false

        /// Plans it. Returns when it was heard last, and whether it was planned then.
        mutating func hear(at now: Instant) -> (at: Instant, isPlanned: Bool) {
            defer { (last, isPlanned, isUntold) = (now, true, false) }
            return (last, isPlanned)
        }
    }
    private let bound: Duration
    /// Those under way, each at its place; whoever leaves gives it up.
    private var places = NumberPlaces()
    private var runs: [Run?] = []
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
        case .underWay(let number, let card):
            guard places[number] == nil else { return }
            let place = places.add(number)
            if place < runs.count { runs[place] = Run(card: card, last: now) } else { runs.append(Run(card: card, last: now)) }
            agenda.add(number, at: now.advanced(by: bound))
        case .rests(let number, _): leave(number, "nothing more is due", at: now, &book)
        case .heard(let number, _, let type):
            guard let place = places[number], let last = runs[place]?.hear(at: now) else { return }
            book.clear("\(type) after \(Wording.duration(last.at.duration(to: now)))", subject: number, at: now)
            if !last.isPlanned { agenda.add(number, at: now.advanced(by: bound)) }
        case .over(let number, _, let end):
            let words = end == .completed || end == .failed ? "the run is over" : "its connection is gone"
            leave(number, words, at: now, &book)
        case .touched(let card): touched[card.session] = now
        case .moved(let card, .closed): touched[card.session] = nil
        default: return
        }
    }

    private mutating func leave(_ number: UInt64, _ words: String, at now: Instant, _ book: inout AlertBook) {
        guard let place = places.remove(number) else { return }
        runs[place] = nil
        book.clear(words, subject: number, at: now)
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        guard let number = agenda.removeFirst()?.subject, let place = places[number], let run = runs[place] else { return }
        let last = max(run.last, touched[run.card.session] ?? run.last)
        // What is not read may have been said long ago.
        let isHeld = scene[run.card.session]?.isHeld ?? false
        let next = isHeld ? now.advanced(by: max(bound, .seconds(1))) : last.advanced(by: bound)
        if next > now { return agenda.add(number, at: next) }
        runs[place]?.isPlanned = false
        let card = scene[run.card.session] == nil ? run.card : scene.card(run.card.session)
        let silence = Wording.duration(run.isUntold ? last.duration(to: now) : bound)
        let words = "run r-\(number) is under way without an event for \(silence)"
        if book.open(words, subject: number, of: card, at: now, counts: !run.isUntold) { return }
        runs[place]?.isUntold = true
        runs[place]?.isPlanned = true
        agenda.add(number, at: now.advanced(by: max(bound, .seconds(1))))
    }
}
