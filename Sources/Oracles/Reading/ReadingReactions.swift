import Contracts
import Journaling
import NIOCore
import Wire

/// What a server owes on one connection as a WebSocket peer, each within 2 s (oracle.md, C1): a Pong for the latest Ping, a
/// Close for a Close, and the connection failed for a breach.
struct Reactions: Sendable {
    struct Ping: Sendable {
        /// Nil where a secret was cut out.
        var payload: ByteBuffer?
        var entry: Entry
        var pending: Pending
    }
    struct Owed: Sendable {
        var reaction: Reading.Conducted.Reaction
        var entry: Entry
        var pending: Pending
    }
    static let bound: Duration = .seconds(2)
    private static let mostPings = 64

    /// Unanswered, oldest first.
    var pings: [Ping] = []
    var close: Owed?
    var failure: Owed?
    /// Both sides said Close: the transport is to end.
    var end: Pending?
    var isClosedByClient = false
    var isClosedByServer = false
    /// The last message was the client's: the server may be at work on it, and read on only then.
    var isBusy = false

    mutating func add(_ ping: Ping) {
        if pings.count >= Self.mostPings { pings.removeFirst() }
        pings.append(ping)
    }

    /// A Pong answers the Ping whose payload it bears, and every one before it (RFC 6455 section 5.5.3).
    mutating func answer(_ payload: ByteBuffer?) {
        guard let payload else { return pings = [] }
        guard let last = pings.lastIndex(where: { $0.payload == nil || $0.payload == payload }) else { return }
        pings.removeFirst(last + 1)
    }

    mutating func forgive() {
        pings = []
        close = nil
        failure = nil
    }
}

extension Reader {
    @inline(__always)
    private func owed(_ at: Instant, _ id: SessionID) -> Pending {
        pending(Reactions.bound, since: at, loop: sessions[id]?.loop ?? 0)
    }

    mutating func followReactions(
        _ frame: FrameRecord, _ opcode: Opcode, _ entry: Entry, _ id: SessionID, isAccepted: Bool, at: Instant
    ) {
        guard isAccepted, conducts.contains(id) else {
            if !reactions.isEmpty { reactions[id] = nil }
            return
        }
        if frame.passage.direction == .toClient {
            switch opcode {
            case .close, .ping, .pong: return heard(frame, id, at: at)
            default: if reactions[id]?.isBusy == true { reactions[id]?.isBusy = false }
            }
            return
        }
        // Most frames are data, and change one word of it.
        if !opcode.isControl, conducts[id]?.breach == nil {
            reactions[id, default: Cell(Reactions())].isBusy = true
            conducts[id]?.value.followText(frame)
            return
        }
        guard let session = sessions[id] else { return }
        var state = reactions[id]?.value ?? Reactions()
        defer { reactions[id] = Cell(state) }
        guard !state.isClosedByClient, !state.isClosedByServer else { return }
        if let breach = conducts[id]?.breach {
            breached(breach, entry, id, &state, at: at)
        } else if opcode == .close {
            state.forgive()
            state.isClosedByClient = true
            guard session.obscured == nil, !isAtWork(session, state) else { return }
            state.close = .init(reaction: .close, entry: entry, pending: owed(at, id))
            if let due = state.close?.pending.due { deadlines.add(.reaction(id), at: due) }
        } else if opcode == .ping, session.obscured == nil, !isAtWork(session, state) {
            let ping = Reactions.Ping(payload: frame.redacted ? nil : frame.frame.payload, entry: entry, pending: owed(at, id))
            state.add(ping)
            deadlines.add(.reaction(id), at: ping.pending.due)
        }
    }

    /// A Close, Ping or Pong of the server.
    private mutating func heard(_ frame: FrameRecord, _ id: SessionID, at: Instant) {
        switch frame.frame.opcode {
        case .pong: reactions[id]?.value.answer(frame.redacted ? nil : frame.frame.payload)
        case .close:
            guard var state = reactions[id]?.value else { return }
            state.forgive()
            state.isClosedByServer = true
            if state.isClosedByClient, state.end == nil {
                let pending = owed(at, id)
                state.end = pending
                deadlines.add(.reaction(id), at: pending.due)
            }
            reactions[id] = Cell(state)
        default: break
        }
    }

