import Contracts
import Journaling
import NIOCore
import Wire

/// Opening heads, credentials, and what the server says before it may.
extension Reader {
    mutating func readHead(_ head: HeadRecord, _ entry: Entry, _ id: SessionID) {
        guard let at = head.passage.atServer else { return }
        if sessions[id]?.opening.count ?? 4 < 4 { sessions[id]?.opening.append(entry) }
        followInjection(head, entry, id)
        if head.passage.direction == .toServer {
            sessions[id]?.path = Self.path(of: head.bytes)
            readCursor(head, entry, id)
        } else {
            sessions[id]?.answeredAt = at
        }
    }

    /// `/ws` of `GET /ws?token=… HTTP/1.1`.
    static func path(of head: ByteBuffer) -> String? {
        let line = head.readableBytesView.prefix(8_192).prefix { $0 != 0x0d && $0 != 0x0a }
        let words = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count >= 2 else { return nil }
        return String(decoding: words[1].prefix { $0 != 0x3f && $0 != 0x23 }, as: UTF8.self)
    }

    mutating func readFacts(_ facts: Facts, _ entry: Entry, _ id: SessionID) {
        if facts.tap == .serverIn { return readDisclosure(facts, id) }
        noteOwner(facts)
        guard facts.tap == .serverOut, let contract, let session = sessions[id], !session.isOpaque, !session.isUnnamed else { return }
        // What this contract does not speak about owes it nothing.
        guard isInScope(session) else { return }
        followExpiry(facts, entry, id)
        let isFirst = session.credential == nil || session.credential?.state == .absent
        guard isFirst else { return }
        if isOpen(facts, contract) { return leaveUnnamed(id, facts, entry) }
        let isBad = isBad(facts, contract)
        let mayFollow = facts.state == .absent && facts.faults.isEmpty
            && contract.identity.credential.contains { $0.text.hasPrefix("request ") }
        sessions[id]?.credential = facts
        sessions[id]?.credentialEntry = entry
        sessions[id]?.awaitsCredential = mayFollow && isBad
        sessions[id]?.isBad = isBad
        sessions[id]?.authentication = nil
        if isBad {
            let bound = contract.auth?.within ?? AuthRules().within
            let pending = pending(bound, since: entry.instant, loop: session.loop)
            sessions[id]?.authentication = pending
            // Who may still bring a credential in a message is not late yet.
            if !(mayFollow && isBad) { deadlines.add(.authentication(id), at: pending.due) }
        }
        if let user = facts.user {
            rename(id, .named(user))
        } else if let tag = facts.tag, !contract.identity.user.isEmpty {
            rename(id, .credential(tag))
        }
        // A fault made the credential another's, of whom the recording need not hold anything else.
        if absence.contains(.users), !facts.faults.isEmpty, let user = sessions[id]?.user { meetUnseen(user, at: entry.instant) }
        if !isBad, session.acceptedAt != nil { expectGreeting(id, since: entry.instant) }
        if !resumptions.isEmpty { aimCursor(id, at: entry.instant) }
    }

    /// Contract.md, semantics 17. What nothing allows to judge is not judged, unless a fault of ours spoilt it.
    private func isBad(_ facts: Facts, _ contract: Terms) -> Bool {
        guard !contract.identity.credential.isEmpty else { return false }
        switch facts.state {
        case .intact: return false
        case .ambiguous: return false
        case .unknown: return !facts.faults.isEmpty
        case .absent: return !facts.faults.isEmpty || !(contract.auth?.anonymous ?? false || absence.contains(.credentials))
        case .corrupt, .forged, .expired: return true
        }
    }

    /// Its credentials, or the places of a name, speak for different users.
    private func isOpen(_ facts: Facts, _ contract: Terms) -> Bool {
        if !facts.rivals.isEmpty { return true }
        return facts.state == .ambiguous && facts.user == nil && !contract.identity.user.isEmpty
    }

    /// Only the server knows for whom it speaks: it is judged no further.
    private mutating func leaveUnnamed(_ id: SessionID, _ facts: Facts, _ entry: Entry) {
        sessions[id]?.credential = facts
        sessions[id]?.credentialEntry = entry
        sessions[id]?.isUnnamed = true
        sessions[id]?.isBad = false
        sessions[id]?.authentication = nil
        leave(id, .undecided("it brings credentials of several users"))
        readUnnamed(nil, facts, at: entry.instant)
    }

    /// What is said there may be shown, and answered, to any of those for whom it may speak.
    mutating func readUnnamed(_ frame: FrameRecord?, _ facts: Facts, at: Instant) {
        if let payload = frame?.message?.payload { canaries.declassify(payload) }
        forgetBehind(frame?.message?.payload)
        for user in (facts.user.map { [$0] } ?? []) + facts.rivals {
            bereave(.named(user), at: at) { $0.isUnknown = true }
        }
    }

    private mutating func rename(_ id: SessionID, _ user: Principal) {
        guard let old = sessions[id]?.user, old != user else { return }
        members.remove(id, from: old)
        members.add(id, to: user)
        sessions[id]?.user = user
        identifiers.met(user)
        // What it said before is this user's.
        if sessions[id]?.hasSpoken == true { aliases.set(id, user) }
        for number in sessions[id]?.open ?? [] { requests[number]?.user = user }
        for number in sessions[id]?.runs ?? [] { runs[number]?.owner = user }
    }

