import Contracts
import Journaling
import Wire

/// Which open request an event answers (contract.md, semantics 5, 6 and 8).
extension Reader {
    /// How a candidate compares with an event, over the link paths in order.
    enum Match: Sendable, Equatable {
        /// Equal at the link path with this index.
        case equal(Int)
        case unequal
        case never
    }

    /// - Parameter ignoring: link paths whose difference puts nobody out.
    static func match(_ candidate: [JSON?], _ event: [JSON?], ignoring: (Int) -> Bool = { _ in false }) -> Match {
        for index in candidate.indices where event.indices.contains(index) {
            guard let left = candidate[index], let right = event[index] else { continue }
            if Self.same(left, right) { return .equal(index) }
            if !ignoring(index) { return .unequal }
        }
        return .never
    }

    static func same(_ left: JSON, _ right: JSON) -> Bool {
        left.isAlike(right)
    }

    /// Equal values there name this request and no other: no identifier of a thread, a run or a user.
    func isExclusive(_ index: Int) -> Bool { contract?.isExclusive(index) ?? false }

    /// Open requests of the event's user, oldest first.
    @inline(__always)
    func openRequests(of user: Principal) -> [UInt64] {
        let ids = members[user] ?? []
        if !members.hasSeveral(user) { return ids.first.flatMap { sessions[$0]?.open } ?? [] }
        return ids.flatMap { sessions[$0]?.open ?? [] }.sorted()
    }

    struct Taker: Sendable {
        var number: UInt64
        var byKey: Bool
        /// Others could have been meant as well.
        var wasAlone: Bool
        /// By a value that names this request alone.
        var isExclusive = false
    }

    /// The request that takes an event which is no error, by semantics 6.
    mutating func taker(of event: Event, among numbers: [UInt64]) -> Taker? {
        var equal: (index: Int, numbers: [UInt64])?
        var never: [UInt64] = []
        var neverElsewhere: [UInt64] = []
        let links = event.links
        for number in numbers {
            guard let request = requests[number] else { continue }
            switch Self.match(request.links, links) {
            case .equal(let index):
                if equal == nil || index < (equal?.index ?? 0) { equal = (index, [number]) }
                else if index == equal?.index { equal?.numbers.append(number) }
            case .never:
                if request.session == event.session { never.append(number) } else { neverElsewhere.append(number) }
            case .unequal: continue
            }
        }
        // A thread shared with a must-reject request is no proof while a valid neighbour waits for the same event.
        let valid = never.filter { requests[$0]?.isRefusal == false }
        if let equal {
            let isWeak = !isExclusive(equal.index) && equal.numbers.allSatisfy { requests[$0]?.isRefusal == true }
            if isWeak, let chosen = choose(valid, event) { return Taker(number: chosen, byKey: false, wasAlone: false) }
            if let chosen = choose(equal.numbers, event) {
                return Taker(
                    number: chosen, byKey: true, wasAlone: equal.numbers.count == 1,
                    isExclusive: isExclusive(equal.index))
            }
        }
        guard let chosen = choose(never, event) else { return nil }
        if requests[chosen]?.isRefusal == true, neverElsewhere.contains(where: { requests[$0]?.isRefusal == false }) {
            return nil
        }
        return Taker(number: chosen, byKey: false, wasAlone: never.count == 1)
    }

    /// Valid before must-reject, this connection first, certain before indeterminate, then the oldest.
    private func choose(_ numbers: [UInt64], _ event: Event) -> UInt64? {
        numbers.min { left, right in
            guard let a = requests[left], let b = requests[right] else { return left < right }
            if a.isRefusal != b.isRefusal { return !a.isRefusal }
            let isHere = (a.session == event.session, b.session == event.session)
            if isHere.0 != isHere.1 { return isHere.0 }
            if a.isIndeterminate != b.isIndeterminate { return !a.isIndeterminate }
            return left < right
        }
    }

    /// Whether a request waits for this event (which is no error).
    @inline(__always)
    func waits(_ request: Request, for event: Event, isSuccess: Bool) -> Bool {
        switch request.waits {
        case .refusal: return isSuccess
        case .answer(let names):
            return names.contains { $0 == event.recognition.name || $0 == event.recognition.type }
        case .start(let number):
            guard let run = runs[number], run.key == nil, let contract else { return false }
            return contract.runs[run.rule].move(from: run.state, by: event.recognition) != nil
        case .nothing: return false
        }
    }

