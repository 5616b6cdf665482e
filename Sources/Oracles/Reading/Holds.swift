import Journaling

/// When one side of a session was not read from, in order and without overlap; the last may still last.
struct Holds: Sendable {
    struct Span: Sendable, Equatable {
        var since: Instant
        /// Nil: still.
        var until: Instant?
    }
    /// Beyond it the two neighbours that are closest together are taken for one: a reader that stops and goes on all the
    /// time is credited a little more, and memory stays bounded.
    private static let most = 256

    private(set) var spans: [Span] = []
    private(set) var cause = HoldRecord.Cause.full

    var isHeld: Bool { spans.last.map { $0.until == nil } ?? false }

    mutating func observe(_ hold: HoldRecord, at: Instant) {
        if hold.isHeld == isHeld { return }
        guard hold.isHeld else {
            spans[spans.count - 1].until = at
            return
        }
        cause = hold.cause
        spans.append(Span(since: at, until: nil))
        if spans.count > Self.most { join() }
    }

    private mutating func join() {
        func gap(before index: Int) -> Duration {
            (spans[index - 1].until ?? spans[index].since).duration(to: spans[index].since)
        }
        var best = 1
        for index in 2..<spans.count where gap(before: index) < gap(before: best) { best = index }
        spans[best - 1].until = spans[best].until
        spans.remove(at: best)
    }
}

/// How much of a bound was spent with reads held, by any of several sessions.
struct Held: Sendable, Equatable {
    /// Time at which at least one was held.
    var time = Duration.zero
    /// When the last of them was released.
    var releasedAt: Instant?
    /// One is held still.
    var isHeld = false

    static let none = Held()

    init() {}

    init(_ spans: [Holds.Span], since: Instant, until: Instant) {
        var covered = since
        let inside = spans.filter { $0.since <= until && ($0.until ?? until) > since }.sorted { $0.since < $1.since }
        for span in inside {
            let end = min(span.until ?? until, until)
            if let released = span.until, released <= until {
                releasedAt = max(releasedAt ?? released, released)
            } else {
                isHeld = true
            }
            let begin = max(span.since, covered)
            guard end > begin else { continue }
            time += begin.duration(to: end)
            covered = end
        }
    }

    /// The last instant at which what `pending` waits for is in time, given that much of it was not looked at: what came
    /// while nobody read needs a moment to be read as well.
    func allowance(_ pending: Pending, catchUp: Duration) -> Instant {
        let credited = pending.due.advanced(by: time)
        return max(credited, releasedAt?.advanced(by: catchUp) ?? credited)
    }
}
