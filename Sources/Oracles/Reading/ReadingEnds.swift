import Contracts
import Journaling
import NIOCore
import Wire

/// How connections end, and what becomes of what was open on them.
extension Reader {
    mutating func readFault(_ fault: FaultRecord, _ entry: Entry, _ id: SessionID) {
        if fault.applied { faultsActed += 1 }
        sessions[id]?.value.note(fault: entry)
        guard fault.applied else { return }
        if fault.held > .zero { credit(fault, id, since: entry.instant) }
        excuseDelivery(fault, id)
        guard fault.influence.excuses.contains(.ending), let session = sessions[id], session.cutBy == nil else { return }
        let name = fault.kind == "cut" ? fault.id : "\(fault.id) \(fault.kind)"
        sessions[id]?.cutBy = name
        bereave(session, at: entry.instant)
        if members.hasSeveral(session.user) { unheard.set(session.user, entry.instant, renews: true) }
        leave(id, .cut("\(name) cut the connection"))
    }

    /// Every delay of ours that falls into a bound makes it longer by as much (oracle.md: credited deadlines).
    private mutating func credit(_ fault: FaultRecord, _ id: SessionID, since: Instant) {
        guard fault.influence.excuses.contains(.deadline) || fault.influence.excuses.contains(.greetingDeadline),
            fault.tap == .serverOut, let session = sessions[id]
        else { return }
        func longer(_ pending: Pending?) -> Pending? {
            guard var pending, pending.due >= since else { return nil }
            pending.due = pending.due.advanced(by: fault.held)
            return pending
        }
        if let pending = longer(session.greeting) {
            sessions[id]?.greeting = pending
            deadlines.add(.greeting(id), at: pending.due)
        }
        if let pending = longer(session.authentication) {
            sessions[id]?.authentication = pending
            if !session.awaitsCredential { deadlines.add(.authentication(id), at: pending.due) }
        }
        if let pending = longer(session.beat?.pending) {
            sessions[id]?.beat?.pending = pending
            deadlines.add(.heartbeat(id), at: pending.due)
        }
        for number in session.open {
            guard let pending = longer(requests[number]?.pending) else { continue }
            requests[number]?.pending = pending
            deadlines.add(.request(number), at: pending.due)
        }
        for number in session.runs {
            for part in runs[number]?.parts.waiting ?? [] {
                guard let pending = longer(runs[number]?.parts.pending(part)) else { continue }
                runs[number]?.value.parts.change(part) { $0.pending = pending }
                deadlines.add(.part(run: number, number: part), at: pending.due)
            }
            guard let pending = longer(runs[number]?.pending) else { continue }
            runs[number]?.pending = pending
            deadlines.add(.run(number), at: pending.due)
        }
        for number in stated.of(id) {
            guard let pending = longer(stated[number]?.pending) else { continue }
            stated.change(number) { $0.pending = pending }
            deadlines.add(.stated(number), at: pending.due)
        }
    }

    /// Everything open there gets the same fate.
    mutating func leave(_ id: SessionID, _ fate: Fate) {
        guard let session = sessions[id] else { return }
        settleGreeting(id, fate)
        settleAuthentication(id, fate)
        settleBeat(id, fate)
        for number in session.open { settle(number, fate) }
        for number in session.runs {
            settleRun(number, isHot(number) ? fate : .kept("it was not open"))
            bury(number, isDone: false)
        }
    }

    /// Only a run in a hot state is open, and owes anything.
    func isHot(_ number: UInt64) -> Bool {
        guard let contract, let run = runs[number], contract.runs.indices.contains(run.rule) else { return false }
        return contract.runs[run.rule].isHot(run.state)
    }

    mutating func readClose(_ frame: FrameRecord, _ entry: Entry, _ id: SessionID, at: Instant) {
        if frame.passage.direction == .toServer {
            // One that answers the server's is not how it ended (RFC 6455 section 5.5.1).
            guard sessions[id]?.isOver == false else { return }
            // It waited long enough for what is overdue.
            judgeSpent(id, at: at)
            sessions[id]?.isClosedByClient = true
            return
        }
        let payload = frame.frame.payload
        let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map { Int($0) }
        serverEnded(id, code: code ?? 1005, entry, at: at)
    }

