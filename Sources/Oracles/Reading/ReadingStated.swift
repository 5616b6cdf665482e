import Contracts
import Journaling
import NIOCore
import Wire

/// What profiles state about the far side (`expect`), settled by the first outcome that comes (oracle.md: a profile may
/// narrow an excuse, never widen it). What our own deeds, limits or cuts may explain blames nobody.
extension Reader {
    // MARK: It is stated

    mutating func state(_ fault: FaultRecord, _ entry: Entry, _ id: SessionID) {
        guard fault.applied, let expect = fault.expect, let session = sessions[id] else { return }
        if session.isOver || session.isClosedByClient, expect.what != .recovers { return }
        if expect.what == .delivered, let on = fault.on, passed.contains(on) {
            return readings.append(.settled(.stated(card(fault, expect, session.user)), .kept("it went on at once")))
        }
        let number = stated.add(fault, expect, entry, id, session.user)
        if let oldest = stated.oldest { settleStated(oldest, .undecided("too many expectations are open")) }
        switch expect.what {
        case .errorEvent where contract?.errors == nil, .recovers where contract == nil:
            settleStated(number, .undecided("no contract says what an answer is"))
        case .recovers: break
        case .refused, .closed, .errorEvent:
            // The server has not heard of it before the head has left for it.
            if fault.tap == .clientOut || session.path != nil { runStated(number, since: entry.instant, on: id) }
        case .delivered, .nothingLost: runStated(number, since: entry.instant, on: id)
        }
    }

    private func card(_ fault: FaultRecord, _ expect: Expectation, _ user: Principal) -> StatedCard {
        StatedCard(fault: fault.id, kind: fault.kind, expect: expect, user: user.label, tap: fault.tap)
    }

    /// What is stated without a bound has the contract's own.
    private func bound(_ expect: Expectation) -> Duration {
        if let within = expect.within { return within }
        return switch expect.what {
        case .refused: contract?.auth?.within ?? AuthRules().within
        case .errorEvent: contract?.errors?.within ?? contract?.deadline ?? .seconds(5)
        case .closed, .recovers, .delivered, .nothingLost: contract?.deadline ?? .seconds(5)
        }
    }

    private mutating func runStated(_ number: UInt64, since: Instant, on id: SessionID) {
        guard let known = stated[number], known.pending == nil, known.expect.what != .nothingLost, let session = sessions[id]
        else { return }
        // The fault's own delay stands before everything that it brings about.
        let pending = pending(bound(known.expect) + known.fault.held, since: since, loop: session.loop)
        stated.change(number) {
            $0.pending = pending
            $0.watched = id
        }
        deadlines.add(.stated(number), at: pending.due)
    }

    // MARK: Outcomes

    mutating func settleStated(_ number: UInt64, _ fate: Fate) {
        guard let known = stated.remove(number) else { return }
        tellOrigin(known, fate)
        readings.append(.settled(.stated(card(known.fault, known.expect, known.user)), fate))
    }

    /// What an entry means for whatever is stated.
    mutating func followStated(_ entry: Entry, _ id: SessionID) {
        switch entry.body {
        case .head(let head):
            followPassed(entry, head.provenance, head.passage)
            guard head.passage.direction == .toServer, let at = head.passage.atServer else { return }
            for number in stated.of(id) where stated[number]?.expect.what != .recovers { runStated(number, since: at, on: id) }
        case .frame(let frame):
            followPassed(entry, frame.provenance, frame.passage)
            followStated(frame, entry, id)
        case .became(.refused(let status)): followStatus(status, entry, id)
        case .became(.opaque): settleConnection(id, .undecided("its bytes are read no further"))
        case .fault(let fault) where fault.applied && fault.influence.excuses.contains(.ending):
            let cut = "\(fault.id) \(fault.kind)"
            settleConnection(id, .cut("\(cut) cut the connection"), but: cut)
        case .ended(let end): followEnd(end, entry, id)
        case .closed: settleConnection(id, .undecided("the connection is over before the deadline"), isOver: true)
        default: break
        }
    }

    /// Everything that is awaited on that connection, and not merely of its user. What a fault states stays asked for when
    /// it acts again.
    private mutating func settleConnection(_ id: SessionID, _ fate: Fate, but itself: String? = nil, isOver: Bool = false) {
        for number in stated.of(id) where itself == nil || stated[number]?.name != itself {
            switch stated[number]?.expect.what {
            case .recovers: break
            case .nothingLost where isOver: settleStated(number, .kept("everything went on"))
            default: settleStated(number, fate)
            }
        }
    }

