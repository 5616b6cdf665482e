import Contracts
import Journaling

/// An operation of a user went with its connection, and may go on at another until then.
struct Bereavement: Sendable {
    var since: Instant
    var until: Instant
    /// What was open there, the last few: an error that comes later may be for one of these.
    var requests: [Request] = []
    var runs: [Run] = []
    /// A capture lacks it, so it may have been anything.
    var isUnknown = false
    private static let most = 32

    mutating func add(_ requests: [Request], _ runs: [Run]) {
        self.requests = (self.requests + requests).suffix(Self.most)
        self.runs = (self.runs + runs).suffix(Self.most)
    }
}

/// What was lost with connections, and may go on elsewhere or never come.
extension Reader {
    /// Words that left behind the client's end: a server may act on them, and nobody knows which it still heard.
    mutating func mayStillBeHeard(_ user: Principal, at: Instant) {
        bereave(user, at: at) { $0.isUnknown = true }
    }

    /// From now on for as long as something may be waited for, or longer when more was lost before.
    mutating func bereave(_ user: Principal, at: Instant, _ change: (inout Bereavement) -> Void) {
        let until = longestWait(from: at)
        let known = isBereaved(user, at: at) ? bereaved[user] : nil
        var loss = known ?? Bereavement(since: at, until: until)
        loss.until = max(loss.until, until)
        change(&loss)
        bereaved.set(user, loss, renews: true)
    }

    /// When everything that was asked for now must have been answered.
    func longestWait(from at: Instant) -> Instant {
        contract?.longestWait.map { at.advanced(by: $0) } ?? .distantFuture
    }

    /// What was open on it may go on at another connection, as long as its bounds allow.
    mutating func bereave(_ session: Session, at: Instant) {
        keepsAtWork(session, at: at)
        guard !session.runs.isEmpty || !session.open.isEmpty || session.obscured != nil, contract != nil else { return }
        // One that was settled and still haunts its connection may be answered as well.
        let ghosts = session.ghosts.filter { !$0.wasAnswered && $0.isSpared }.map(\.request)
        let asked = ghosts + session.open.compactMap { requests[$0] }
        let under = session.runs.compactMap { runs[$0] }
        bereave(session.user, at: at) { $0.add(asked, under) }
    }

    /// An error that may be for what was lost with a connection of its user.
    func mayBeOfTheLost(_ event: Event, _ kind: String?) -> Bool {
        guard let contract, let loss = bereaved[event.user], isBereaved(event.user, at: event.at) else { return false }
        if loss.isUnknown { return true }
        let isAsked = loss.requests.contains { request in
            guard Self.match(request.links, event.links) != .unequal else { return false }
            switch request.waits {
            case .refusal(let rule, _): return contract.reject.indices.contains(rule) && contract.reject[rule].allows(kind: kind)
            case .start:
                let name = request.recognition.rule.flatMap { contract.requests.indices.contains($0) ? contract.requests[$0].starts : nil }
                return request.isOdd || contract.runs.contains { $0.name == name && allows($0, kind) }
            case .answer, .nothing: return true
            }
        }
        return isAsked || loss.runs.contains { run in
            contract.runs.indices.contains(run.rule) && allows(contract.runs[run.rule], kind)
                && Self.match(run.links, event.links) != .unequal
        }
    }

    /// A run that begins for one request may be what another asked for on a connection of the user that is lost.
    @inline(__always)
    func mayStartWhatWasLost(_ event: Event, instead taker: Taker) -> Bool {
        guard let loss = bereaved[event.user], isBereaved(event.user, at: event.at) else { return false }
        let isNamed = taker.isExclusive && requests[taker.number]?.session == event.session
        if loss.isUnknown, !isNamed { return true }
        return loss.requests.contains { request in
            guard case .start = request.waits else { return false }
            switch Self.match(request.links, event.links) {
            case .equal: return true
            case .never: return !taker.isExclusive
            case .unequal: return false
            }
        }
    }

    func isBereaved(_ user: Principal, at: Instant) -> Bool {
        guard let loss = bereaved[user] else { return false }
        if at <= loss.until { return true }
        // As much later as nobody looked.
        guard let id = members[user]?.first else { return false }
        let held = held(id, .user, since: loss.since, until: at)
        return held != .none && at <= loss.until.advanced(by: held.time).advanced(by: Self.catchUp)
    }
}
