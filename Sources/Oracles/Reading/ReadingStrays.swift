import Contracts
import Journaling
import Wire

/// Events without a run of their own: keyless ones, those behind `done`, and those nobody asked for.
extension Reader {
    /// Edges and parts decide for messages without a key; several runs that could take it condemn nobody.
    mutating func stepKeyless(_ event: Event, _ keys: [RunKey], _ contract: Terms) -> Bool {
        var takers: [UInt64] = []
        for id in members[event.user] ?? [] {
            for number in sessions[id]?.runs ?? [] {
                guard let run = runs[number], !keys.contains(where: { $0.rule == run.rule }) else { continue }
                let rule = contract.runs[run.rule]
                guard rule.states.indices.contains(run.state) else { continue }
                let state = rule.states[run.state].name
                let (name, type) = (event.recognition.name, event.recognition.type)
                let isPart = rule.parts.contains { part in
                    ([part.start, part.end] + part.inside).contains { $0.names(isRequest: false, name: name, type: type) }
                }
                if isPart || rule.edge(from: state, isRequest: false, name: name, type: type) != nil {
                    takers.append(number)
                }
            }
        }
        guard !takers.isEmpty else { return false }
        if takers.count > 1 { for number in takers { runs[number]?.isIndeterminate = true } }
        let here = takers.first { runs[$0]?.session == event.session }
        if let number = here ?? takers.first { step(number, event, contract) }
        return true
    }

    /// After `done` any message with the key is E1, until a new start takes the key again.
    mutating func afterwards(_ event: Event, _ key: RunKey, _ tomb: Tomb, _ contract: Terms) {
        guard tomb.isDone, !event.isCopy, aliases(tomb.owner) == event.user, let session = sessions[event.session],
            session.obscured == nil, !mayBeDisordered(event.user, at: event.at), !mayBeLateCopy(event, of: tomb.endedOn)
        else { return }
        let rule = contract.runs[key.rule]
        var evidence = evidence(for: session, entry: event.entry, at: event.at)
        evidence.causes.append(.run(tomb.number))
        if let last = lastWords[tomb.number] { evidence.witness.insert(last, at: min(1, evidence.witness.count)) }
        // Said once a run.
        tombs.update(key) { $0.isDone = false }
        // The key may have been taken again on a session that is not here.
        let doubt = mayHaveCome(to: event.user)
        readings.append(
            .stray(
                .init(
                    kind: .afterDone, run: rule.name, key: key.text, type: event.type, user: event.user.label,
                    evidence: evidence, line: rule.line, doubt: doubt)))
    }

    /// It comes to another connection of the user than the run's last word, longer behind it than copies are known for.
    func mayBeLateCopy(_ event: Event, of session: SessionID?) -> Bool {
        session != event.session && copies.mayMiss(copiesOf: event.user)
    }

    /// What it belongs to may be among what was forgotten.
    private var hasForgotten: Bool { tombs.forgotten > 0 || bereaved.forgotten > 0 || unseen.forgotten > 0 }

    mutating func nobodyAsked(_ event: Event, _ keys: [RunKey], _ contract: Terms) {
        guard let session = sessions[event.session], session.obscured == nil, session.cutBy == nil else { return }
        // What was asked before the accept is owed nothing and forgotten at its bound; a slow server may start it yet.
        guard !session.spokeEarly else { return }
        let (name, type) = (event.recognition.name, event.recognition.type)
        guard let index = contract.runs.firstIndex(where: { $0.names(isRequest: false, name: name, type: type) }) else {
            return
        }
        let rule = contract.runs[index]
        let key = keys.first { $0.rule == index }
        if rule.unasked, let initial = rule.initial,
            rule.edge(from: initial, isRequest: false, name: name, type: type) != nil
        {
            return beginUnasked(index, key, event, contract)
        }
        // What was forgotten, or lost with a connection, may well be what it belongs to.
        guard !event.isCopy, !isBereaved(event.user, at: event.at), !hasForgotten,
            !mayBeDisordered(event.user, at: event.at)
        else { return }
        // Somebody asked for something that the contract leaves open.
        if session.open.contains(where: { isOpenEnded($0) }) { return }
        if let key { tombs.set(key, Tomb(number: 0, owner: event.user, isDone: false)) }
        let doubt = rule.serverScope ? mayBeOfUnseen(event.user, at: event.at, isNamed: false) : nil
        if doubt != nil { meetUnseen(event.user, at: event.at) }
        readings.append(
            .stray(
                .init(
                    kind: .nobodyAsked, run: rule.name, key: key?.text, type: event.type, user: event.user.label,
                    evidence: evidence(for: session, entry: event.entry, at: event.at), line: rule.line, doubt: doubt)))
    }