    /// The run of that key, if it is under way.
    mutating func run(of key: RunKey, _ event: Event) -> UInt64? {
        runsByKey.find(key, on: event.session) { runs[$0] != nil }
    }

    mutating func linkEvent(_ event: Event, _ contract: Terms) {
        guard event.recognition.value != nil else { return }
        for key in event.keys {
            if let number = run(of: key, event) { return event.isCopy ? () : step(number, event, contract) }
        }
        let keys = event.keys
        let isSuccess = contract.isSuccess(event.recognition)
        let waiting = openRequests(of: event.user).filter { number in
            requests[number].map { waits($0, for: event, isSuccess: isSuccess) } ?? false
        }
        let taker = wished(keys, among: waiting) ?? serialTaker(of: event, among: waiting, contract) ?? taker(of: event, among: waiting)
        if let taker, !belongsElsewhere(event, taker, keys) {
            return take(event, taker, keys, contract)
        }
        if stepKeyless(event, keys, contract) { return }
        if isSuccess, !event.isCopy, let ghost = ghost(of: event) { return haunt(event, ghost, contract) }
        if !mayBeginUnasked(event, contract), let key = keys.first(where: { tombs[$0] != nil }), let tomb = tombs[key] {
            return afterwards(event, key, tomb, contract)
        }
        if isAnsweredTwice(event, contract) { return }
        nobodyAsked(event, keys, contract)
    }

    /// The one request whose run it was to be, by the key that it bears itself.
    private mutating func wished(_ keys: [RunKey], among waiting: [UInt64]) -> Taker? {
        let named = waiting.filter { number in
            guard case .start(let run)? = requests[number]?.waits, let run = runs[run], let wished = run.wished else { return false }
            return keys.contains { $0.rule == run.rule && $0.text == wished && ($0.session == nil || $0.session == run.session) }
        }
        guard named.count == 1, let number = named.first else { return nil }
        return Taker(number: number, byKey: true, wasAlone: true, isExclusive: true)
    }

    /// With `wire.serial` the oldest open one of the connection is answered, or none (semantics 7).
    @inline(__always)
    private func serialTaker(of event: Event, among waiting: [UInt64], _ contract: Terms) -> Taker? {
        guard contract.wire.serial, let first = waiting.first(where: { requests[$0]?.session == event.session }) else { return nil }
        return Taker(number: first, byKey: false, wasAlone: waiting.count == 1)
    }

    /// A run that the server may start by itself begins with it.
    private func mayBeginUnasked(_ event: Event, _ contract: Terms) -> Bool {
        contract.runs.contains { rule in
            guard rule.unasked, let initial = rule.initial else { return false }
            return rule.edge(from: initial, isRequest: false, name: event.recognition.name, type: event.recognition.type) != nil
        }
    }

    /// A success that only its age ties to a must-reject request is rather what it says it is: a run's that is over or
    /// lost, or a copy.
    @inline(__always)
    private func belongsElsewhere(_ event: Event, _ taker: Taker, _ keys: [RunKey]) -> Bool {
        guard requests[taker.number]?.isRefusal == true, !taker.isExclusive else { return false }
        if event.isCopy || contract.map({ mayBeginUnasked(event, $0) }) ?? false { return true }
        return keys.contains { tombs[$0] != nil } || isBereaved(event.user, at: event.at)
    }

    private mutating func take(_ event: Event, _ taker: Taker, _ keys: [RunKey], _ contract: Terms) {
        guard let request = requests[taker.number] else { return }
        switch request.waits {
        case .answer:
            tellRecovery(of: request, failure: nil, event.entry, at: event.at)
            noteAnswer(event, to: request)
            settle(taker.number, .kept(event.type))
        case .start(let number):
            let rule = runs[number]?.rule
            let isNamed = taker.isExclusive && request.session == event.session
            if mayStartWhatWasLost(event, instead: taker) || !isNamed && mayBeginForUnseen(event.user, at: event.at) {
                runs[number]?.isIndeterminate = true
            }
            start(number, key: keys.first { $0.rule == rule }, event, contract)
            settle(taker.number, .kept(event.type))
        case .refusal:
            takeRefused(event, taker, request, keys, contract)
        case .nothing: break
        }
    }

