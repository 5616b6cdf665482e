import Contracts
import Journaling

/// More authentications fail than may (incidents.md I5). Credentials that faults of ours spoilt do not count.
struct AuthFailureRate: Monitor {
    static let id = "auth-failures"
    static let name = "auth failure rate"
    static let severity = Alert.Severity.warning
    static let needsEveryone = true
    static let hears: SignalKinds = [.refused, .moved, .closed, .event]

    /// Three strangers who try their luck are no rate.
    private static let fewest = 20
    private let limit: Share
    private let auth: AuthRules
    private var shares: ShareWatch
    /// Accepted, and not yet for so long that a close is no refusal any more.
    private struct Guest: Sendable {
        var card: ConnectionCard
        /// Nothing more has to come for it to be in.
        var isOpen = false
    }
    private var undecided: [SessionID: Guest] = [:]
    /// Those of them to whom the server has said nothing but errors.
    private var unserved: Set<SessionID> = []
    private var agenda = Agenda<SessionID>()

    var spared: SignalKinds { unserved.isEmpty ? .event : [] }
    var due: Instant? {
        guard let next = agenda.first?.due, let other = shares.due else { return agenda.first?.due ?? shares.due }
        return min(next, other)
    }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let limit = rules.authFailures else { return nil }
        self.limit = limit
        auth = contract?.auth ?? AuthRules()
        shares = ShareWatch(limit: limit, fewest: Self.fewest)
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        switch signal {
        case .refused(let card, let status): if auth.refuse.contains(status) { decide(false, card, at: now, &book) }
        case .moved(let card, .authenticating): enter(Guest(card: card))
        case .moved(let card, .open):
            // Whoever was ready by an event of the contract is known to be in.
            if undecided[card.session] != nil { return decide(true, card, at: now, &book) }
            enter(Guest(card: card, isOpen: true))
            agenda.add(card.session, at: now.advanced(by: auth.within))
        case .closed(let card, let code):
            guard undecided[card.session] != nil, auth.close.contains(code) else { return }
            decide(false, card, at: now, &book)
        case .event(let session, let isError): if !isError { unserved.remove(session) }
        case .moved(let card, .closed):
            // Short visits are visits: whoever left by himself, or was served, was in. Of the others nobody knows.
            let isServed = unserved.remove(card.session) == nil
            guard let guest = undecided.removeValue(forKey: card.session), guest.isOpen, isServed || card.leftBy == .client
            else { return }
            decide(true, card, at: now, &book)
        default: return
        }
    }

    private mutating func enter(_ guest: Guest) {
        undecided[guest.card.session] = guest
        unserved.insert(guest.card.session)
    }

    private mutating func decide(_ isIn: Bool, _ card: ConnectionCard, at now: Instant, _ book: inout AlertBook) {
        undecided[card.session] = nil
        unserved.remove(card.session)
        shares.add(bad: !isIn, of: card, at: now, &book) { [limit] in Self.words($0, limit) }
    }

    private static func words(_ totals: StepCounts.Totals, _ limit: Share) -> String {
        "\(Wording.share(totals.bad, of: totals.all)), \(Wording.count(totals.bad)) of \(Wording.count(totals.all)) in 5 min, at most \(limit)"
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        if let item = agenda.first, item.due <= now {
            _ = agenda.removeFirst()
            guard let guest = undecided[item.subject] else { return }
            return decide(true, guest.card, at: now, &book)
        }
        shares.wake(at: now, &book) { [limit] in Self.words($0, limit) }
    }
}