    mutating func readEnd(_ end: EndRecord, _ entry: Entry, _ id: SessionID) {
        guard let session = sessions[id] else { return }
        if !resumptions.isEmpty { loseResumed(id) }
        endReactions(end, session, at: entry.instant)
        guard !session.isOver else { return learnLoss(end, session) }
        // A server that ends what it never accepted has refused it. A client may go, and be missed, before its 101.
        if end.by == .peer, end.side == .server, session.acceptedAt == nil, session.authentication == nil { return }
        if end.by != .peer { settleConduct(id, at: entry.instant) }
        switch (end.by, end.side) {
        case (.fault, _):
            sessions[id]?.isOver = true
            bereave(session, at: entry.instant)
            leave(id, .cut("\(end.cause) cut the connection"))
        case (.tool, _):
            sessions[id]?.isOver = true
            bereave(session, at: entry.instant)
            leave(id, .undecided("miswire ended the connection: \(end.cause)"))
        case (.peer, .server):
            forgive(id, at: entry.instant)
            serverEnded(id, code: nil, entry, at: entry.instant)
        case (.peer, .client): clientEnded(id, at: entry.instant)
        }
    }

    /// What miswire could not write any more comes to the journal behind the end: then more may be lost than that.
    private mutating func learnLoss(_ end: EndRecord, _ session: Session) {
        guard session.ending?.code == nil, session.ending != nil, end.side == .server, end.undelivered > 0,
            session.obscured == nil
        else { return }
        obscure(session.id, Self.lossByReset)
    }

    private mutating func clientEnded(_ id: SessionID, at: Instant) {
        guard sessions[id]?.isClosedByClient == false else { return }
        judgeSpent(id, at: at)
        guard let session = sessions[id] else { return }
        sessions[id]?.isOver = true
        bereave(session, at: at)
        leave(id, .undecided("the client left before the deadline"))
    }

    /// The server's Close, or the end of its transport without one.
    /// - Parameter code: nil when there was no Close.
    mutating func serverEnded(_ id: SessionID, code: Int?, _ entry: Entry, at: Instant) {
        guard let session = sessions[id], !session.isOver else { return }
        settleExpiry(id, at: at, isServer: true)
        sessions[id]?.isOver = true
        let isClean = session.isClosedByClient || code.map(isClean) ?? false
        if !isClean, session.obscured == nil, let why = excuse(endOf: session, code, entry, at: at) {
            obscure(id, why)
            return settleEnd(id, code: code, entry, at: at)
        }
        // What the client had begun to say comes to the journal when the connection is over: it may explain this end.
        if !isClean, session.obscured == nil {
            sessions[id]?.ending = SessionState.End(code: code, entry: entry, at: at)
        } else {
            settleEnd(id, code: code, entry, at: at)
        }
    }

    private static let lossByReset = "the server reset the connection while it was written to, and its last words may be lost"
    /// The smallest message that some servers find too large unless they are told otherwise.
    private static let large = 8_192
    /// An answer to a Ping may be under way for so long.
    static let pong: Duration = .seconds(1)

    /// Why an end without a clean close says nothing of the server.
    private func excuse(endOf session: Session, _ code: Int?, _ entry: Entry, at: Instant) -> String? {
        // RFC 6455 section 7.1.7, and a reset overtakes what was sent before it.
        if case .ended(let end) = entry.body, end.style == .reset, end.undelivered > 0 { return Self.lossByReset }
        if let pinged = session.pingedAt, pinged.duration(to: at) >= Self.pong {
            return "the client left a ping of the server unanswered"
        }
        if let why = whyLifeless(session, at: at) { return why }
        // What was read behind a hold is as old as that: a server may have waited for an answer all the while.
        if let hold = session.unread.spans.last, let released = hold.until, released.duration(to: at) <= Self.catchUp,
            hold.since.duration(to: released) >= Self.pong
        {
            return whyUnread(session.id)
        }
        // A server may have a limit that the contract does not tell (RFC 6455 section 10.4).
        let largest = session.open.compactMap { requests[$0]?.size }.max() ?? 0
        if code == 1009, largest >= Self.large { return "the server closes with 1009, and a message of \(largest) bytes waits there" }
        return nil
    }

