import Contracts
import Journaling
import NIOCore
import Wire

/// Whose content and whose identifiers an event carries (contract.md, semantics 11 and 15).
extension Reader {
    /// - Returns: whose it is; what was looked at and found well; and what is not well or in doubt, as is hardly ever.
    mutating func judgeOwnership(
        of event: Event, _ payload: ByteBuffer, isShared: Bool, _ contract: Terms
    ) -> (ownership: Ownership, sound: Reading.SoundEvent, trouble: Reading.EventReading?) {
        var trouble: Reading.EventReading?
        var sound: Reading.SoundEvent = []
        if !isShared, canaries.hasForeign(to: event.user) { sound.insert(.hasForeignCanaries) }
        guard let said = said[event.session] else { return (.own, sound, nil) }
        let echoes = echoes(of: event.user, beside: said, on: event.session)
        let message = event.recognition.value
        let rooms = memberships.isEmpty ? [] : message.map { sharedRooms(of: event, $0) } ?? []
        if !isShared, !echoes.areUnknown, let found = foreignCanary(in: payload, to: event),
            // What came to a room is for its members when one of them said it.
            !rooms.contains(where: { room in found.owners.contains { memberships.has(aliases($0), room, at: event.at, aliases) } })
        {
            var reading = Self.trouble(event, sound)
            reading.canary = .init(
                kind: .canary, owner: found.owners.first.map { aliases($0).label } ?? "another user", name: "canary",
                value: found.canary.text, line: 0)
            reading.doubt = mayBeKnown ?? mayBeOne(event, with: found.owners.map { aliases($0) })
            trouble = reading
        }
        var ownership = Ownership.own
        if !rooms.isEmpty, let message, !isOwn(event, message, contract) {
            sound.insert(.isOwned)
            trouble?.isOwned = true
            return (.shared, sound, trouble)
        }
        if !isShared, let value = message {
            if event.user.name != nil || !contract.runs.isEmpty {
                sound.insert(.isOwned)
                trouble?.isOwned = true
            }
            if let (run, owner, key) = runOfAnother(event, contract) {
                let rule = contract.runs[key.rule]
                var reading = trouble ?? Self.trouble(event, sound)
                reading.identity = .init(
                    kind: event.isError ? .error : .run, owner: owner.label, name: rule.name, value: key.text, line: rule.line)
                reading.owningRun = run
                reading.ownerDoubt = mayBeOne(event, with: [owner])
                trouble = reading
                ownership = .anothers(owner.label)
            } else if let foreign = identifiers.check(
                value, event.names, to: event.user, session: event.session, isError: event.isError,
                sent: echoes.has,
                isShared: rooms.isEmpty ? nil : { [memberships] in memberships.isRoom($0) }, aliases)
            {
                let asker = foreign.rule.is == .user ? foreign.owner : asker(of: event)
                var reading = trouble ?? Self.trouble(event, sound)
                reading.identity = .init(
                    kind: asker == nil ? .within : event.isError ? .error : .is, owner: asker ?? foreign.owner,
                    name: foreign.rule.name, value: foreign.value, line: foreign.rule.line)
                reading.ownerDoubt = foreign.user.flatMap { mayBeOne(event, with: [$0]) }
                trouble = reading
                if let asker { ownership = .anothers(asker) }
            } else if !event.isCopy {
                let bonds = bonds(of: event, said)
                switch bonds {
                case .none: break
                case .kept: sound.insert(.bondsKept)
                case .doubtful, .broken: trouble = trouble ?? Self.trouble(event, sound)
                }
                trouble?.bonds = bonds
            }
        }
        return (ownership, sound, trouble)
    }

    private static func trouble(_ event: Event, _ sound: Reading.SoundEvent) -> Reading.EventReading {
        Reading.EventReading(
            type: event.type, user: event.user.label, hasForeignCanaries: sound.contains(.hasForeignCanaries),
            isOwned: sound.contains(.isOwned))
    }

    /// What the user said on any connection may come back on any other: an error of one, a name.
    private mutating func echoes(of user: Principal, beside said: Said, on id: SessionID) -> Echoes {
        guard members.hasSeveral(user), let ids = members[user] else { return Echoes(here: said) }
        return Echoes(here: said, elsewhere: ids.filter { $0 != id }.compactMap { self.said[$0] })
    }

    private struct Echoes {
        var here: Said
        var elsewhere: [Said] = []

        var areUnknown: Bool { here.isUnknown || elsewhere.contains(where: \.isUnknown) }
        func has(_ value: String) -> Bool { here.has(value) || elsewhere.contains { $0.has(value) } }
    }

    /// Connections without a name may be one user's: one that resumes, or a credential that is good for one connection.
    private func mayBeOne(_ event: Event, with owners: [Principal]) -> String? {
        guard event.user.isAnybody || owners.contains(where: \.isAnybody),
            contract?.identity.user.isEmpty == false || resumptions[event.session] != nil
        else { return nil }
        return "nobody says whose connection that is"
    }

    /// The first that others sent and its reader does not know.
    private mutating func foreignCanary(in payload: ByteBuffer, to event: Event) -> Canaries.Secret? {
        for secret in canaries.secrets(in: payload) {
            var isKnown = false
            for owner in secret.owners where knows(event.user, owner, at: event.at) { isKnown = true }
            if !isKnown { return secret }
        }
        return nil
    }

