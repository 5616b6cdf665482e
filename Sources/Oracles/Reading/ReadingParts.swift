import Contracts
import Journaling
import Wire

/// Parts of runs: each begins once, and ends once while its run is under way (contract.md, semantics 9).
extension Reader {
    /// Judged before the edge. True: a part of the run names this event.
    mutating func stepParts(_ number: UInt64, _ event: Event, _ rule: RunTerms, in state: String) -> Bool {
        let named = rule.roles(of: event.recognition)
        if named.roles.isEmpty, named.before.isEmpty { return false }
        if event.recognition.value == nil { return false }
        for role in named.roles {
            let key = rule.partKeys[role.part].map { place in event.value(place).flatMap { Self.isLegible($0) ? $0 : nil } }
            if role.isInside, runs[number]?.parts.meant(by: key, rule: role.part) == nil {
                misplace(.outside, role.part, key, number, event, rule)
            }
            if role.isStart { beginPart(role.part, key, number, event, rule, in: state) }
            if role.isEnd { endPart(role.part, key, number, event, rule) }
        }
        for part in named.before { requireEnds(of: part, number, event) }
        return !named.roles.isEmpty
    }

    private mutating func beginPart(
        _ index: Int, _ key: [JSON?], _ number: UInt64, _ event: Event, _ rule: RunTerms, in state: String
    ) {
        // Nothing else may hold the run when the part is noted, or it is copied.
        guard let place = runs[number]?.session, let loop = sessions[place]?.loop else { return }
        let states = rule.parts[index].in
        if !states.isEmpty, !states.contains(state) { return misplace(.notIn(state), index, key, number, event, rule) }
        if runs[number]?.parts.hasBegun(key, rule: index) == true {
            return misplace(.beginsAgain, index, key, number, event, rule)
        }
        guard let count = runs[number]?.parts.count, count < capacity.perSession, partsKept < capacity.names else {
            note("more parts of runs are open than miswire keeps; what is open of these runs is left undecided")
            settleParts(of: number, .undecided("more parts of the run were open than miswire keeps"))
            runs[number]?.parts.isSpent = true
            return
        }
        partsKept += 1
        lastPart += 1
        var pending: Pending?
        if let bound = rule.parts[index].within {
            let due = self.pending(bound, since: event.at, loop: loop)
            deadlines.add(.part(run: number, number: lastPart), at: due.due)
            pending = due
        }
        runs[number]?.value.parts.begin(
            .init(number: lastPart, rule: index, key: key, entry: event.entry, pending: pending))
    }

    private mutating func endPart(_ index: Int, _ key: [JSON?], _ number: UInt64, _ event: Event, _ rule: RunTerms) {
        guard let place = runs[number]?.parts.meant(by: key, rule: index) else {
            let hasEnded = runs[number]?.parts.hasEnded(key, rule: index) ?? false
            return misplace(hasEnded ? .endsAgain : .neverBegan, index, key, number, event, rule)
        }
        if let part = runs[number]?.parts.open[place], let pending = part.pending, Self.isBehind(event, pending),
            isLate(event, for: pending)
        {
            missPart(part.number, of: number, at: event.at, isLate: true)
        }
        guard let part = runs[number]?.value.parts.end(at: place), !part.isSettled else { return }
        settle(part, of: number, .kept(event.type))
    }

    /// `before`: all of that kind must have ended when this event comes.
    private mutating func requireEnds(of index: Int, _ number: UInt64, _ event: Event) {
        guard let run = runs[number], !run.parts.isSpent else { return }
        let unended = run.parts.open.filter { $0.rule == index && !$0.isSettled }
        guard !unended.isEmpty, sessions[event.session]?.obscured == nil, !mayBeDisordered(event.user, at: event.at) else { return }
        let type = event.type
        for part in unended {
            var evidence = evidence(of: run, entry: event.entry, at: event.at)
            evidence.witness.insert(part.entry, at: min(1, evidence.witness.count))
            settle(part, of: number, .broken("before \(type)", edge: "before \(type)", evidence))
            runs[number]?.value.parts.change(part.number) { $0.isSettled = true }
        }
        runs[number]?.parts.isSpent = true
    }