    /// Nothing more comes of this connection: its end is judged, if it was not yet.
    mutating func settleEnd(_ id: SessionID) {
        guard let end = sessions[id]?.ending else { return }
        sessions[id]?.ending = nil
        settleEnd(id, code: end.code, end.entry, at: end.at)
    }

    private mutating func settleEnd(_ id: SessionID, code: Int?, _ entry: Entry, at: Instant) {
        guard let session = sessions[id] else { return }
        let isAnswer = session.isClosedByClient
        if session.isBad, !isAnswer, let why = session.obscured { settleAuthentication(id, .undecided(why)) }
        if session.isBad { settleAuthentication(id, closedWith: isAnswer ? nil : code, isAnswer: isAnswer, entry) }
        let over = isAnswer ? "the client left before the deadline" : "the server ended it first"
        settleGreeting(id, .undecided(over))
        settleBeat(id, .undecided(over))
        judgeUsable(id, endedWith: code, entry, at: at)
        let isClean = isAnswer || code.map(isClean) ?? false
        bereave(session, at: at)
        let explained = isAnswer ? nil : session.obscured.map { .undecided($0) } ?? explanation(of: code, on: session, at: at)
            ?? slowReading(code, session)
        for number in session.open {
            endRequest(number, code: code, isAnswer: isAnswer, explained, entry, at: at)
        }
        for number in session.runs {
            endRun(number, code: code, isClean: isClean, explained, entry, at: at)
            bury(number, isDone: false)
        }
    }

    /// A server that is not read from may let go of whoever does not read, if it says so (oracle.md: stalled reads). 1013 is
    /// what it says when it can do no more for now: of whoever holds it up nothing is known then.
    private func slowReading(_ code: Int?, _ session: Session) -> Fate? {
        guard let code, code == 1013 || (4_000...4_999).contains(code) else { return nil }
        if !session.unread.spans.isEmpty { return .cut("the server closed with \(code) what was not read") }
        return code == 1013 ? .undecided("the server closes with 1013: it is overloaded, or somebody reads too slowly") : nil
    }

    /// Rule 9: a Close that answers the client's, or an end after the client's, is clean whatever its code.
    private func isClean(_ code: Int) -> Bool {
        (contract?.cleanCloses ?? SessionRules().clean).contains(code)
    }

    /// A Close that a must-reject request on it allows, or that a message outside the contract may have provoked: the
    /// others there are not to blame the server for it.
    /// - Parameter at: what was refused shortly before may explain it too; nil = that is told elsewhere.
    func explanation(of code: Int?, on session: Session, at: Instant? = nil) -> Fate? {
        guard let code, let contract else { return nil }
        if session.isWronged { return .undecided("the server failed the connection for a text that it had to take") }
        var open = session.open.compactMap { requests[$0] }
        // An error may stand before the close that belongs to it.
        if let at, let refused = session.refused, refused.at.duration(to: at) <= contract.errors?.within ?? contract.deadline {
            open.append(refused.request)
        }
        let isAllowed = open.contains { request in
            let granted = request.grantedBy.map { contract.reject[$0].outcomes.contains(.close(code)) } ?? false
            return granted || allows(request, close: code) || answerCloses(of: request).contains(code)
        }
        if isAllowed { return .kept("a close with \(code) that another request allows") }
        if let may = open.first(where: { mayAllow($0, close: code) }) {
            return .undecided("the server closes with \(code), perhaps for \(may.phrase)")
        }
        let mayBeAllowed = open.contains { request in
            request.mayBeRefusedBy.map { contract.reject.indices.contains($0) && contract.reject[$0].allows(close: code) } ?? false
        }
        if mayBeAllowed { return .undecided("what it names may be a user's of whom the journal holds nothing") }
        guard [1002, 1003, 1007, 1008, 1009].contains(code) || (4_000...4_999).contains(code) else { return nil }
        if contract.auth?.close.contains(code) ?? false, let bearer = open.first(where: bringsCredential) {
            return .undecided("the server closes with \(code), perhaps for the credential of \(bearer.phrase)")
        }
        guard let odd = open.first(where: { $0.isOdd && !$0.isRefusal }) else { return nil }
        if let fault = odd.faults.first { return .cut("\(fault) changed what the server closed on") }
        return .undecided("the server closes with \(code), perhaps for \(odd.phrase)")
    }

