import Contracts
import Journaling
import Wire

/// Shape, kind, order and context of an error, and whether its connection is usable afterwards (E5; contract.md,
/// semantics 13 and 14).
extension Reader {
    /// One reading an error event: the first thing that is wrong with it, if any.
    mutating func tellForm(of event: Event, _ link: (request: Request, isCertain: Bool)?, _ contract: Terms) {
        guard let session = sessions[event.session] else { return }
        var problem = shapeProblem(event, contract)
        var doubt: String?
        if let link, !isNamesake(link.request), !isSilent(link.request) {
            if problem == nil { doubt = mayBeOfUnseen(event.user, at: event.at, isNamed: isNamed(link.request, by: event)) }
            problem = problem ?? kindProblem(event, link.request, contract)
                ?? orderProblem(link.request, isCertain: link.isCertain, contract)
                ?? (link.isCertain ? contextProblem(event, link.request, contract) : nil)
            if link.isCertain, link.request.isRefusal {
                let asked = link.request.session
                let youngest = sessions[asked]?.youngestAnswered?.number ?? 0
                if link.request.number > youngest {
                    sessions[asked]?.youngestAnswered = (link.request.number, link.request.phrase)
                }
            }
        }
        var reading = Reading.ErrorReading(user: event.user.label, line: contract.errors?.line ?? 0)
        if let problem {
            reading.problem = problem
            reading.doubt = doubt
            reading.evidence = link.map { evidence(of: $0.request, entry: event.entry, at: event.at) }
                ?? evidence(for: session, entry: event.entry, at: event.at)
        }
        readings.append(.error(reading))
    }

    private func isNamed(_ request: Request, by event: Event) -> Bool {
        if case .equal(let path) = Self.match(request.links, event.links) { isExclusive(path) } else { false }
    }

    private func shapeProblem(_ event: Event, _ contract: Terms) -> Reading.ErrorReading.Problem? {
        if case .invalid(let what) = event.recognition.outcome { return .shape(what, caret: nil) }
        guard let rules = contract.errors, !rules.kinds.isEmpty else { return nil }
        let kind = event.recognition.value.flatMap(contract.errorKind)
        guard let kind else { return .shape("it has no kind", caret: nil) }
        if rules.kinds.contains(kind) { return nil }
        return .kind(found: Terminal.plain(kind), expected: Wording.list(rules.kinds))
    }

    private func kindProblem(_ event: Event, _ request: Request, _ contract: Terms) -> Reading.ErrorReading.Problem? {
        guard let rule = request.rule, contract.reject.indices.contains(rule), !request.isIndeterminate else { return nil }
        let kind = event.recognition.value.flatMap(contract.errorKind)
        if allows(request, kind: kind) { return nil }
        // Whose the thread is that it names may be asked first, and only the server knows that.
        if request.recognition.value != nil, !isPlain(request),
            contract.reject.contains(where: { $0.allows(kind: kind) })
        {
            return nil
        }
        return .kind(found: kind.map { Terminal.plain($0) } ?? "no kind", expected: Self.expected(contract.reject[rule]))
    }

    private func orderProblem(_ request: Request, isCertain: Bool, _ contract: Terms) -> Reading.ErrorReading.Problem? {
        guard isCertain, request.isRefusal, contract.errors?.ordered == true,
            let youngest = sessions[request.session]?.youngestAnswered, youngest.number > request.number
        else { return nil }
        return .order(older: request.phrase, younger: youngest.phrase)
    }

    /// Demanded only where the request's value is known to be the user's own: a foreign one need not come back.
    private func contextProblem(_ event: Event, _ request: Request, _ contract: Terms) -> Reading.ErrorReading.Problem? {
        guard let paths = contract.errors?.context, let value = event.recognition.value, !request.isIndeterminate,
            !request.recognition.tolerated
        else { return nil }
        for (index, path) in paths.enumerated() where request.context.indices.contains(index) {
            guard let wanted = request.context[index], identifiers.isOwn(path, wanted, of: request.user, aliases) else { continue }
            let found = path.value(in: value)
            if let found, Self.same(found, wanted) { continue }
            // It repeats what another request here said: then it is rather that one's.
            if let found, !isNamed(request, by: event), said[request.session]?.has(Identifiers.text(found)) ?? true { continue }
            return .context(
                path: path.text, expected: Terminal.plain(Identifiers.text(wanted)),
                found: found.map { Terminal.plain(Identifiers.text($0)) })
        }
        return nil
    }

    // MARK: Recovery

    /// A must-accept request behind an error on the same connection is settled: nil = it worked.
    mutating func tellRecovery(of request: Request, failure: String?, _ entry: Entry?, at: Instant) {
        guard !request.isIndeterminate, let usable = takeUsable(for: request) else { return }
        var outcome = Reading.Recovery.Outcome.worked
        if failure != nil, let why = mayHaveCome(to: request.user) {
            outcome = .undecided(why)
        } else if let failure {
            var evidence = evidence(of: request, entry: entry, at: at)
            evidence.witness += [usable.error, usable.request]
            outcome = .failed(failure, evidence)
        }
        readings.append(.recovery(.init(user: request.user.label, outcome: outcome, line: usable.line)))
    }

    /// Its connection is gone before the request showed whether it works.
    mutating func leaveRecovery(of request: Request, _ fate: Fate) {
        let outcome: Reading.Recovery.Outcome
        switch fate {
        case .cut(let cause): outcome = .cut(cause)
        case .undecided(let why): outcome = .undecided(why)
        case .kept, .missed, .broken: return
        }
        guard let usable = takeUsable(for: request) else { return }
        readings.append(.recovery(.init(user: request.user.label, outcome: outcome, line: usable.line)))
    }

    private mutating func takeUsable(for request: Request) -> Usable? {
        guard request.isFromFlow, let usable = sessions[request.session]?.usable,
            usable.pending.since <= request.at
        else { return nil }
        sessions[request.session]?.usable = nil
        return usable
    }

    /// The server ends a connection on which it has just answered with an error.
    mutating func judgeUsable(_ id: SessionID, endedWith code: Int?, _ entry: Entry, at: Instant) {
        guard let session = sessions[id], let usable = session.usable, !session.isClosedByClient, session.cutBy == nil,
            session.obscured == nil
        else {
            return
        }
        sessions[id]?.usable = nil
        // Going away and restarting have other reasons; an end much later as well.
        if let code, [1000, 1001, 1012, 1013].contains(code) { return }
        if explanation(of: code, on: session) != nil { return }
        let isPolicy = code.map { contract?.auth?.close.contains($0) ?? false } ?? false
        guard at <= usable.pending.due, !usable.mayClose, !isPolicy else { return }
        // It may be another session of the user that it was ended for.
        guard mayHaveCome(to: session.user) == nil else { return }
        let how = code.map { "a close with \($0)" } ?? "the end of the connection"
        var evidence = evidence(for: session, entry: entry, at: at)
        evidence.witness.insert(contentsOf: [usable.error, usable.request], at: min(1, evidence.witness.count))
        readings.append(
            .recovery(
                .init(user: session.user.label, outcome: .failed(how, evidence), line: usable.line)))
    }
}
