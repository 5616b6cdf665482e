import Contracts
import Journaling
import Wire

/// To which request or run an error belongs (contract.md, semantics 7), and what is wrong with it.
extension Reader {
    private enum Candidate: Hashable {
        case request(UInt64)
        case run(UInt64)
    }
    /// Candidates by class: (a) must-reject requests that allow its kind, (b) requests waiting for an answer or a
    /// start, (c) active runs.
    private struct Classes {
        var refusals: [UInt64] = []
        var waiting: [UInt64] = []
        var active: [UInt64] = []
        var count: Int { (refusals.isEmpty ? 0 : 1) + (waiting.isEmpty ? 0 : 1) + (active.isEmpty ? 0 : 1) }
    }

    mutating func linkError(_ event: Event, _ contract: Terms) {
        let kind = event.recognition.value.flatMap(contract.errorKind)
        let carriesKey = !event.keys.isEmpty
        for key in event.keys {
            if let number = runsByKey[key] { return endKeyed(number, key, kind, event, contract) }
            // Before blaming a run that is over: an open request may have asked about it.
            if let tomb = tombs[key], tomb.isDone, openRequests(of: event.user).isEmpty {
                tellForm(of: event, nil, contract)
                return afterwards(event, key, tomb, contract)
            }
        }
        let open = openRequests(of: event.user)
        let (equal, never) = compare(open, event, contract)
        if serial(open, event, contract) { return }
        let beside = equal.isExclusive ? [] : never.numbers
        if decide(equal, beside: beside, kind, event, carriesKey: carriesKey, contract) { return }
        if equal.isExclusive, fallBack(equal, kind, event, contract) { return }
        if !event.isCopy, haunts(event, kind, never, contract) { return tellForm(of: event, nil, contract) }
        let isLost = !equal.isExclusive && mayBeOfTheLost(event, kind)
        if decide(never, beside: equal.numbers, kind, event, carriesKey: carriesKey, contract) { return }
        if isLost {
            // Nobody here is known to have asked for it, and whoever may be refused may have been.
            doubt((equal.numbers + never.numbers).filter(mayBeRefused))
        } else if !event.isCopy {
            let elsewhere = owedElsewhere(open, kind, event, contract)
            if fallBack(equal, kind, event, contract) || fallBack(never, kind, event, contract) {
                // What is owed one on another connection of the user may have got it here.
                return doubt(elsewhere)
            }
            if giveElsewhere(elsewhere, kind, event, contract) { return }
        } else {
            // Two refusals may read alike to the letter: what looks like the other connection's may be this one's own.
            doubt((equal.numbers + never.numbers).filter(mayBeRefused))
        }
        tellForm(of: event, nil, contract)
        if !belongsToGhost(event, kind, contract) { keepLeftover(event) }
    }

    struct Candidates: Sendable {
        var numbers: [UInt64] = []
        var runs: [UInt64] = []
        var isExclusive = false
    }

    /// The equal ones of the first link path that has any, and those never unequal on this connection.
    private func compare(_ open: [UInt64], _ event: Event, _ contract: Terms) -> (Candidates, Candidates) {
        var best: Int?
        var equal = Candidates()
        var never = Candidates()
        func add(
            _ links: [JSON?], isHere: Bool, extras: [JSON?] = [], isBlurred: Bool = false, ignoring: (Int) -> Bool,
            _ append: (inout Candidates) -> Void
        ) {
            var compared = Self.match(links, event.links, ignoring: ignoring)
            // A server may repeat what it did not ask for.
            if compared == .never, case .equal(let index) = Self.match(extras, event.links, ignoring: { _ in true }) {
                compared = .equal(index)
            }
            switch compared {
            case .equal(let index):
                if let known = best, index > known { return }
                if best.map({ index < $0 }) ?? true {
                    best = index
                    equal = Candidates(isExclusive: isExclusive(index))
                }
                append(&equal)
            case .never: if isHere { append(&never) }
            case .unequal: if isHere, isBlurred { append(&never) }
            }
        }
        for number in open {
            guard let request = requests[number] else { continue }
            // What only some parsers take may say something else to the server, or nothing at all.
            add(
                request.links, isHere: request.session == event.session, extras: request.extras,
                isBlurred: request.recognition.tolerated, ignoring: { foreign(request, $0, contract) }
            ) {
                $0.numbers.append(number)
            }
        }
        for id in members[event.user] ?? [] {
            for number in sessions[id]?.runs ?? [] {
                guard let run = runs[number], run.key != nil else { continue }
                add(run.links, isHere: id == event.session, ignoring: { _ in false }) { $0.runs.append(number) }
            }
        }
        return (equal, never)
    }