    /// Its effects are the server's choice. To bring a credential is none.
    func isOpenEnded(_ number: UInt64) -> Bool {
        guard let request = requests[number], request.waits == .nothing else { return false }
        guard let name = request.recognition.name, let places = contract?.identity.credential else { return true }
        return !places.contains { $0.text.hasPrefix("request \(name) ") }
    }

    private mutating func beginUnasked(_ rule: Int, _ key: RunKey?, _ event: Event, _ contract: Terms) {
        lastRun += 1
        runs[lastRun] = Run(RunState(
            number: lastRun, rule: rule, key: key, owner: event.user, session: event.session, request: nil,
            links: event.links, entry: nil))
        sessions[event.session]?.runs.append(lastRun)
        start(lastRun, key: key, event, contract)
    }

    /// A message of the client may be an edge of a run (`request NAME`): of the one whose key it bears, or, without a key, of
    /// the one on this connection that has such an edge; where several have, nobody knows which is meant.
    mutating func stepRuns(request: Recognition, _ value: JSON, _ entry: Entry, _ id: SessionID, at: Instant) {
        guard let contract else { return }
        for (index, rule) in contract.runs.enumerated() where rule.hasRequestEdges {
            guard let key = contract.key(of: rule, in: value) else {
                stepKeyless(request: request, index, rule, entry, id, at: at)
                continue
            }
            let runKey = RunKey(rule: index, session: rule.serverScope ? nil : id, text: Identifiers.text(key))
            let number = runsByKey[runKey] ?? openRuns(on: id).first { runs[$0]?.rule == index && runs[$0]?.wished == runKey.text }
            if let number { step(number, request: request, rule, entry, at: at) }
        }
    }

    /// Those without a key yet.
    @inline(__always)
    private func openRuns(on id: SessionID) -> [UInt64] { (sessions[id]?.runs ?? []).filter { runs[$0]?.key == nil } }

    private mutating func stepKeyless(
        request: Recognition, _ index: Int, _ rule: RunTerms, _ entry: Entry, _ id: SessionID, at: Instant
    ) {
        let takers = (sessions[id]?.runs ?? []).filter { number in
            runs[number].map { $0.rule == index && edge(of: $0, for: request, rule) != nil } ?? false
        }
        if takers.count > 1 { for number in takers { runs[number]?.isIndeterminate = true } }
        if takers.count == 1, let number = takers.first { step(number, request: request, rule, entry, at: at) }
    }

    private func edge(of run: Run, for request: Recognition, _ rule: RunTerms) -> RunRule.Edge? {
        guard rule.states.indices.contains(run.state) else { return nil }
        return rule.edge(from: rule.states[run.state].name, isRequest: true, name: request.name, type: request.type)
    }

    private mutating func step(_ number: UInt64, request: Recognition, _ rule: RunTerms, _ entry: Entry, at: Instant) {
        guard let run = runs[number], let edge = edge(of: run, for: request, rule) else { return }
        runs[number]?.value.note(entry)
        // A server may read it differently, or not at all.
        if request.tolerated || request.outcome != .valid { runs[number]?.isIndeterminate = true }
        if edge.next == "done" {
            settleRun(number, .kept(request.name ?? "a request"))
            // What was under way when it left may still come.
            bury(number, isDone: false, last: entry)
        } else if let state = rule.states.firstIndex(where: { $0.name == edge.next }), state != run.state {
            runs[number]?.state = state
            enter(number, since: at)
        }
    }

    /// An event that reached the wrong user: its run and the request that caused it are told by I2 alone.
    mutating func condemn(_ event: Event, _ contract: Terms) {
        guard !event.isError else { return }
        for key in event.keys {
            if let number = runsByKey[key] { runs[number]?.value.note(event.entry) }
        }
    }
}
