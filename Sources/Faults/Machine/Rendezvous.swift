import Journaling
import Synchronization

/// What a parcel waits for, beside time.
package struct Waiting: Sendable, Hashable {
    package enum Occasion: Sendable, Hashable {
        /// So many users, this one among them, wait at the same rule. Not counted apart: so many sessions.
        case gathering(Int, apart: Bool)
        /// So many other users are connected.
        case others(Int)
        /// A run of another user is open.
        case run
    }
    package var occasion: Occasion
    package var most: Duration
    package init(_ occasion: Occasion, most: Duration) {
        self.occasion = occasion
        self.most = most
    }
}

/// Cuts in a row, at instants that are the same for all whom they concern.
package struct Storm: Sendable, Hashable {
    package enum Style: Sendable, Hashable {
        case reset, half
        /// A Close with that code to the client, one with 1001 to the server, then FIN to both.
        case close(UInt16)
    }
    package var times: Int
    package var every: Duration
    package var style: Style
    package init(times: Int, every: Duration, style: Style) {
        self.times = times
        self.every = every
        self.style = style
    }

    /// The first cut at or behind `instant`, from 0, and when it is; nil when all are past.
    func next(from began: Instant, at instant: Instant) -> (round: Int, due: Instant)? {
        for round in 0..<max(0, times) {
            let due = began.advanced(by: every * round)
            if due >= instant { return (round, due) }
        }
        return nil
    }
}

/// Where the sessions of one proxy meet, across its loops: who is connected, whose runs are open, who waits for whom. What it
/// answers depends on who came and never on threads; a session that changes something for others is told so, and lets its
/// shell tell them.
package final class Rendezvous: Sendable {
    private struct Round {
        var number: UInt64
        var members: [String]
        var until: Instant
        var isFull = false
    }
    private struct State {
        var rounds: [String: Round] = [:]
        var last: UInt64 = 0
        var storms: [String: (storm: Storm, began: Instant)] = [:]
        /// Sessions, and open runs, by user.
        var connected: [String: Int] = [:]
        var running: [String: Int] = [:]
        /// Parcels that wait for one of these.
        var waiting = 0
    }
    private let state = Mutex(State())

    package init() {}

    // MARK: Gatherings

    /// One more has come to where `needed` wait for each other. A round that is full, or whose time is over, is followed by a
    /// new one.
    /// - Returns: nil when that member waits there already; else the round, when it ends at the latest, and whether it is full.
    func join(_ rule: String, _ member: String, needed: Int, most: Duration, at now: Instant) -> (
        round: UInt64, until: Instant, isFull: Bool
    )? {
        state.withLock { state in
            var round = state.rounds[rule] ?? Round(number: 0, members: [], until: now, isFull: true)
            if round.isFull || round.until <= now {
                state.last &+= 1
                round = Round(number: state.last, members: [], until: now.advanced(by: most))
            }
            if round.members.contains(member) { return nil }
            round.members.append(member)
            round.isFull = round.members.count >= needed
            state.rounds[rule] = round
            return (round.number, round.until, round.isFull)
        }
    }

    func isFull(_ rule: String, _ number: UInt64) -> Bool {
        state.withLock { state in
            guard let round = state.rounds[rule] else { return false }
            return round.number == number && round.isFull
        }
    }

    /// Whoever waits no longer does not count.
    func quit(_ rule: String, _ number: UInt64, _ member: String) {
        state.withLock { state in
            guard let round = state.rounds[rule], round.number == number, !round.isFull else { return }
            state.rounds[rule]?.members.removeAll { $0 == member }
        }
    }

    // MARK: Who is here

    /// - Returns: whether somebody waits for this.
    func count(connected user: String, by change: Int) -> Bool {
        state.withLock { state in
            Self.count(user, change, &state.connected)
            return state.waiting > 0
        }
    }

    func count(runs user: String, by change: Int) -> Bool {
        state.withLock { state in
            Self.count(user, change, &state.running)
            return state.waiting > 0
        }
    }

    private static func count(_ user: String, _ change: Int, _ counts: inout [String: Int]) {
        let left = (counts[user] ?? 0) + change
        counts[user] = left > 0 ? left : nil
    }

    func countWaiting(by change: Int) { state.withLock { $0.waiting = max(0, $0.waiting + change) } }

    func others(than user: String) -> Int {
        state.withLock { $0.connected.count - ($0.connected[user] == nil ? 0 : 1) }
    }

    func isRunning(otherThan user: String) -> Bool {
        state.withLock { $0.running.count > ($0.running[user] == nil ? 0 : 1) }
    }

    // MARK: Storms

    /// - Returns: false while one of that rule is not over.
    func begin(_ storm: Storm, of rule: String, at now: Instant) -> Bool {
        state.withLock { state in
            if let last = state.storms[rule], last.storm.next(from: last.began, at: now) != nil { return false }
            state.storms[rule] = (storm, now)
            return true
        }
    }

    func isStorming(_ rule: String, at now: Instant) -> Bool {
        state.withLock { state in
            state.storms[rule].map { $0.storm.next(from: $0.began, at: now) != nil } ?? false
        }
    }

    /// The next cut of that rule at or behind an instant.
    func cut(of rule: String, at instant: Instant) -> (storm: Storm, round: Int, due: Instant)? {
        state.withLock { state in
            guard let (storm, began) = state.storms[rule], let next = storm.next(from: began, at: instant) else { return nil }
            return (storm, next.round, next.due)
        }
    }
}