    /// Its message is one of the places of a credential.
    private func bringsCredential(_ request: Request) -> Bool {
        guard let name = request.recognition.name, let places = contract?.identity.credential else { return false }
        return places.contains { $0.text.hasPrefix("request \(name) ") }
    }

    private mutating func endRequest(
        _ number: UInt64, code: Int?, isAnswer: Bool, _ explained: Fate?, _ entry: Entry, at: Instant
    ) {
        guard let request = requests[number], let contract else { return }
        if case .start = request.waits { return close(number) }
        if request.waits == .nothing { return close(number) }
        if isAnswer {
            if request.isRefusal { return settle(number, .undecided("the client left before the deadline")) }
            return settle(number, .kept("a clean close"))
        }
        if let rule = request.rule, contract.reject.indices.contains(rule) {
            if let code, allows(request, close: code) { return settle(number, .kept("a close with \(code)")) }
            if !stillRefused(request) { return close(number) }
            // A server that goes away or restarts was not asked by this request.
            if let code, [1000, 1001, 1012, 1013].contains(code) || explained != nil {
                return settle(number, .undecided("the server closes with \(code)"))
            }
        } else if let code, isClean(code) || answerCloses(of: request).contains(code) {
            return settle(number, .kept("a close with \(code)"))
        } else if let explained {
            return settle(number, explained)
        }
        let how = code.map { "the server closes with \($0)" } ?? "the server ends the connection without a close"
        let edge = code.map { "close \($0)" } ?? "drop"
        settle(number, .broken(how, edge: edge, evidence(of: request, entry: entry, at: at)))
    }

    private mutating func endRun(
        _ number: UInt64, code: Int?, isClean: Bool, _ explained: Fate?, _ entry: Entry, at: Instant
    ) {
        guard let run = runs[number] else { return }
        if let code, let inside = run.inside, allows(inside, close: code) {
            return settleRun(number, .kept("a close with \(code)"))
        }
        if isClean || !isHot(number) { return settleRun(number, .kept("a clean close")) }
        if let explained { return settleRun(number, explained) }
        let how = code.map { "the server closes with \($0)" } ?? "the server ends the connection without a close"
        let edge = code.map { "close \($0)" } ?? "drop"
        settleRun(number, .broken(how, edge: edge, evidence(of: run, entry: entry, at: at)))
    }

    /// The session's last entry: whatever is open still is left undecided.
    mutating func finish(_ id: SessionID, at: Instant) {
        settleEnd(id)
        settleExpiry(id, at: at)
        settleInjection(id)
        settleConduct(id, at: at)
        guard let session = sessions[id] else { return }
        targetWatch.lastEnd = at
        loseUnread(id, at: at)
        if isSilenced(session), members.hasSeveral(session.user) { unheard.set(session.user, at, renews: true) }
        bereave(session, at: at)
        leave(id, .undecided("the connection is over before the deadline"))
        members.remove(id, from: session.user)
        leaveDelivery(id, session.user, at: at)
        sessions[id] = nil
        reactions[id] = nil
        if said[id]?.isUnknown == true { hasLostWords = true }
        said[id] = nil
        bindings.forget(id)
        identifiers.forget(id)
        namings[id] = nil
        runsByKey.forget(id)
        legalities[id] = nil
    }
}