    /// The request's value at that link path is foreign: an error need not repeat it (semantics 14).
    private func foreign(_ request: Request, _ index: Int, _ contract: Terms) -> Bool {
        guard contract.link.indices.contains(index), let value = request.links[index] else { return false }
        let path = contract.link[index].request
        return identifiers.isIdentifier(path) && !identifiers.isOwn(path, value, of: request.user, aliases)
    }

    /// With `wire.serial` the requests of one connection are answered in the order in which they came.
    private mutating func serial(_ open: [UInt64], _ event: Event, _ contract: Terms) -> Bool {
        guard contract.wire.serial, let first = open.first(where: { requests[$0]?.session == event.session }) else {
            return false
        }
        give(event, to: first, isCertain: requests[first]?.isIndeterminate == false, contract)
        return true
    }

    private func classes(_ candidates: Candidates, _ kind: String?, carriesKey: Bool, _ event: Event, _ contract: Terms) -> Classes {
        var classes = Classes()
        for number in candidates.numbers {
            guard let request = requests[number] else { continue }
            switch request.waits {
            case .refusal: if allows(request, kind: kind) { classes.refusals.append(number) }
            case .answer: classes.waiting.append(number)
            case .start(let run):
                if let run = runs[run], allows(contract.runs[run.rule], kind) { classes.waiting.append(number) }
            case .nothing: break
            }
        }
        guard !carriesKey else { return classes }
        classes.active = candidates.runs.filter { number in
            guard let run = runs[number], run.session == event.session else { return false }
            let rule = contract.runs[run.rule]
            let hasEdge = rule.edge(
                from: rule.states[run.state].name, isRequest: false, name: event.recognition.name,
                type: event.recognition.type) != nil
            return hasEdge && allows(rule, kind)
        }
        return classes
    }

    func allows(_ rule: RunTerms, _ kind: String?) -> Bool {
        guard let kinds = rule.kinds else { return true }
        return kind.map(kinds.contains) ?? true
    }

    /// One class, and at most one run: the oldest takes it. Several: nobody is condemned.
    /// - Parameter beside: requests that do not compare as well, but that the error may be for as well.
    private mutating func decide(
        _ candidates: Candidates, beside: [UInt64], _ kind: String?, _ event: Event, carriesKey: Bool,
        _ contract: Terms
    ) -> Bool {
        let classes = classes(candidates, kind, carriesKey: carriesKey, event, contract)
        guard classes.count > 0 else { return false }
        // Who brought a credential is no rival for an error that a run waits for: that one names its trouble.
        let rivals = (candidates.numbers + beside).filter { number in
            guard mayBeRefused(number), !classes.waiting.contains(number) else { return false }
            return !classes.refusals.isEmpty || requests[number]?.waits != .nothing || isOpenEnded(number)
        }
        // What is owed an error may take one that is a rival's: the rival then takes what is left over. A start or an
        // answer that did would be missed later.
        let isOwed = classes.count == 1 && !classes.refusals.isEmpty
        // A server may say where a run is under way in an error to another request, or repeat it from there.
        let owed = isOwed || candidates.isExclusive ? [] : beside.filter { awaits(kind, $0, contract) }
        if classes.count > 1 || classes.active.count > 1 || !isOwed && !rivals.isEmpty || !owed.isEmpty {
            doubt(classes.refusals + classes.waiting + rivals + owed)
            for number in classes.active { runs[number]?.isIndeterminate = true }
            tellForm(of: event, nil, contract)
            return true
        }
        let takers = classes.refusals + classes.waiting
        if let number = preferred(takers, event) {
            doubt(rivals)
            let isCertain = rivals.isEmpty && !takers.contains { requests[$0]?.isIndeterminate == true }
            give(event, to: number, isCertain: isCertain, contract)
            return true
        }
        if let run = classes.active.first {
            tellForm(of: event, nil, contract)
            step(run, event, contract)
            return true
        }
        return false
    }

