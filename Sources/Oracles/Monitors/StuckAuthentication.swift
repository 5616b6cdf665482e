import Contracts
import Journaling

/// A connection that is neither let in nor refused for so long (incidents.md I5): its upgrade has no answer, or it was
/// accepted and never became ready.
struct StuckAuthentication: Monitor {
    static let id = "stuck-authentication"
    static let name = "stuck authentication"
    static let severity = Alert.Severity.high
    static let hears: SignalKinds = .moved

    private let bound: Duration
    private let ready: String?
    private struct Wait: Sendable {
        var since: Instant
        /// There was no room for its alert.
        var isUntold = false
    }
    private var waits: [SessionID: Wait] = [:]
    private var agenda = Agenda<SessionID>()

    var due: Instant? { agenda.first?.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let bound = rules.stuckAuthentication else { return nil }
        self.bound = bound
        ready = contract?.session?.ready
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        guard case .moved(let card, let state) = signal else { return }
        switch state {
        case .connecting: return
        case .upgrading:
            waits[card.session] = Wait(since: now)
            agenda.add(card.session, at: now.advanced(by: bound))
        case .authenticating: return
        case .open, .closing, .closed:
            guard let began = waits.removeValue(forKey: card.session)?.since else { return }
            let word = state == .open ? "open" : "closed"
            book.clear("\(word) after \(Wording.duration(began.duration(to: now)))", subject: UInt64(card.session.value), at: now)
        }
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        guard let item = agenda.removeFirst(), let wait = waits[item.subject], let known = scene[item.subject], !known.isTouched
        else { return }
        // Its answer may lie unread.
        if known.isHeld { return agenda.add(item.subject, at: now.advanced(by: max(bound, .seconds(1)))) }
        let what = known.state == .upgrading ? "no answer to the upgrade" : "accepted, without \(ready ?? "more")"
        let isTold = book.open(
            "\(what) for \(Wording.duration(max(bound, wait.since.duration(to: now))))", subject: UInt64(item.subject.value),
            of: known.card(item.subject), at: now, counts: !wait.isUntold)
        if isTold { return }
        waits[item.subject]?.isUntold = true
        agenda.add(item.subject, at: now.advanced(by: max(bound, .seconds(1))))
    }
}