    private mutating func followPassed(_ entry: Entry, _ provenance: Provenance, _ passage: Passage) {
        guard passage.out != nil else { return }
        if let source = provenance.source { delivered(source) } else if let ref = entry.ref { delivered(ref) }
    }

    private mutating func delivered(_ ref: EntryRef) {
        for number in stated.deliveries(of: ref) { settleStated(number, .kept("it went on")) }
    }

    private mutating func followStatus(_ status: Int, _ entry: Entry, _ id: SessionID) {
        for number in stated.of(id) {
            guard let known = stated[number], let session = sessions[id] else { continue }
            switch known.expect.what {
            case .refused where status >= 400: settleStated(number, .kept("refused with \(status)"))
            case .refused:
                let evidence = evidence(of: known, session, entry, at: entry.instant)
                settleStated(number, .broken("the upgrade is answered with \(status)", edge: "status", evidence))
            case .recovers: break
            case .closed where known.expect.codes.isEmpty: settleStated(number, .kept("refused with \(status)"))
            case .closed, .errorEvent, .delivered, .nothingLost: settleStated(number, .undecided("its upgrade was refused"))
            }
        }
    }

    private mutating func followStated(_ frame: FrameRecord, _ entry: Entry, _ id: SessionID) {
        if frame.frame.opcode == .close {
            let payload = frame.frame.payload
            let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self).map { Int($0) } ?? 1005
            if frame.passage.direction == .toClient, frame.passage.in != nil { return closed(by: .server, code, entry, id) }
            if frame.passage.direction == .toServer, frame.passage.in != nil { return closed(by: .client, code, entry, id) }
            return
        }
        guard frame.passage.direction == .toClient, let at = frame.passage.in, let contract, let recognizer,
            let message = frame.message, let payload = message.payload, !message.opcode.isControl, let user = sessions[id]?.user
        else { return }
        let concerned = (members[user] ?? [id]).flatMap { stated.of($0) }
        guard !concerned.isEmpty else { return }
        for event in recognizer.recogniseAll(payload, opcode: message.opcode, direction: .toClient) {
            followStated(event, concerned, entry, id, at: at, contract)
        }
    }

    private mutating func followStated(
        _ event: Recognition, _ concerned: [UInt64], _ entry: Entry, _ id: SessionID, at: Instant, _ contract: Terms
    ) {
        for number in concerned {
            guard let known = stated[number], known.farSide == .server else { continue }
            let isError = event.name.map(contract.isError) ?? false
            switch known.expect.what {
            case .errorEvent where isError: settleStated(number, .kept("error event"))
            case .refused where isError && known.session == id: stated.change(number) { $0.hasError = true }
            case .refused where known.session == id && contract.isSuccess(event):
                guard let session = sessions[id] else { continue }
                settleStated(
                    number, .broken("accepted: \(Terminal.plain(event.title ?? "an event"))", edge: "accepted",
                        evidence(of: known, session, entry, at: at)))
            default: break
            }
        }
    }

    private mutating func closed(by side: Side, _ code: Int?, _ entry: Entry, _ id: SessionID) {
        for number in stated.of(id) {
            guard let known = stated[number], let session = sessions[id], known.expect.what != .recovers,
                known.expect.what != .nothingLost, known.expect.what != .delivered
            else { continue }
            guard known.farSide == side else {
                settleStated(number, .undecided("the \(side.rawValue) left before the deadline"))
                continue
            }
            settleStated(number, fate(of: known, closedWith: code, entry, session))
        }
    }

    private func fate(of known: Stated, closedWith code: Int?, _ entry: Entry, _ session: Session) -> Fate {
        let how = code.map { "a close with \($0)" } ?? "the end of the connection without a close"
        let evidence = evidence(of: known, session, entry, at: entry.instant)
        // Who goes away or restarts was not asked to.
        let isAway = [1001, 1012, 1013].contains(code ?? 0)
        switch known.expect.what {
        case .closed:
            if known.expect.codes.isEmpty || code.map(known.expect.codes.contains) ?? false { return .kept(how) }
            return isAway ? .undecided("the server goes away") : .broken(how, edge: code.map { "close \($0)" } ?? "drop", evidence)
        case .refused:
            if code == nil, session.answeredAt == nil { return .undecided("the server ended before it answered the upgrade") }
            let refuses = code.map { contract?.auth?.close.contains($0) ?? false || $0 == 1008 || (4_000...4_999).contains($0) } ?? false
            if refuses || known.hasError && code != nil { return .kept(how) }
            return isAway ? .undecided("the server goes away") : .broken(how, edge: code.map { "close \($0)" } ?? "drop", evidence)
        case .errorEvent:
            return isAway ? .undecided("the server goes away") : .broken(how, edge: code.map { "close \($0)" } ?? "drop", evidence)
        case .recovers, .delivered, .nothingLost: return .undecided(how)
        }
    }

    private mutating func followEnd(_ end: EndRecord, _ entry: Entry, _ id: SessionID) {
        if end.undelivered > 0, end.by == .peer {
            for number in stated.of(id) where stated[number]?.expect.what == .nothingLost {
                guard let known = stated[number], let session = sessions[id] else { continue }
                let found = "\(end.undelivered) bytes never reached the \(end.side.rawValue)"
                settleStated(number, .broken(found, edge: "lost", evidence(of: known, session, entry, at: entry.instant)))
            }
        }
        switch end.by {
        case .fault: settleConnection(id, .cut("\(end.cause) cut the connection"))
        case .tool: settleConnection(id, .undecided("miswire ended the connection: \(end.cause)"))
        case .peer:
            closed(by: end.side, nil, entry, id)
            for number in stated.of(id) where stated[number]?.expect.what == .delivered {
                settleStated(number, .undecided("the \(end.side.rawValue) left before the deadline"))
            }
        }
    }

    // MARK: Requests

    /// A user asked for something: whoever has recovered answers it.
    mutating func askedStated(_ request: Request) {
        for number in stated.recoveries(of: request.user) where stated[number]?.pending == nil {
            guard let known = stated[number], request.at > known.entry.instant, !request.isRefusal, request.waits != .nothing
            else { continue }
            runStated(number, since: request.at, on: request.session)
        }
    }

    /// What a user asked for on that session since then is settled.
    mutating func answeredStated(_ user: Principal, _ session: SessionID, askedAt: Instant, _ fate: Fate) {
        for number in stated.recoveries(of: user) {
            guard let known = stated[number], askedAt > known.entry.instant, known.pending != nil else { continue }
            if case .kept = fate { settleStated(number, fate) }
            if case .broken = fate { settleStated(number, fate) }
        }
        for number in stated.of(session) where stated[number]?.expect.what == .nothingLost {
            guard let known = stated[number], askedAt > known.entry.instant else { continue }
            switch fate {
            case .missed, .broken: settleStated(number, fate)
            default: break
            }
        }
    }

    // MARK: Silence

    mutating func missStated(_ number: UInt64, at now: Instant, isLate: Bool = false) {
        guard let known = stated[number], let pending = known.pending else { return }
        guard let session = sessions[known.watched] else {
            return settleStated(number, .undecided("the connection is over before the deadline"))
        }
        if session.isClosedByClient, known.farSide == .server {
            return settleStated(number, .undecided("the client left before the deadline"))
        }
        // That an end may come of a fault excuses the far side for ending, not for staying where an end is expected.
        if let cut = session.cutBy, cut != known.name { return settleStated(number, .cut("\(cut) cut the connection")) }
        if known.expect.what != .delivered, let why = session.obscured { return settleStated(number, .undecided(why)) }
        let isOfUser = known.expect.what == .recovers || known.expect.what == .errorEvent
        let audience = isOfUser ? Audience.user : .connection
        let held = held(known.watched, audience, since: pending.since, until: now)
        let unseen = isOfUser && absence.contains(.sessions)
            ? "\(session.user.label) may have connections that the journal does not hold" : nil
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, known.watched, audience, at: now) ?? mayHaveCome(to: session.user) ?? unseen
        {
            return settleStated(number, .undecided(why))
        }
        settleStated(number, .missed(bound: pending.bound, evidence(of: known, session, nil, at: pending.due)))
    }

    /// The journal ends.
    mutating func concludeStated(at end: Instant) {
        for number in stated.numbers {
            if stated[number]?.pending?.isOverdue == true { missStated(number, at: end, isLate: true) }
            guard let known = stated[number] else { continue }
            let isQuiet = known.expect.what == .recovers && known.pending == nil
            settleStated(
                number,
                .undecided(isQuiet ? "\(known.user.label) asked for nothing after \(known.name)" : "the recording ends before the deadline"))
        }
    }

    private func evidence(of known: Stated, _ session: Session, _ entry: Entry?, at: Instant) -> Evidence {
        var evidence = evidence(for: session, entry: entry, at: at)
        evidence.witness.insert(known.entry, at: min(1, evidence.witness.count))
        // That nobody refuses a bad credential is A1's to say, where it is judged.
        if known.expect.what == .refused { evidence.causes.append(.refusal(session.id)) }
        if evidence.causes.isEmpty, let ref = known.entry.ref { evidence.causes = [.entry(ref)] }
        evidence.faults = [known.fault] + evidence.faults
        return evidence
    }
}
