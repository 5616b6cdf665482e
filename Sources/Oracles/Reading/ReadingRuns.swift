import Contracts
import Journaling
import Wire

/// Runs: born at their request, keyed by their first event, over at `done` (contract.md, semantics 9 and 10).
extension Reader {
    /// An instance for a request that starts one; its first event says what its key is.
    mutating func beginRun(_ rule: Int, for request: inout Request, on id: SessionID, isDoubtful: Bool) -> UInt64 {
        lastRun += 1
        var run = Run(RunState(
            number: lastRun, rule: rule, key: nil, owner: request.user, session: id, request: request.number,
            links: request.links, entry: request.entry))
        run.isIndeterminate = isDoubtful || request.isIndeterminate
        if let contract, let value = request.recognition.value {
            run.wished = contract.key(of: contract.runs[rule], in: value).map { Identifiers.text($0) }
            if let wished = run.wished, takeOver(wished, rule, of: request.user, on: id, contract) { run.isIndeterminate = true }
        }
        runs[run.number] = run
        sessions[id]?.runs.append(run.number)
        pulse(.run(run.number, .began), id)
        enter(run.number, since: request.at)
        while runs.count > capacity.runs || (sessions[id]?.runs.count ?? 0) > capacity.perSession {
            guard let oldest = sessions[id]?.runs.first, oldest != run.number else { break }
            note("more runs are open than miswire keeps; the oldest are left undecided")
            settleRun(oldest, .undecided("more runs were open than miswire keeps"))
            bury(oldest, isDone: false)
        }
        return run.number
    }

    /// A run of that user and key is still known: what comes may be either's. True when there is one.
    private mutating func takeOver(
        _ wished: String, _ rule: Int, of user: Principal, on id: SessionID, _ contract: Terms
    ) -> Bool {
        let key = RunKey(rule: rule, session: contract.runs[rule].serverScope ? nil : id, text: wished)
        guard let old = runsByKey[key], runs[old]?.owner == user else { return false }
        runs[old]?.isIndeterminate = true
        if !isHot(old) {
            settleRun(old, .kept("its key is taken again"))
            bury(old, isDone: false)
        }
        return true
    }

    /// Entering a hot state starts its bound; self-edges do not come here.
    mutating func enter(_ number: UInt64, since: Instant) {
        guard let contract, let (rule, state, session) = runs[number].map({ ($0.rule, $0.state, $0.session) }) else { return }
        let bound = contract.runs[rule].bound(of: state)
        pulse(.run(number, .entered(isBounded: bound != nil)), session)
        guard let loop = sessions[session]?.loop, let bound else {
            runs[number]?.pending = nil
            return
        }
        let pending = pending(bound, since: since, loop: loop)
        runs[number]?.pending = pending
        deadlines.add(.run(number), at: pending.due)
    }

    /// The first event of a run whose request waited for it.
    mutating func start(_ number: UInt64, key: RunKey?, _ event: Event, _ contract: Terms) {
        if let key {
            runs[number]?.key = key
            runsByKey.set(key, number)
        }
        if let run = runs[number], let request = run.request, let open = requests[request] {
            tellRecovery(of: open, failure: nil, event.entry, at: event.at)
        }
        step(number, event, contract)
    }

    /// The run that a success event opens though its request was must-reject, or was never one that starts runs.
    mutating func adopt(
        _ event: Event, _ request: Request, _ keys: [RunKey], _ contract: Terms
    ) -> UInt64? {
        for (index, rule) in contract.runs.enumerated() {
            guard let initial = rule.initial, let key = keys.first(where: { $0.rule == index }), runsByKey[key] == nil,
                rule.edge(
                    from: initial, isRequest: false, name: event.recognition.name, type: event.recognition.type) != nil
            else { continue }
            var copy = request
            let number = beginRun(index, for: &copy, on: request.session, isDoubtful: false)
            start(number, key: key, event, contract)
            return number
        }
        return nil
    }

    /// Parts first, then the edge; neither: E1, naming state and event.
    mutating func step(_ number: UInt64, _ event: Event, _ contract: Terms) {
        // Nothing else may hold the run meanwhile, or it is copied.
        guard let place = runs[number]?.value.hear(event) else { return }
        pulse(.run(number, .heard(event.type)), event.session)
        let rule = contract.runs[place.rule]
        guard rule.states.indices.contains(place.state) else { return }
        let state = rule.states[place.state].name
        let (name, type) = (event.recognition.name, event.recognition.type)
        let isPart = !rule.parts.isEmpty && stepParts(number, event, rule, in: state)
        if let move = rule.move(from: place.state, by: event.recognition) {
            follow(move, number, event)
        } else if !isPart, rule.names(isRequest: false, name: name, type: type) {
            stray(.noEdge(state), number, event, rule)
        }
    }

    private mutating func follow(_ move: RunTerms.Move, _ number: UInt64, _ event: Event) {
        switch move {
        case .done:
            judgeLate(number, event)
            if let contract { endInside(number, event, contract) }
            settleRun(number, .kept(event.type))
            if let run = runs[number] { noteFinished(run, event) }
            bury(number, isDone: true, last: event.entry, end: .completed)
        case .state(let index):
            guard let index, index != runs[number]?.state else { return }
            judgeLate(number, event)
            runs[number]?.state = index
            enter(number, since: event.at)
        }
    }

