import Contracts
import Journaling

/// Time: bounds that end in silence (contract.md, semantics 1).
extension Reader {
    /// How much longer a miss waits for proof that our own loops were awake.
    private static let proof: Duration = .milliseconds(250)

    /// Until when a bound that is due must wait: what was lost or not looked at, and the proof that our loops are awake
    /// again; for ever while reads are held, whose end brings it back. Nil: it has waited long enough, or so much was
    /// lost that nothing can be told.
    func patience(with pending: Pending, _ held: Held, _ id: SessionID, at due: Instant) -> Instant? {
        guard let session = sessions[id] else { return nil }
        if held.isHeld { return starvation.excuse(session.loop, pending, at: due) == nil ? .distantFuture : nil }
        let allowance = held == .none ? pending.due : held.allowance(pending, catchUp: Self.catchUp)
        return starvation.credited(session.loop, pending, allowance: allowance, proof: Self.proof, at: due)
    }

    /// Fires the next deadline due before `limit`, one at a time, so that what is told together does not depend on how
    /// often time is advanced. False when there is none.
    mutating func fireNext(before limit: Instant) -> Bool {
        guard let item = deadlines.next(before: limit) else { return false }
        fire(item)
        return true
    }

    private mutating func fire(_ item: Deadlines.Item) {
        // The server has ended that connection: how, not when, is what counts, and what explains it comes last, however
        // long the client takes to go.
        if let id = session(of: item.subject), sessions[id]?.ending != nil { return }
        switch item.subject {
        case .greeting(let id):
            guard let pending = sessions[id]?.greeting, isDue(pending, item, id) else { return }
            let held = held(id, .connection, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, id, at: item.due) {
                sessions[id]?.greeting?.proofDue = later
                return deadlines.add(item.subject, at: later)
            }
            missGreeting(id, pending, at: item.due)
        case .authentication(let id):
            guard let pending = sessions[id]?.authentication, isDue(pending, item, id) else { return }
            let held = held(id, .connection, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, id, at: item.due) {
                sessions[id]?.authentication?.proofDue = later
                return deadlines.add(item.subject, at: later)
            }
            missAuthentication(id, pending, at: item.due)
        case .heartbeat(let id):
            guard let pending = sessions[id]?.beat?.pending, isDue(pending, item, id) else { return }
            let held = held(id, .connection, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, id, at: item.due) {
                sessions[id]?.beat?.pending.proofDue = later
                return deadlines.add(item.subject, at: later)
            }
            missBeat(id, at: item.due)
        case .request(let number):
            guard let request = requests[number], let pending = request.pending, isDue(pending, item, request.session) else {
                return
            }
            let held = held(request, since: pending.since, until: item.due)
            if request.waits != .nothing, let later = patience(with: pending, held, request.session, at: item.due) {
                requests[number]?.pending?.proofDue = later
                return deadlines.add(item.subject, at: later)
            }
            expire(number, at: item.due)
        case .run(let number):
            guard let run = runs[number], let pending = run.pending, isDue(pending, item, run.session) else { return }
            let held = held(run, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, run.session, at: item.due) {
                runs[number]?.pending?.proofDue = later
                return deadlines.add(item.subject, at: later)
            }
            missRun(number, at: item.due)
        case .reaction(let id): fireReaction(id, item)
        case .expiry(let id): endGrace(id, at: item.due)
        case .part(let number, let part):
            guard let run = runs[number], let pending = run.parts.pending(part), isDue(pending, item, run.session) else { return }
            let held = held(run, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, run.session, at: item.due) {
                runs[number]?.value.parts.change(part) { $0.pending?.proofDue = later }
                return deadlines.add(item.subject, at: later)
            }
            missPart(part, of: number, at: item.due)
        case .stated(let number):
            guard let known = stated[number], let pending = known.pending, isDue(pending, item, known.watched) else { return }
            let audience = known.expect.what == .recovers || known.expect.what == .errorEvent ? Audience.user : .connection
            let held = held(known.watched, audience, since: pending.since, until: item.due)
            if let later = patience(with: pending, held, known.watched, at: item.due) {
                stated.change(number) { $0.pending?.proofDue = later }
                return deadlines.add(item.subject, at: later)
            }
            missStated(number, at: item.due)
        }
    }

    private func session(of subject: Deadlines.Subject) -> SessionID? {
        switch subject {
        case .greeting(let id), .authentication(let id), .heartbeat(let id): id
        case .reaction, .expiry: nil
        case .request(let number): requests[number]?.session
        case .run(let number), .part(let number, _): runs[number]?.session
        case .stated: nil
        }
    }