    /// Told only of what nobody else can have made up.
    private mutating func bonds(of event: Event, _ said: Said) -> Reading.EventReading.Bonds {
        // Other parsers read other values in it.
        if event.recognition.tolerated { return .none }
        switch bindings.check(
            event.names, session: event.session, user: event.user.name, isError: event.isError, isEcho: { said.has($0) })
        {
        case .none: return .none
        case .kept: return .kept
        case .broken(let breach):
            switch breach.kind {
            case .within, .connection: return .broken(breach)
            case .form, .group: return whyMadeUp.map { .doubtful($0) } ?? .broken(breach)
            }
        }
    }

    /// Why a client may have given a name that only the server seems to have said.
    private var whyMadeUp: String? {
        if hasLostWords || said.values.contains(where: \.isUnknown) {
            return "a client may have made up that identifier in a message that could not be read"
        }
        if holes.last == nil, absence.holdsEverybody { return nil }
        return "a client may have made up that identifier on a session that the journal does not hold"
    }

    /// The other user whose open request this error repeats by name: not only does it tell of what is not this user's,
    /// it is the answer to another's question.
    private func asker(of event: Event) -> String? {
        guard event.isError, openRequests(of: event.user).allSatisfy({ !isNamed($0, by: event) }) else { return nil }
        return requests.keys.filter { isNamed($0, by: event) }.min().flatMap { requests[$0]?.user.label }
    }

    private func isNamed(_ number: UInt64, by event: Event) -> Bool {
        guard let request = requests[number], case .equal(let path) = Self.match(request.links, event.links) else { return false }
        return isExclusive(path)
    }

    /// Told once the event is linked, so that what it started is known to be of the same cause.
    mutating func tell(_ reading: Reading.EventReading, of event: Event, _ contract: Terms) {
        var reading = reading
        var isBroken = false
        if case .broken = reading.bonds { isBroken = true }
        if reading.canary != nil || reading.identity != nil || isBroken, let session = sessions[event.session] {
            var evidence = evidence(for: session, entry: event.entry, at: event.at)
            addOwner(reading.identity?.owner ?? reading.canary?.owner, of: event, to: &evidence)
            let run = reading.owningRun ?? ownRun(event)
            if let run { evidence.causes.append(.run(run)) }
            // All that comes of one run to the wrong user is one cause, though nobody knows whose run it is.
            if reading.identity != nil, run == nil {
                evidence.causes += event.keys.map { .foreignRun("\(contract.runs[$0.rule].name) \($0.text)") }
            }
            if isBroken, let run = run.flatMap({ runs[$0] }) {
                evidence.witness.insert(contentsOf: run.entries, at: min(1, evidence.witness.count))
            }
            reading.evidence = evidence
        }
        readings.append(.event(reading))
    }

    /// The run that this event names by its key, when it is another user's.
    private mutating func runOfAnother(_ event: Event, _ contract: Terms) -> (number: UInt64, owner: Principal, key: RunKey)? {
        for key in event.keys where key.session == nil {
            let number = run(of: key, event)
            let owner: (user: Principal, run: UInt64)
            if let number, let run = runs[number] {
                if run.owner == event.user { continue }
                owner = (run.owner, number)
            } else {
                guard let tomb = tombs[key], tomb.number != 0 else { continue }
                owner = (aliases(tomb.owner), tomb.number)
                if owner.user == event.user { continue }
            }
            // An error may well repeat the key that this connection itself asked about.
            if event.isError, let said = said[event.session],
                echoes(of: event.user, beside: said, on: event.session).has(key.text)
            {
                continue
            }
            return (owner.run, owner.user, key)
        }
        return nil
    }

    func ownRun(_ event: Event) -> UInt64? {
        for key in event.keys {
            if let number = runsByKey[key] ?? tombs[key]?.number { return number }
        }
        return nil
    }

    /// The owner's side of the story: the session, and the request that is likeliest the cause.
    private func addOwner(_ label: String?, of event: Event, to evidence: inout Evidence) {
        guard let label else { return }
        let ids = members[.named(label)] ?? []
        evidence.sessions = ids.filter { !evidence.sessions.contains($0) }.prefix(2) + evidence.sessions
        if !evidence.users.contains(label) { evidence.users.insert(label, at: 0) }
        let open = ids.flatMap { sessions[$0]?.open ?? [] }
        let cause = open.filter { isNamed($0, by: event) }.min() ?? open.max()
        if let cause = cause.flatMap({ requests[$0] }) { evidence.witness.append(cause.entry) }
        for id in ids.prefix(2) {
            guard let session = sessions[id] else { continue }
            evidence.witness.append(contentsOf: session.faults.suffix(1) + session.opening.suffix(1))
            evidence.faults.append(contentsOf: session.faultRecords)
        }
    }

    /// Derived entries share the ordinal 0 and name nothing alone.
    static func cause(_ entry: Entry?) -> Evidence.Cause? {
        entry?.ref.flatMap { $0.ordinal > 0 ? .entry($0) : nil }
    }

    /// What stands around an entry of a session: its opening, its faults.
    func evidence(for session: Session, entry: Entry?, at: Instant) -> Evidence {
        Evidence(
            causes: Self.cause(entry).map { [$0] } ?? [], offending: entry?.ref,
            witness: (entry.map { [$0] } ?? []) + session.faults.suffix(3) + session.opening.suffix(2),
            sessions: [session.id], users: [session.user.label], instant: at, faults: session.faultRecords)
    }
}
