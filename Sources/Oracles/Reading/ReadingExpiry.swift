import Contracts
import Journaling
import Wire

/// A credential that was good when it came and that ends while its connection lasts.
struct Expiry: Sendable {
    /// Until the end of the grace.
    var pending: Pending
    /// When it ends.
    var ends: Instant
    /// The entry of its facts.
    var entry: Entry
}

/// What a server may still say once the credential of a connection has ended (contract.md, semantics 17). Only what is known to
/// be good, and until when, is followed: a token that nobody could check may mean anything to its server.
extension Reader {
    /// A credential at Sout. A later one that is good takes the place of the first; whatever else may be a newer one ends
    /// the watch.
    mutating func followExpiry(_ facts: Facts, _ entry: Entry, _ id: SessionID) {
        guard let grace = contract?.auth?.revoked, let session = sessions[id] else { return }
        switch facts.state {
        case .absent, .corrupt, .forged, .expired: return
        case .unknown, .ambiguous: return expiries[id] = nil
        case .intact: break
        }
        guard let lasts = facts.lasts, facts.rivals.isEmpty else { return expiries[id] = nil }
        let known = expiries[id]
        let isFirst = session.credential == nil || session.credential?.state == .absent
        // Whoever had one without an end, or one that nobody knows, keeps it.
        guard known != nil || isFirst else { return }
        let ends = entry.instant.advanced(by: lasts)
        if let known, known.ends >= ends { return }
        let pending = pending(lasts + grace, since: entry.instant, loop: session.loop)
        expiries[id] = Expiry(pending: pending, ends: ends, entry: entry)
        deadlines.add(.expiry(id), at: pending.due)
    }

    /// What the machine lacked before the grace was over explains nothing that comes behind it.
    mutating func endGrace(_ id: SessionID, at due: Instant) {
        guard let session = sessions[id], let expiry = expiries[id], expiry.pending.due == due else { return }
        expiries[id]?.pending.mark = starvation.mark(session.loop, at: due)
    }

    /// An event of the application behind the grace.
    mutating func judgeExpiry(_ event: Event, _ contract: Terms) {
        guard let expiry = expiries[event.session], event.at > expiry.pending.due, contract.isSuccess(event.recognition),
            isLate(event, for: expiry.pending), let session = sessions[event.session]
        else { return }
        expiries[event.session] = nil
        let why = session.obscured
            ?? starvation.excuse(session.loop, expiry.pending, at: event.at, isLate: true)
            ?? excuse(
                unread: held(session.id, .connection, since: expiry.ends, until: event.at), expiry.pending, session.id, .connection,
                at: event.at)
        if let why { return tellExpiry(session, .undecided(why)) }
        var evidence = evidence(for: session, entry: event.entry, at: event.at)
        evidence.causes.append(.refusal(session.id))
        evidence.witness.insert(expiry.entry, at: min(1, evidence.witness.count))
        let late = Wording.duration(expiry.ends.duration(to: event.at))
        tellExpiry(
            session,
            .broken("\(Terminal.plain(event.type)) at \(Wording.time(event.at)), \(late) after its end", edge: "after expiry", evidence))
    }

    /// Nothing more of the application can come on that connection.
    /// - Parameter isServer: the server ended it.
    mutating func settleExpiry(_ id: SessionID, at now: Instant, isServer: Bool = false) {
        guard let expiry = expiries.removeValue(forKey: id), let session = sessions[id] else { return }
        // Before that nothing was asked of the server.
        guard now >= (isServer ? expiry.ends : expiry.pending.due) else { return }
        tellExpiry(session, .kept(isServer ? "it ends the connection" : "nothing comes after it"))
    }

    private mutating func tellExpiry(_ session: Session, _ fate: Fate) {
        readings.append(.settled(.expiry(user: session.user.label, line: contract?.auth?.line ?? 0), fate))
    }

    // MARK: Origins

    /// The Origin that the server was given, when it is of another place than the one that was asked (RFC 6455 section 10.2).
    func foreignOrigin(of session: Session) -> String? {
        let head = session.opening.lazy.compactMap { entry -> RequestHead? in
            guard case .head(let head) = entry.body, head.passage.direction == .toServer else { return nil }
            return try? RequestHead(head.bytes)
        }.first
        guard let head, let origin = head.value("origin"), let host = head.value("host") else { return nil }
        guard let place = Self.place(of: origin) else { return origin }
        return ASCII.equal(place, host) ? nil : origin
    }

    /// `chat.example:8080` of `https://chat.example:8080`.
    private static func place(of origin: String) -> String? {
        guard let colon = origin.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let rest = origin[colon...].utf8.dropFirst()
        guard rest.starts(with: "//".utf8) else { return nil }
        return String(decoding: rest.dropFirst(2).prefix { $0 != UInt8(ascii: "/") }, as: UTF8.self)
    }

    /// What a profile says of an Origin that it wrote is about who is let in.
    mutating func tellOrigin(_ known: Stated, _ fate: Fate) {
        guard known.expect.what == .refused, known.fault.tap == .serverOut, let session = sessions[known.session],
            let origin = foreignOrigin(of: session)
        else { return }
        readings.append(.settled(.origin(Terminal.plain(origin), user: session.user.label), fate))
    }
}