    /// Stale items are those whose bound was credited in the meantime.
    private func isDue(_ pending: Pending, _ item: Deadlines.Item, _ id: SessionID) -> Bool {
        item.due == pending.proofDue ?? pending.due
    }

    private mutating func missGreeting(_ id: SessionID, _ pending: Pending, at now: Instant, isLate: Bool = false) {
        guard let session = sessions[id] else { return }
        if session.isClosedByClient { return settleGreeting(id, .undecided("the client left before the deadline")) }
        if let why = session.obscured { return settleGreeting(id, .undecided(why)) }
        let held = held(id, .connection, since: pending.since, until: now)
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, id, .connection, at: now)
        {
            return settleGreeting(id, .undecided(why))
        }
        let evidence = evidence(for: session, entry: nil, at: pending.due)
        settleGreeting(id, .missed(bound: pending.bound, evidence))
    }

    private mutating func missAuthentication(_ id: SessionID, _ pending: Pending, at now: Instant, isLate: Bool = false) {
        guard let session = sessions[id] else { return }
        if session.isClosedByClient { return settleAuthentication(id, .undecided("the client left before the deadline")) }
        let held = held(id, .connection, since: pending.since, until: now)
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, id, .connection, at: now)
        {
            return settleAuthentication(id, .undecided(why))
        }
        var evidence = evidence(for: session, entry: nil, at: pending.due)
        evidence.causes.append(.refusal(id))
        if let entry = session.credentialEntry { evidence.witness.append(entry) }
        if let entry = session.authenticationError { evidence.witness.append(entry) }
        settleAuthentication(id, .missed(bound: pending.bound, evidence))
    }

    /// The journal ends: bounds before its end fire, and what is open still was not judged.
    mutating func conclude(at end: Instant) {
        for id in sessions.keys.sorted() {
            settleEnd(id)
            settleExpiry(id, at: end)
            settleInjection(id)
            settleConduct(id, at: end)
            judgeOverdue(id, at: end)
            conclude(id)
        }
        concludeStated(at: end)
        concludeDelivery()
        concludeLearnt()
        concludeTarget()
    }

    /// Bounds that are over and only wait for proof that our own loops were awake: no more of it will come.
    private mutating func judgeOverdue(_ id: SessionID, at end: Instant) {
        judge(id, at: end) { $0.isOverdue }
    }

    /// The same when the client leaves, of those alone that have run their whole length: what was credited, or waits for
    /// a reader, was still to come.
    mutating func judgeSpent(_ id: SessionID, at now: Instant) {
        judge(id, at: now) { $0.proofDue.map { $0 <= now.advanced(by: Self.proof) } ?? false }
    }

    private mutating func judge(_ id: SessionID, at end: Instant, where isReady: (Pending) -> Bool) {
        guard let session = sessions[id] else { return }
        if let pending = session.greeting, isReady(pending) { missGreeting(id, pending, at: end, isLate: true) }
        if let pending = session.authentication, isReady(pending) { missAuthentication(id, pending, at: end, isLate: true) }
        if let pending = session.beat?.pending, isReady(pending) { missBeat(id, at: end, isLate: true) }
        for number in session.open {
            if let pending = requests[number]?.pending, isReady(pending) { expire(number, at: end, isLate: true) }
        }
        for number in session.runs {
            for part in runs[number]?.parts.waiting ?? [] {
                if let pending = runs[number]?.parts.pending(part), isReady(pending) { missPart(part, of: number, at: end, isLate: true) }
            }
            if let pending = runs[number]?.pending, isReady(pending) { missRun(number, at: end, isLate: true) }
        }
    }

    private mutating func conclude(_ id: SessionID) {
        guard let session = sessions[id] else { return }
        let unread = session.unread.isHeld ? whyUnread(id) : nil
        let why = session.isClosedByClient
            ? "the client left before the deadline" : unread ?? "the recording ends before the deadline"
        settleGreeting(id, .undecided(why))
        settleBeat(id, .undecided(why))
        if session.authentication != nil, !session.awaitsCredential { settleAuthentication(id, .undecided(why)) }
        for number in session.open {
            if requests[number]?.waits == .nothing { close(number) } else { settle(number, .undecided(why)) }
        }
        for number in session.runs {
            let isClean = session.isClosedByClient || !isHot(number)
            settleRun(number, isClean ? .kept("a clean close") : .undecided(why))
        }
    }
}