    /// It leaves a hot state whose bound is over and was not judged yet.
    private mutating func judgeLate(_ number: UInt64, _ event: Event) {
        guard let pending = runs[number]?.pending, Self.isBehind(event, pending), isLate(event, for: pending) else { return }
        missRun(number, at: event.at, isLate: true)
    }

    /// An error that is this run's: it takes the error's edge, or ends where it stands.
    mutating func endByError(_ number: UInt64, _ event: Event, _ contract: Terms) {
        guard let run = runs[number] else { return }
        runs[number]?.value.note(event.entry)
        judgeLate(number, event)
        endInside(number, event, contract)
        settleRun(run.number, .kept(event.type))
        bury(run.number, isDone: run.key != nil, last: event.entry, end: .failed)
    }

    mutating func settleRun(_ number: UInt64, _ fate: Fate) {
        guard runs[number]?.isSettled == false, let contract else { return }
        runs[number]?.isSettled = true
        settleParts(of: number, fate)
        leaveInside(number, fate)
        runs[number]?.end = Self.end(fate)
        guard let run = runs[number] else { return }
        let rule = contract.runs[run.rule]
        let state = rule.states.indices.contains(run.state) ? rule.states[run.state].name : ""
        var fate = fate
        switch fate {
        case .missed, .broken:
            if run.isIndeterminate {
                fate = .undecided("its link to events is not unique")
            } else if let why = mayHaveCome(to: run.owner) {
                fate = .undecided(why)
            }
        default: break
        }
        readings.append(
            .settled(
                .run(
                    name: rule.name, key: run.key?.text, state: state, expected: rule.ends(of: run.state),
                    user: run.owner.label, line: rule.line),
                fate))
        if targetWatch.sentinel != nil { followSentinel(run, fate) }
        if !stated.isEmpty, let asked = run.value.firstEntry { answeredStated(run.owner, run.session, askedAt: asked.instant, fate) }
    }

    /// Off the books; its key stays known, so that what comes after is seen.
    /// - Parameter end: what became of it; nil = as it was settled.
    mutating func bury(_ number: UInt64, isDone: Bool, last: Entry? = nil, end: RunEnd? = nil) {
        guard let run = runs.removeValue(forKey: number) else { return }
        pulse(.run(number, .over(end ?? run.end ?? .abandoned)), run.session)
        partsKept -= run.parts.count
        sessions[run.session]?.runs.removeAll { $0 == number }
        guard let key = run.key else { return }
        runsByKey.remove(key, of: number)
        tombs.set(key, Tomb(number: number, owner: run.owner, isDone: isDone && !run.isIndeterminate, endedOn: last?.session))
        if let last { lastWords.set(last, of: number) }
    }

    /// The bound of a hot state is over.
    mutating func missRun(_ number: UInt64, at now: Instant, isLate: Bool = false) {
        guard let run = runs[number], let pending = run.pending, let session = sessions[run.session] else { return }
        runs[number]?.pending = nil
        if session.isClosedByClient { return settleRun(number, .undecided("the client left before the deadline")) }
        if let why = session.obscured { return settleRun(number, .undecided(why)) }
        let held = held(run, since: pending.since, until: now)
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, run.session, .user, at: now) ?? mayHaveCome(to: run.owner)
        {
            return settleRun(number, .undecided(why))
        }
        var evidence = evidence(of: run, entry: nil, at: pending.due)
        if let request = run.request.flatMap({ requests[$0] }) {
            if run.key == nil, !run.isIndeterminate, !request.isIndeterminate { joinStart(of: request, to: &evidence) }
            tellRecovery(of: request, failure: "nothing", nil, at: pending.due)
        }
        settleRun(number, .missed(bound: pending.bound, evidence))
    }

    func evidence(of run: Run, entry: Entry?, at: Instant) -> Evidence {
        var evidence = Evidence(
            causes: [.run(run.number)] + (run.request.map { [.request($0)] } ?? [])
                + (Self.cause(entry).map { [$0] } ?? []),
            offending: entry?.ref, witness: (entry.map { [$0] } ?? []) + run.entries, sessions: [run.session],
            users: [run.owner.label], instant: at, faults: [])
        if let session = sessions[run.session] {
            evidence.witness += session.faults.suffix(2) + session.opening.suffix(1)
            evidence.faults = session.faultRecords
        }
        return evidence
    }

    private mutating func stray(_ kind: Reading.Stray.Kind, _ number: UInt64, _ event: Event, _ rule: RunTerms) {
        guard let run = runs[number], !run.isIndeterminate, !event.isCopy, sessions[event.session]?.obscured == nil,
            !mayBeDisordered(event.user, at: event.at)
        else { return }
        readings.append(
            .stray(
                .init(
                    kind: kind, run: rule.name, key: run.key?.text, type: event.type, user: run.owner.label,
                    evidence: evidence(of: run, entry: event.entry, at: event.at), line: rule.line,
                    doubt: mayHaveCome(to: run.owner))))
    }
}
