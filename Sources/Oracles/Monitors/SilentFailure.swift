import Contracts
import Journaling

/// No event for so long while sessions are active (incidents.md I5): something was asked, or a run is under way, and nobody
/// hears anything. Sessions that only stand there are not active.
struct SilentFailure: Monitor {
    static let id = "silent-failure"
    static let name = "silent failure"
    static let severity = Alert.Severity.critical
    static let needsEveryone = true
    static let hears: SignalKinds = [.event, .touched, .asked, .underWay, .rests, .over, .moved]

    private let bound: Duration
    /// The same, in nanoseconds.
    private let boundLength: Int64
    /// Connections whose client said something since the last event of anybody, and when it did first, in that order.
    private var asked: [(session: SessionID, at: Instant)] = []
    private var waiting: Set<SessionID> = []
    private var runs = LiveRuns()
    /// Of the last event that it was told of, or when the first of the runs under way began.
    private var since = Instant.zero
    private(set) var due: Instant?
    private var openSince: Instant?
    /// It woke while somebody was not read from, and looks again later.
    private var isPutOff = false

    /// As long as nobody waits for an event, each only moves the time at which it wakes: it looks then when the last one was.
    var spared: SignalKinds { asked.isEmpty && openSince == nil && !isPutOff ? [.event, .touched] : [] }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let bound = rules.silentFailure, let contract, !contract.events.isEmpty else { return nil }
        self.bound = bound
        boundLength = bound.nanoseconds
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        switch signal {
        case .event, .touched: hearWord(at: now, &book)
        case .asked(let session):
            guard waiting.insert(session).inserted else { return }
            asked.append((session, now))
        case .underWay(let run, let card):
            if runs.isEmpty { since = now }
            runs.enter(run, on: card.session)
        case .rests(let run, _), .over(let run, _, _): runs.leave(run)
        case .moved(let card, .closing), .moved(let card, .closed):
            guard waiting.remove(card.session) != nil else { return }
            asked.removeAll { $0.session == card.session }
        default: return
        }
        if openSince != nil, waiting.isEmpty, runs.isEmpty {
            book.clear("no session is active", at: now)
            openSince = nil
        }
        plan()
    }

    private mutating func hearWord(at now: Instant, _ book: inout AlertBook) {
        if let openSince { book.clear("an event after \(Wording.duration(openSince.duration(to: now)))", at: now) }
        openSince = nil
        since = now
        if asked.isEmpty { return }
        asked.removeAll(keepingCapacity: true)
        waiting.removeAll(keepingCapacity: true)
    }

    private mutating func plan() {
        isPutOff = false
        guard openSince == nil else { return due = nil }
        var first = asked.first?.at
        if !runs.isEmpty { first = min(first ?? since, since) }
        due = first?.advanced(nanoseconds: boundLength)
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        if let last = scene.lastWord, last > since {
            since = last
            plan()
            if let due, due > now { return }
        }
        // Who is not read from may have said anything.
        if asked.contains(where: { scene[$0.session]?.isHeld ?? false }) || runs.sessions.contains(where: { scene[$0]?.isHeld ?? false }) {
            isPutOff = true
            return due = now.advanced(by: max(bound, .seconds(1)))
        }
        let active = Set(asked.map(\.session)).union(runs.sessions).count
        openSince = now.advanced(by: .zero - bound)
        due = nil
        book.open("no event for \(Wording.duration(bound)) with \(Wording.count(active, "session")) active", at: now)
    }
}