    /// A success event that fits no request but a must-reject one (semantics 8).
    private mutating func takeRefused(
        _ event: Event, _ taker: Taker, _ request: Request, _ keys: [RunKey], _ contract: Terms
    ) {
        let isRefused = stillRefused(request)
        let run = adopt(event, request, keys, contract)
        guard isRefused else { return close(taker.number) }
        guard !request.isIndeterminate else {
            return settle(taker.number, .undecided("its link is not unique"))
        }
        // Another request of this connection without a link value could be the cause.
        let others = sessions[request.session]?.open.contains {
            $0 != request.number && requests[$0]?.waits == .nothing && requests[$0]?.recognition.outcome != .valid
        }
        if !taker.byKey, !taker.wasAlone || others == true {
            return settle(taker.number, .undecided("a success event came that may be another request's"))
        }
        if taker.isExclusive, hasGrantedNamesake(request) {
            return settle(taker.number, .undecided("a request that may succeed bore the same name"))
        }
        if let why = mayBeOfUnseen(request.user, at: event.at, isNamed: taker.isExclusive) {
            return settle(taker.number, .undecided(why))
        }
        var evidence = evidence(of: request, entry: event.entry, at: event.at)
        if let run { evidence.causes.append(.run(run)) }
        let reading = Reading.Success(
            request: request.value.card(line(of: request)), event: event.type, byKey: taker.byKey, evidence: evidence)
        readings.append(.success(reading))
        close(taker.number)
    }

    /// Must-reject requests of this connection whose time is over and which this event names.
    private func ghost(of event: Event) -> Ghost? {
        sessions[event.session]?.ghosts.first { ghost in
            if case .equal(let index) = Self.match(ghost.request.links, event.links) { return isExclusive(index) }
            return false
        }
    }

    /// A success event for a request that was refused, or that got no answer: still E4.
    private mutating func haunt(_ event: Event, _ ghost: Ghost, _ contract: Terms) {
        let isRefused = stillRefused(ghost.request)
        let run = adopt(event, ghost.request, event.keys, contract)
        guard isRefused, !ghost.request.isIndeterminate, !hasGrantedNamesake(ghost.request) else { return }
        // It was refused; a namesake on a connection that is not here may have succeeded.
        let isNamed = !(ghost.wasAnswered && absence.contains(.sessions))
        guard mayBeOfUnseen(event.user, at: event.at, isNamed: isNamed) == nil else { return }
        var evidence = evidence(of: ghost.request, entry: event.entry, at: event.at)
        if let run { evidence.causes.append(.run(run)) }
        readings.append(
            .success(
                .init(
                    request: ghost.request.value.card(line(of: ghost.request)), event: event.type, byKey: true,
                    evidence: evidence)))
    }

    func line(of request: Request) -> Line {
        guard let contract else { return 0 }
        if let rule = request.rule, contract.reject.indices.contains(rule) { return contract.reject[rule].line }
        guard let index = request.recognition.rule, contract.requests.indices.contains(index) else { return 0 }
        return contract.requests[index].line
    }

    /// A stateful rule must still hold when the outcome arrives or the deadline fires (semantics 3).
    func stillRefused(_ request: Request) -> Bool {
        guard case .refusal(let rule, let isStateful) = request.waits else { return false }
        guard isStateful, let labeler else { return true }
        guard let standing = standing(of: request.session) else { return false }
        return labeler.stillHolds(rule: rule, request.recognition, in: standing)
    }

    func evidence(of request: Request, entry: Entry?, at: Instant) -> Evidence {
        var evidence = Evidence(
            causes: [.request(request.number)] + (Self.cause(entry).map { [$0] } ?? []), offending: entry?.ref,
            witness: (entry.map { [$0] } ?? []) + [request.entry], sessions: [request.session],
            users: [request.user.label], instant: at, faults: [])
        if let session = sessions[request.session] {
            evidence.witness += session.faults.suffix(3) + session.opening.suffix(1)
            evidence.faults = session.faultRecords
        }
        return evidence
    }
}