    /// It waits for an error of this kind.
    func awaits(_ kind: String?, _ number: UInt64, _ contract: Terms) -> Bool {
        requests[number].map { allows($0, kind: kind) } ?? false
    }

    /// The contract owes it no error, and lets the server refuse it with one of any kind all the same.
    private func mayBeRefused(_ number: UInt64) -> Bool {
        guard let request = requests[number] else { return false }
        switch request.waits {
        case .refusal, .answer: return false
        case .nothing: return request.recognition.outcome != .ignored
        case .start: return request.isOdd || !isPlain(request)
        }
    }

    /// Every identifier that it names is known to be its user's own: a server has no reason to refuse it for one.
    func isPlain(_ request: Request) -> Bool {
        request.recognition.value.map { identifiers.areOwn($0, of: request.user, aliases) } ?? false
    }

    /// A start or an answer that may have been refused by what another took proves nothing any more.
    mutating func doubt(_ numbers: [UInt64]) {
        for number in numbers where requests[number]?.waits != .nothing {
            requests[number]?.isIndeterminate = true
            if case .start(let run)? = requests[number]?.waits { runs[run]?.isIndeterminate = true }
        }
    }

    /// No class: the oldest may-accept request, then the oldest must-reject one, whose kind is wrong then (E5).
    private mutating func fallBack(_ candidates: Candidates, _ kind: String?, _ event: Event, _ contract: Terms) -> Bool {
        let rest = candidates.numbers
        // What the contract leaves open is rather meant than a start or an answer that allows no such kind.
        let open = rest.filter { requests[$0]?.waits == .nothing }
        let owing = rest.filter { requests[$0]?.waits != .nothing && requests[$0]?.isRefusal == false }
        let odd = owing.filter(mayBeRefused)
        if let number = oldest(open, event) {
            doubt(odd)
            // It may be a start's: then what was asked beside it stays open for what it may bring yet.
            if odd.isEmpty { give(event, to: number, isCertain: rest.count == 1, contract) } else { tellForm(of: event, nil, contract) }
            return true
        }
        // A late error of a request whose time is over is no wrong answer to a younger one.
        let isHaunted = !candidates.isExclusive && isUnansweredGhost(kind, event, contract)
        let likeliest = odd.isEmpty ? owing : odd
        if isHaunted, odd.isEmpty, belongsToGhost(event, kind, contract) {
            tellForm(of: event, nil, contract)
            return true
        }
        if likeliest.count > 1 || isHaunted, !likeliest.isEmpty {
            doubt(likeliest)
            tellForm(of: event, nil, contract)
            return true
        }
        guard let number = likeliest.first ?? preferred(rest, event) else { return false }
        let isCertain = requests[number]?.isIndeterminate == false && (!likeliest.isEmpty || rest.count == 1)
        if likeliest.isEmpty, rest.contains(where: { requests[$0]?.isIndeterminate == true }) {
            doubt([number])
        }
        give(event, to: number, isCertain: isCertain, contract)
        return true
    }

    /// What waits for such an error on other connections of the same user.
    private func owedElsewhere(_ open: [UInt64], _ kind: String?, _ event: Event, _ contract: Terms) -> [UInt64] {
        open.filter { number in
            guard let request = requests[number], request.session != event.session, allows(request, kind: kind) else { return false }
            return Self.match(request.links, event.links, ignoring: { foreign(request, $0, contract) }) == .never
        }
    }

    /// An error without a mark may come on another connection of the same user (E3: the same *user's* connection).
    private mutating func giveElsewhere(
        _ fitting: [UInt64], _ kind: String?, _ event: Event, _ contract: Terms
    ) -> Bool {
        guard let number = preferred(fitting, event), !isUnansweredGhost(kind, event, contract) else { return false }
        give(event, to: number, isCertain: false, contract)
        return true
    }