    private mutating func breached(
        _ breach: Conduct.Breach, _ entry: Entry, _ id: SessionID, _ state: inout Reactions, at: Instant
    ) {
        guard let session = sessions[id] else { return }
        guard breach.entry.ref == entry.ref, state.failure == nil else { return }
        state.pings = []
        guard !isAtWork(session, state) else { return }
        state.failure = .init(reaction: .failure(breach.violation), entry: entry, pending: owed(at, id))
        if let due = state.failure?.pending.due { deadlines.add(.reaction(id), at: due) }
    }

    /// A server that reads the next frame only when it is done with the last message owes no reaction before.
    private func isAtWork(_ session: Session, _ state: Reactions) -> Bool {
        state.isBusy || !session.runs.isEmpty || session.open.contains { requests[$0].map { $0.waits != .nothing } ?? false }
    }

    // MARK: Time

    mutating func fireReaction(_ id: SessionID, _ item: Deadlines.Item) {
        guard var state = reactions[id]?.value else { return }
        defer { reactions[id] = Cell(state) }
        func isDue(_ pending: Pending) -> Bool { (pending.proofDue ?? pending.due) == item.due }
        if let first = state.pings.first, isDue(first.pending) {
            if let later = patience(first.pending, id, at: item.due) {
                state.pings[0].pending.proofDue = later
                deadlines.add(item.subject, at: later)
            } else {
                state.pings = []
                miss(.init(reaction: .pong, entry: first.entry, pending: first.pending), id, at: item.due)
            }
        }
        for path in [\Reactions.close, \Reactions.failure] {
            guard let owed = state[keyPath: path], isDue(owed.pending) else { continue }
            if let later = patience(owed.pending, id, at: item.due) {
                state[keyPath: path]?.pending.proofDue = later
                deadlines.add(item.subject, at: later)
            } else {
                state[keyPath: path] = nil
                miss(owed, id, at: item.due)
            }
        }
        if let end = state.end, isDue(end) {
            state.end = nil
            note("C1 informational: a connection stays open for 2 s behind its closing handshake (RFC 6455 7.1.1)")
        }
    }

    private func patience(_ pending: Pending, _ id: SessionID, at due: Instant) -> Instant? {
        patience(with: pending, held(id, .connection, since: pending.since, until: due), id, at: due)
    }

    /// What our own deeds, or a crowded machine, may explain blames nobody.
    private mutating func miss(_ owed: Reactions.Owed, _ id: SessionID, at now: Instant) {
        guard let session = sessions[id], conducts[id] != nil, !session.isOver, session.cutBy == nil, !isDisturbed(session) else { return }
        // Whoever breaks the protocol may wait in vain, but for the end; and that it goes on says more than that it does not end.
        if owed.reaction == .pong || owed.reaction == .close, session.obscured != nil { return }
        if case .failure = owed.reaction, conducts[id]?.breach?.taken != nil { return }
        let held = held(id, .connection, since: owed.pending.since, until: now)
        guard starvation.excuse(session.loop, owed.pending, at: now) == nil,
            excuse(unread: held, owed.pending, id, .connection, at: now) == nil
        else { return }
        if conducts.removeValue(forKey: id)?.breach != nil { behind = behind.filter { $0.value != id } }
        var evidence = evidence(for: session, entry: owed.entry, at: owed.pending.due)
        evidence.causes.append(.refusal(id))
        readings.append(
            .conduct(
                .init(user: session.user.label, outcome: .ignored(owed.reaction, within: owed.pending.bound, evidence))))
    }

    /// A fault of ours may keep either side's words, or their end, from the other.
    private func isDisturbed(_ session: Session) -> Bool {
        session.faultRecords.contains { fault in
            fault.influence.excuses.contains { [.deadline, .ending, .delivery].contains($0) }
        }
    }

    // MARK: Ends

    mutating func endReactions(_ end: EndRecord, _ session: Session, at now: Instant) {
        guard conducts[session.id] != nil, session.acceptedAt != nil else { return reactions[session.id] = nil }
        let state = reactions.removeValue(forKey: session.id)?.value ?? Reactions()
        // Without a contract nobody knows what it goes on with.
        if state.isBusy, contract == nil { targetWatch.busyUntil = max(targetWatch.busyUntil, now.advanced(by: .seconds(60))) }
        guard end.by == .peer, end.side == .server else { return }
        guard session.obscured == nil, session.cutBy == nil, !isDisturbed(session), !state.isClosedByServer, !session.isOver else { return }
        note(
            state.isClosedByClient
                ? "C1 non-strict: a Close is answered by the end of the connection alone (RFC 6455 5.5.1)"
                : "C1 non-strict: a connection is dropped without Close (RFC 6455 7.1.1)")
    }
}
