import Contracts
import Journaling

/// What lies unread because of our own back-pressure, and the time that bounds are credited for it. A server is slow
/// only for as long as somebody listened to it.
extension Reader {
    /// How long it takes, at most, to read and hand on what queued.
    static let catchUp: Duration = .milliseconds(250)

    /// Whose silence counts.
    enum Audience {
        /// What is awaited comes on this connection.
        case connection
        /// It may come on any connection of the user.
        case user
    }

    mutating func readHold(_ hold: HoldRecord, _ entry: Entry, _ id: SessionID) {
        switch hold.side {
        case .server: sessions[id]?.unread.observe(hold, at: entry.instant)
        case .client:
            // Only a server that takes no more keeps its own requests waiting.
            guard hold.cause == .full || !hold.isHeld else { return }
            sessions[id]?.untaken.observe(hold, at: entry.instant)
        }
        if !hold.isHeld { revive(id, at: entry.instant) }
    }

    /// - Parameter needsDelivery: what is awaited cannot come before the server has taken what was handed to it.
    func held(
        _ id: SessionID, _ audience: Audience, needsDelivery: Bool = true, since: Instant, until: Instant
    ) -> Held {
        guard let session = sessions[id] else { return .none }
        var spans = session.unread.spans
        if needsDelivery { spans += session.untaken.spans }
        if audience == .user, let others = members[session.user], others.count > 1 {
            for other in others where other != id { spans += sessions[other]?.unread.spans ?? [] }
        }
        return spans.isEmpty ? .none : Held(spans, since: since, until: until)
    }

    func held(_ request: Request, since: Instant, until: Instant) -> Held {
        held(request.session, .user, since: since, until: until)
    }

    func held(_ run: Run, since: Instant, until: Instant) -> Held {
        let isWide = contract.map { $0.runs.indices.contains(run.rule) && $0.runs[run.rule].serverScope } ?? false
        // A run that has begun waits for nothing that the client says.
        return held(
            run.session, isWide || run.key == nil ? .user : .connection, needsDelivery: run.key == nil, since: since,
            until: until)
    }

    /// It came after its bound. Asked before `isLate`, which is given all of a reader.
    static func isBehind(_ event: Event, _ pending: Pending) -> Bool {
        if event.at <= pending.due { return false }
        // A loop that ticks may be a tick and half of another behind without being called late itself.
        return event.at > pending.due.advanced(by: pending.mark == nil ? .zero : .nanoseconds(Starvation.patience))
    }

    /// It came after its bound, and not because nobody read.
    func isLate(_ event: Event, for pending: Pending) -> Bool {
        guard Self.isBehind(event, pending) else { return false }
        let held = held(event.session, .connection, since: pending.since, until: event.at)
        return held == .none || (!held.isHeld && event.at > held.allowance(pending, catchUp: Self.catchUp))
    }

    /// Bounds that ran out while reads were held are looked at now.
    private mutating func revive(_ id: SessionID, at now: Instant) {
        guard let user = sessions[id]?.user else { return }
        for member in members[user] ?? [] { reviveBounds(of: member, at: now) }
    }

    private mutating func reviveBounds(of id: SessionID, at now: Instant) {
        guard let session = sessions[id] else { return }
        if session.greeting?.proofDue == .distantFuture {
            sessions[id]?.greeting?.proofDue = now
            deadlines.add(.greeting(id), at: now)
        }
        if session.authentication?.proofDue == .distantFuture {
            sessions[id]?.authentication?.proofDue = now
            deadlines.add(.authentication(id), at: now)
        }
        if session.beat?.pending.proofDue == .distantFuture {
            sessions[id]?.beat?.pending.proofDue = now
            deadlines.add(.heartbeat(id), at: now)
        }
        for number in session.open where requests[number]?.pending?.proofDue == .distantFuture {
            requests[number]?.pending?.proofDue = now
            deadlines.add(.request(number), at: now)
        }
        for number in session.runs {
            for part in runs[number]?.parts.waiting ?? [] where runs[number]?.parts.pending(part)?.proofDue == .distantFuture {
                runs[number]?.value.parts.change(part) { $0.pending?.proofDue = now }
                deadlines.add(.part(run: number, number: part), at: now)
            }
            guard runs[number]?.pending?.proofDue == .distantFuture else { continue }
            runs[number]?.pending?.proofDue = now
            deadlines.add(.run(number), at: now)
        }
        guard !stated.isEmpty else { return }
        for number in stated.numbers where stated[number]?.watched == id && stated[number]?.pending?.proofDue == .distantFuture {
            stated.change(number) { $0.pending?.proofDue = now }
            deadlines.add(.stated(number), at: now)
        }
    }

    /// The connection goes, and what the server had sent on it was not read: it may have been anything that its user
    /// waits for elsewhere.
    mutating func loseUnread(_ id: SessionID, at: Instant) {
        guard let session = sessions[id], session.unread.isHeld else { return }
        if members.hasSeveral(session.user) { unheard.set(session.user, at, renews: true) }
        revive(id, at: at)
    }

    /// The sentence's end when what was not read may explain a miss.
    func excuse(unread held: Held, _ pending: Pending, _ id: SessionID, _ audience: Audience, at now: Instant) -> String? {
        guard let session = sessions[id] else { return nil }
        if audience == .user, let lost = unheard[session.user], lost >= pending.since {
            return "what the server sent on another connection of \(session.user.label) was never read"
        }
        if audience == .user, let others = members[session.user], others.count > 1,
            let cut = others.lazy.compactMap({ self.sessions[$0] }).first(where: { $0.id != id && isSilenced($0) })
        {
            return "\(cut.cutBy ?? "a fault") silenced another connection of \(session.user.label)"
        }
        guard held != .none, held.isHeld || now < held.allowance(pending, catchUp: Self.catchUp) else { return nil }
        return whyUnread(id) ?? "the server was not taking what \(session.user.label) sent"
    }

    /// A fault cut it, and the server does not know: nothing that it says there is heard any more.
    func isSilenced(_ session: Session) -> Bool { session.cutBy != nil && !session.isOver }

    /// The plain reason why the server's words are not read, on this connection or on another of its user.
    func whyUnread(_ id: SessionID) -> String? {
        guard let session = sessions[id] else { return nil }
        let others = (members[session.user] ?? []).filter { $0 != id }
        let candidates = ([id] + others).compactMap { sessions[$0]?.unread }.filter { !$0.spans.isEmpty }
        guard let holds = candidates.first(where: \.isHeld) ?? candidates.first else { return nil }
        return switch holds.cause {
        case .full, .dialling: "\(session.user.label)'s client was not reading"
        case .fault: "a fault stopped the reading of the server"
        case .recorder: "miswire's recorder was behind"
        }
    }

    /// With several connections, what lies unread on one may belong before what came on another: order between them
    /// proves nothing then.
    func mayBeDisordered(_ user: Principal, at now: Instant) -> Bool {
        guard members.hasSeveral(user), let ids = members[user] else { return false }
        return ids.contains { id in
            guard let last = sessions[id]?.unread.spans.last else { return false }
            return last.until.map { now <= $0.advanced(by: .seconds(1)) } ?? true
        }
    }
}
