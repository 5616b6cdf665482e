import Contracts
import Journaling
import Wire

/// A question of the client whether the server is there.
struct Beat: Sendable {
    var pending: Pending
    var entry: Entry
    var card: RequestCard
}

/// Heartbeats are ignored by everything else (contract.md, semantics 2); what a client asks the server must answer.
extension Reader {
    mutating func readBeat(
        _ part: HeartbeatRule.Part, _ direction: Direction, _ read: Recognition, _ entry: Entry, _ id: SessionID, at: Instant
    ) {
        guard let contract, let rule = contract.session?.heartbeat, let session = sessions[id], rule.ask != rule.answer else { return }
        switch (part, direction) {
        case (.ask, .toClient): if session.beatAskedAt == nil { sessions[id]?.beatAskedAt = at }
        case (.answer, .toClient): settleBeat(id, .kept(rule.answer))
        case (.answer, .toServer): sessions[id]?.beatAskedAt = nil
        case (.ask, .toServer):
            sessions[id]?.beatSaidAt = at
            // One that has not been let in, or is told to go, owes nothing.
            guard session.beat == nil, session.acceptedAt != nil, isReadied(session), read.outcome == .valid, !read.tolerated,
                session.obscured == nil, session.cutBy == nil, !session.isBad
            else { return }
            lastRequest += 1
            let pending = pending(rule.within ?? contract.deadline, since: at, loop: session.loop)
            let card = RequestCard(
                number: lastRequest, user: session.user.label, phrase: rule.ask, type: rule.ask, at: at, line: rule.line)
            sessions[id]?.beat = Beat(pending: pending, entry: entry, card: card)
            deadlines.add(.heartbeat(id), at: pending.due)
        }
    }

    /// A server may let go of a client that gives no sign of life as the contract demands it.
    func whyLifeless(_ session: Session, at: Instant) -> String? {
        guard let rule = contract?.session?.heartbeat else { return nil }
        if let asked = session.beatAskedAt, asked.duration(to: at) >= Self.pong {
            return "the client left a `\(rule.ask)` of the server unanswered"
        }
        if rule.from != .server, let every = rule.every, let since = session.beatSaidAt ?? session.acceptedAt, since.duration(to: at) > every {
            return "the client did not say `\(rule.ask)` every \(Wording.duration(every))"
        }
        return nil
    }

    mutating func settleBeat(_ id: SessionID, _ fate: Fate) {
        guard let beat = sessions[id]?.beat, let rule = contract?.session?.heartbeat else { return }
        sessions[id]?.beat = nil
        readings.append(.settled(.answer(beat.card, expected: rule.answer), fate))
    }

    mutating func missBeat(_ id: SessionID, at now: Instant, isLate: Bool = false) {
        guard let session = sessions[id], let beat = session.beat else { return }
        if session.isClosedByClient { return settleBeat(id, .undecided("the client left before the deadline")) }
        if let why = session.obscured { return settleBeat(id, .undecided(why)) }
        let held = held(id, .connection, since: beat.pending.since, until: now)
        if let why = starvation.excuse(session.loop, beat.pending, at: now, isLate: isLate)
            ?? excuse(unread: held, beat.pending, id, .connection, at: now) ?? mayHaveCome(to: session.user)
        {
            return settleBeat(id, .undecided(why))
        }
        var evidence = evidence(for: session, entry: nil, at: beat.pending.due)
        evidence.causes.append(.request(beat.card.number))
        evidence.witness.insert(beat.entry, at: 0)
        settleBeat(id, .missed(bound: beat.pending.bound, evidence))
    }
}