    /// As `oldest`, but what can be condemned for want of an error comes first.
    func preferred(_ numbers: [UInt64], _ event: Event) -> UInt64? {
        oldest(numbers.filter { requests[$0]?.isIndeterminate == false }, event) ?? oldest(numbers, event)
    }

    func oldest(_ numbers: [UInt64], _ event: Event) -> UInt64? {
        numbers.min { left, right in
            let isHere = (requests[left]?.session == event.session, requests[right]?.session == event.session)
            if isHere.0 != isHere.1 { return isHere.0 }
            return left < right
        }
    }

    // MARK: Giving it to a request

    mutating func give(_ event: Event, to number: UInt64, isCertain: Bool, _ contract: Terms) {
        guard let request = requests[number] else { return }
        defer { markAnswered(request) }
        if !memberships.isEmpty, isCertain, let value = request.recognition.value { memberships.refuse(number, in: value) }
        sessions[request.session]?.refused = SessionState.Refused(request: request, at: event.at)
        let isCertain = isCertain && !event.isCopy && !hasRival(request, event, contract)
        switch request.waits {
        case .refusal(let rule, _):
            guard stillRefused(request), contract.reject.indices.contains(rule) else {
                tellForm(of: event, nil, contract)
                return close(number)
            }
            let kind = event.recognition.value.flatMap(contract.errorKind)
            if contract.reject[rule].allows(kind: kind), let kind, contract.errors?.kinds.contains(kind) == true {
                for case .kind(let wanted) in contract.reject[rule].outcomes where wanted == kind {
                    errorsDelivered.insert(kind)
                }
            }
            tellForm(of: event, (request, isCertain), contract)
            settleRefused(request, rule, event, isCertain: isCertain, contract)
        case .start(let run):
            tellForm(of: event, (request, isCertain), contract)
            // A start that did not end here will be missed if it is taken off.
            guard isCertain else { return doubt([number]) }
            endByError(run, event, contract)
            tellRecovery(of: request, failure: "an error", event.entry, at: event.at)
            close(number)
        case .answer:
            tellForm(of: event, (request, isCertain), contract)
            tellRecovery(of: request, failure: "an error", event.entry, at: event.at)
            if isCertain { noteAnswer(event, to: request) }
            settle(number, .kept("an error"))
        case .nothing:
            tellForm(of: event, (request, isCertain), contract)
            close(number)
        }
    }

    /// A late error of an older request may look like this one's: then nothing is wrong with its order or context.
    private func hasRival(_ request: Request, _ event: Event, _ contract: Terms) -> Bool {
        if case .equal(let index) = Self.match(request.links, event.links), isExclusive(index) { return false }
        let kind = event.recognition.value.flatMap(contract.errorKind)
        return isUnansweredGhost(kind, event, contract) || mayBeOfTheLost(event, kind)
    }

    private mutating func settleRefused(_ request: Request, _ rule: Int, _ event: Event, isCertain: Bool, _ contract: Terms) {
        if let pending = request.pending, isLate(event, for: pending), let session = sessions[request.session] {
            let evidence = evidence(of: request, entry: event.entry, at: event.at)
            let why = starvation.excuse(session.loop, pending, at: event.at, isLate: true)
            settle(request.number, why.map(Fate.undecided) ?? .missed(bound: pending.bound, evidence))
        } else {
            settle(request.number, .kept(contract.errors?.event.first ?? "error"))
        }
        let reject = contract.reject[rule]
        guard isCertain, reject.recovers ?? contract.errors?.recovers ?? false, let session = sessions[request.session] else { return }
        let pending = pending(contract.errors?.within ?? contract.deadline, since: event.at, loop: session.loop)
        let mayClose = reject.outcomes.contains { if case .close = $0 { true } else { $0 == .anyClose } }
        sessions[request.session]?.usable = Usable(
            error: event.entry, request: request.entry, pending: pending, mayClose: mayClose, line: reject.line)
    }
}
