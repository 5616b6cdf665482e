import Contracts
import Journaling
import Wire

/// How requests are settled: each once.
extension Reader {
    @inline(__always)
    func obligation(of request: Request) -> Obligation? {
        guard let contract else { return nil }
        let card = request.value.card(line(of: request))
        switch request.waits {
        case .refusal(let rule, _):
            guard contract.reject.indices.contains(rule) else { return nil }
            return .rejection(card, expected: Self.expected(contract.reject[rule]))
        case .answer(let names):
            return .answer(card, expected: Wording.list(names + answerCloses(of: request).map { "a close with \($0)" }))
        case .start, .nothing: return nil
        }
    }

    /// Close codes that are its answer.
    func answerCloses(of request: Request) -> [Int] {
        guard let contract, case .answer = request.waits, let rule = request.recognition.rule,
            contract.requests.indices.contains(rule)
        else { return [] }
        return contract.requests[rule].answerCloses
    }

    /// `connection_error`, `an error or a close`.
    static func expected(_ rule: RejectRule) -> String {
        Wording.list(
            rule.outcomes.map { outcome in
                switch outcome {
                case .kind(let kind): kind
                case .anyError: "an error"
                case .anyClose: "a close"
                case .close(let code): "a close with \(code)"
                case .silence: "silence"
                case .accepted: "acceptance"
                }
            })
    }

    /// The request's outcome is here, whatever it is; what it owed is told, and it waits no more.
    mutating func settle(_ number: UInt64, _ fate: Fate) {
        guard let request = requests[number] else { return }
        var fate = fate
        switch fate {
        case .missed, .broken:
            if request.isIndeterminate {
                fate = .undecided("its link to events is not unique")
            } else if let why = mayHaveCome(to: request.user) {
                fate = .undecided(why)
            }
        default: break
        }
        leaveRecovery(of: request, fate)
        if !stated.isEmpty, !request.isRefusal { answeredStated(request.user, request.session, askedAt: request.at, fate) }
        if let obligation = obligation(of: request), !isSilent(request), !isOptional(request, fate) {
            readings.append(.settled(obligation, fate))
        }
        var isSpared = false
        if case .undecided = fate { isSpared = true }
        close(number, isSpared: isSpared)
    }

    /// Only E4 is judged where silence is an outcome, so an expired bound is as good as kept.
    @inline(__always)
    func isSilent(_ request: Request) -> Bool {
        guard let rule = request.rule, let contract, contract.reject.indices.contains(rule) else { return false }
        return contract.reject[rule].outcomes.contains(.silence)
    }

    /// An answer that may take for ever need not come; that it came once is told.
    @inline(__always)
    private func isOptional(_ request: Request, _ fate: Fate) -> Bool {
        guard case .answer = request.waits, let rule = request.recognition.rule, let contract,
            contract.requests.indices.contains(rule), contract.requests[rule].isBoundless
        else { return false }
        if case .kept = fate { return false }
        return true
    }

    /// Takes it off the books without a word.
    mutating func close(_ number: UInt64, isSpared: Bool = false) {
        guard let request = requests.removeValue(forKey: number) else { return }
        if case .refusal(_, isStateful: true) = request.waits { statefulLabels -= 1 }
        requestBytes -= request.size
        sessions[request.session]?.open.removeAll { $0 == number }
        if request.isRefusal { sessions[request.session]?.value.haunt(Ghost(request: request, wasAnswered: false, isSpared: isSpared)) }
    }

    /// Its bound is over: a must-reject request without an outcome, an answer that never came.
    mutating func expire(_ number: UInt64, at now: Instant, isLate: Bool = false) {
        guard let request = requests[number], let pending = request.pending, let session = sessions[request.session] else {
            return close(number)
        }
        if request.waits == .nothing { return close(number) }
        if request.isRefusal, !stillRefused(request) { return close(number) }
        if session.isClosedByClient { return settle(number, .undecided("the client left before the deadline")) }
        if let why = session.obscured { return settle(number, .undecided(why)) }
        let held = held(request, since: pending.since, until: now)
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, request.session, .user, at: now) ?? mayHaveCome(to: request.user)
        {
            return settle(number, .undecided(why))
        }
        var evidence = evidence(of: request, entry: nil, at: pending.due)
        if request.isRefusal, !request.isIndeterminate, !isSilent(request) { joinError(of: request, to: &evidence) }
        settle(number, .missed(bound: pending.bound, evidence))
    }

    // MARK: What is left over (semantics 7)

    mutating func keepLeftover(_ event: Event, owner: String? = nil) {
        if leftovers.count >= capacity.leftovers { leftovers.removeFirst() }
        let kind = event.recognition.value.flatMap { contract?.errorKind(of: $0) }
        leftovers.append(
            Leftover(
                entry: event.entry, session: event.session, user: event.user, owner: owner, kind: kind, links: event.links,
                at: event.at))
    }

    /// A must-reject request that nobody answered, and an error that nobody asked for at another user's: one cause.
    private mutating func joinError(of request: Request, to evidence: inout Evidence) {
        guard let rule = request.rule, let contract, contract.reject.indices.contains(rule) else { return }
        let fitting = leftovers.indices.filter { index in
            let leftover = leftovers[index]
            return isLate(leftover, for: request) && contract.reject[rule].allows(kind: leftover.kind)
                && Self.match(request.links, leftover.links) != .unequal
        }
        let equal = fitting.first { index in
            if case .equal = Self.match(request.links, leftovers[index].links) { return true }
            return false
        }
        guard let index = equal ?? fitting.first(where: { !isNamed(leftovers[$0]) }) else { return }
        join(request, at: index, to: &evidence)
    }

    /// The same for a request whose run never started: here only an error that repeats what names this request and no
    /// other, or that says it is for this user and speaks of nothing else, is taken to be its answer.
    mutating func joinStart(of request: Request, to evidence: inout Evidence) {
        let index = leftovers.firstIndex { leftover in
            guard isLate(leftover, for: request) else { return false }
            switch Self.match(request.links, leftover.links) {
            case .equal(let path): return isExclusive(path) || leftover.owner == request.user.label
            case .never: return leftover.owner == request.user.label
            case .unequal: return false
            }
        }
        if let index { join(request, at: index, to: &evidence) }
    }

    /// It repeats what names a request that is still open: that one's it is, not just any that it fits.
    private func isNamed(_ leftover: Leftover) -> Bool {
        requests.values.contains { request in
            if case .equal(let path) = Self.match(request.links, leftover.links) { isExclusive(path) } else { false }
        }
    }

    private func isLate(_ leftover: Leftover, for request: Request) -> Bool {
        leftover.user != request.user && leftover.at >= request.at
    }

    private mutating func join(_ request: Request, at index: Int, to evidence: inout Evidence) {
        let leftover = leftovers.remove(at: index)
        evidence.offending = leftover.entry.ref
        if let cause = Self.cause(leftover.entry) { evidence.causes.append(cause) }
        evidence.witness = [leftover.entry] + evidence.witness
        evidence.sessions.append(leftover.session)
        evidence.users.append(leftover.user.label)
        if let session = sessions[leftover.session] { evidence.witness += session.opening.suffix(1) }
        var reading = Reading.EventReading(
            type: contract?.errors?.event.first ?? "error", user: leftover.user.label, hasForeignCanaries: false,
            canary: nil, identity: nil, isOwned: true)
        reading.identity = .init(
            kind: .error, owner: request.user.label, name: "error", value: leftover.kind ?? "", line: line(of: request))
        reading.evidence = evidence
        reading.isJoined = true
        readings.append(.event(reading))
    }
}
