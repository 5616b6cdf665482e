import Journaling

/// Instants at which something is due, soonest first, equal ones in the order in which they were asked for. What is
/// settled in the meantime stays in the heap until it is due and is then found to be stale.
struct Deadlines: Sendable {
    enum Subject: Sendable, Hashable {
        case greeting(SessionID)
        case authentication(SessionID)
        /// The answer to the client's oldest heartbeat.
        case heartbeat(SessionID)
        /// By its number.
        case request(UInt64)
        case run(UInt64)
        case part(run: UInt64, number: UInt64)
        /// An expectation, by its number.
        case stated(UInt64)
        /// What a connection owes as a WebSocket peer.
        case reaction(SessionID)
        /// The grace of a credential that has ended is over.
        case expiry(SessionID)
    }
    typealias Item = Agenda<Subject>.Item

    private var agenda = Agenda<Subject>()

    mutating func add(_ subject: Subject, at due: Instant) { agenda.add(subject, at: due) }

    /// The soonest that is due before `limit`.
    mutating func next(before limit: Instant) -> Item? {
        guard let first = agenda.first, first.due < limit else { return nil }
        return agenda.removeFirst()
    }
}

/// One bound that runs.
struct Pending: Sendable {
    var since: Instant
    var bound: Duration
    var due: Instant
    var mark: Starvation.Mark?
    /// It is due, and waits until then for proof that our own loops were awake.
    var proofDue: Instant?
    var isOverdue: Bool { proofDue != nil }

    init(since: Instant, bound: Duration, mark: Starvation.Mark?) {
        self.since = since
        self.bound = bound
        self.mark = mark
        due = since.advanced(by: bound)
    }
}