    mutating func readBecame(_ became: Became, _ entry: Entry, _ id: SessionID) {
        guard let session = sessions[id] else { return }
        let at = session.answeredAt ?? entry.instant
        switch became {
        case .opaque:
            sessions[id]?.isOpaque = true
            sessions[id]?.authentication = nil
            leave(id, .undecided("its bytes are read no further"))
        case .refused(let status):
            sessions[id]?.isRefused = true
            settleRefusal(id, status: status, entry)
            leave(id, .undecided("its upgrade was refused"))
        case .accepted(let subprotocol, let deflate):
            sessions[id]?.acceptedAt = at
            legalities[id] = FrameLegality(.toServer, deflate: deflate)
            let inScope = isInScope(session, subprotocol)
            sessions[id]?.inScope = inScope
            watch(id, deflate: deflate)
            followEarly(id, at: at)
            if !inScope { sessions[id]?.authentication = nil }
            if !session.isBad { expectGreeting(id, since: at) }
            if !resumptions.isEmpty { aimCursor(id, at: at) }
        }
    }

    func isInScope(_ session: Session) -> Bool {
        guard let paths = contract?.wire.paths, !paths.isEmpty, let path = session.path else { return true }
        return paths.contains { $0.matches(path) }
    }

    private func isInScope(_ session: Session, _ subprotocol: String?) -> Bool {
        guard let wire = contract?.wire, isInScope(session) else { return contract == nil }
        return wire.subprotocols.isEmpty || subprotocol.map(wire.subprotocols.contains) ?? false
    }

    /// The greeting is owed from the server's own 101 on, or from the message that brought the credential.
    private mutating func expectGreeting(_ id: SessionID, since: Instant) {
        guard let session = sessions[id], session.inScope, !session.isUnnamed, session.greeting == nil, !session.isGreeted, !session.isOver else {
            return
        }
        guard let rules = contract?.session, rules.greeting != nil else {
            if !session.isGreeted {
                sessions[id]?.isGreeted = true
                readings.append(.settled(greeting(of: session), .kept("nothing before the 101")))
            }
            return
        }
        let pending = pending(rules.within, since: since, loop: session.loop)
        sessions[id]?.greeting = pending
        deadlines.add(.greeting(id), at: pending.due)
    }

    func greeting(of session: Session) -> Obligation {
        .greeting(
            name: contract?.session?.greeting ?? "", user: session.user.label, line: contract?.session?.line ?? 0)
    }

    mutating func settleGreeting(_ id: SessionID, _ fate: Fate) {
        guard let session = sessions[id], session.greeting != nil else { return }
        sessions[id]?.greeting = nil
        sessions[id]?.isGreeted = true
        readings.append(.settled(greeting(of: session), fate))
    }

    /// Illegal framing, oversize pieces and bytes before any head.
    mutating func readBytes(_ bytes: BytesRecord, _ entry: Entry, _ id: SessionID) {
        guard bytes.passage.atServer != nil, let session = sessions[id], !session.isOpaque, !session.isUnnamed else { return }
        if bytes.passage.direction == .toServer, session.acceptedAt == nil { sessions[id]?.spokeEarly = true }
        switch (bytes.kind, bytes.passage.direction) {
        case (.missing, let direction):
            conducts[id] = nil
            lack(id, direction, at: entry.instant)
        case (.partial, .toServer): if session.obscured == nil { obscure(id, "the client's last frame on it has no end") }
        case (.opaque, _), (.partial, .toClient): return
        case (.preamble, .toServer): return
        case (.preamble, .toClient):
            // A head too long for us, or one whose end never came, began as the rule wants it.
            if Self.isStatusLine(bytes.bytes) { return }
            early("bytes that are no HTTP status line", type: "<bytes>", entry, session)
        case (.illegal, .toClient) where session.acceptedAt == nil:
            early("bytes that are no HTTP status line", type: "<bytes>", entry, session)
        case (.illegal, let direction):
            if direction == .toClient { watchIllegal(bytes.bytes, entry, id) }
            obscure(id, "bytes on it are no legal frames")
        case (.oversize, _):
            conducts[id] = nil
            obscure(id, "a message on it is too large to be read")
        }
    }

    /// Whether these bytes may be the beginning of `HTTP/1.1 101 …`.
    private static func isStatusLine(_ bytes: ByteBuffer) -> Bool {
        let mark = "HTTP/".utf8
        return bytes.readableBytesView.prefix(mark.count).elementsEqual(mark.prefix(bytes.readableBytes))
    }

    mutating func early(_ what: String, type: String, _ entry: Entry, _ session: Session) {
        if session.spokeEarly { return obscure(session.id, "the client did not wait for its accept, and so did the server not") }
        let evidence = evidence(for: session, entry: entry, at: entry.instant)
        readings.append(.early(.init(what: what, type: type, evidence: evidence)))
    }
}