    /// Its bound is over.
    mutating func missPart(_ part: UInt64, of number: UInt64, at now: Instant, isLate: Bool = false) {
        guard let run = runs[number], let session = sessions[run.session],
            let known = run.parts.open.first(where: { $0.number == part }), !known.isSettled, let pending = known.pending
        else { return }
        runs[number]?.value.parts.change(part) {
            $0.isSettled = true
            $0.pending = nil
        }
        if session.isClosedByClient { return settle(known, of: number, .undecided("the client left before the deadline")) }
        if let why = session.obscured { return settle(known, of: number, .undecided(why)) }
        let held = held(run, since: pending.since, until: now)
        if let why = starvation.excuse(session.loop, pending, at: now, isLate: isLate)
            ?? excuse(unread: held, pending, run.session, .user, at: now)
        {
            return settle(known, of: number, .undecided(why))
        }
        var evidence = evidence(of: run, entry: nil, at: pending.due)
        evidence.witness.insert(known.entry, at: 0)
        settle(known, of: number, .missed(bound: pending.bound, evidence))
    }

    /// The run is over, or nobody can tell any more: what is open of it is left undecided, or has nothing to end for.
    mutating func settleParts(of number: UInt64, _ fate: Fate) {
        guard let open = runs[number]?.parts.open, !open.isEmpty else { return }
        switch fate {
        case .cut, .undecided: for part in open where !part.isSettled { settle(part, of: number, fate) }
        case .kept, .missed, .broken: break
        }
        runs[number]?.value.parts.settleAll()
    }

    private mutating func settle(_ part: PartBook.Part, of number: UInt64, _ fate: Fate) {
        guard let run = runs[number], let contract else { return }
        let rule = contract.runs[run.rule]
        let known = rule.parts[part.rule]
        var fate = fate
        switch fate {
        case .missed, .broken:
            if run.isIndeterminate {
                fate = .undecided("its link to events is not unique")
            } else if let why = mayHaveCome(to: run.owner) {
                fate = .undecided(why)
            } else if run.parts.isSpent {
                // Of the same cause, which is told.
                return
            }
        default: break
        }
        let card = PartCard(
            name: known.name, run: rule.name, key: Self.text(part.key), end: known.end.glob.text, user: run.owner.label,
            line: known.line)
        readings.append(.settled(.part(card), fate))
    }

    private static func text(_ key: [JSON?]) -> String? { key.lazy.compactMap { $0 }.first.map { Identifiers.text($0) } }

    private mutating func misplace(
        _ kind: Reading.Misplaced.Kind, _ index: Int, _ key: [JSON?], _ number: UInt64, _ event: Event, _ rule: RunTerms
    ) {
        guard let run = runs[number], !run.isIndeterminate, !run.parts.isSpent, !event.isCopy,
            sessions[event.session]?.obscured == nil, !mayBeDisordered(event.user, at: event.at), !mayBeLateCopy(event, of: run.session)
        else { return }
        runs[number]?.value.parts.isSpent = true
        var evidence = evidence(of: run, entry: event.entry, at: event.at)
        if let other = (run.parts.open + run.parts.ended).last(where: { $0.rule == index }) {
            evidence.witness.insert(other.entry, at: min(1, evidence.witness.count))
        }
        // What began it may have gone to a connection that is not here.
        var doubt = mayHaveCome(to: run.owner)
        switch kind {
        case .neverBegan, .outside: doubt = doubt ?? mayBeOfUnseen(run.owner, at: event.at, isNamed: false)
        case .notIn, .beginsAgain, .endsAgain: break
        }
        readings.append(
            .misplaced(
                .init(
                    kind: kind, part: rule.parts[index].name, key: Self.text(key), run: rule.name, type: event.type,
                    user: run.owner.label, evidence: evidence, line: rule.parts[index].line, doubt: doubt)))
    }
}
