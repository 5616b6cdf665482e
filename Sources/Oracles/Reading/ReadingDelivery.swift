import Contracts
import Journaling
import NIOCore
import Wire

/// Streams of numbered events: whether all of them come, once and in order (contract.md, semantics 12). Only what came at
/// Sin counts, so nothing that a fault did behind it is the server's.
extension Reader {
    /// How long a server may need to notice that a connection is gone.
    private static let notice: Duration = .milliseconds(250)

    // MARK: Cursors

    /// In the opening head, as it left at Sout.
    mutating func readCursor(_ head: HeadRecord, _ entry: Entry, _ id: SessionID) {
        guard let place = contract?.delivery?.resume?.by, place.isInHead else { return }
        let view = HeadView(head.bytes)
        let range: Range<Int>? =
            switch place.kind {
            case .query(let name): view.query.first { $0.name == name }?.value
            case .cookie(let name): view.cookies.first { $0.name == name }?.value
            case .header(let name): view.values(of: name).first
            default: nil
            }
        guard let range, let value = place.value(of: HeadView.percentDecoded(view.text(range))) else { return }
        resumptions[id] = Resumption(cursor: Identifiers.text(value), entry: entry)
    }

    /// In a message: what comes behind it on this connection may well have come before.
    mutating func readCursor(_ recognition: Recognition, _ entry: Entry, _ id: SessionID, at: Instant) {
        guard let delivery = contract?.delivery, let user = sessions[id]?.user else { return }
        if case .messages(let request, _)? = delivery.history?.asking,
            request.names(isRequest: true, name: recognition.name, type: recognition.type)
        {
            asked(id, user)
        }
        // Who leaves a room and enters it again has missed what was said in between.
        let rooms = contract?.sharing?.rooms.filter { $0.id == delivery.sequence?.per } ?? []
        if rooms.contains(where: { room in
            (room.join + room.leave).contains { $0.names(isRequest: true, name: recognition.name, type: recognition.type) }
        }) {
            for member in members[user] ?? [] { streams.restart(member, of: user) }
        }
        guard case .request(let name, let path)? = delivery.resume?.by.kind, recognition.name == name,
            let value = recognition.value, let cursor = path.value(in: value)
        else { return }
        asked(id, user)
        resumptions[id] = Resumption(cursor: Identifiers.text(cursor), entry: entry)
        aim(id, at: at, named: stream(of: value).map { [$0] } ?? [])
    }

    private mutating func asked(_ id: SessionID, _ user: Principal) {
        streams.restart(id, of: user)
        reheard.insert(id)
    }

    /// The server has accepted, and whose connection it is is known: what the cursor stands for is fixed now.
    mutating func aimCursor(_ id: SessionID, at: Instant) {
        guard let wish = resumptions[id], !wish.isAimed, contract?.delivery?.resume?.by.isInHead == true,
            let session = sessions[id], !session.isBad, session.acceptedAt != nil
        else { return }
        var named: [String] = []
        if case .head(let head) = wish.entry.body {
            let text = String(decoding: head.bytes.readableBytesView.prefix(8_192), as: UTF8.self)
            named = streams.streams(of: session.user).map(\.name).filter { !$0.isEmpty && text.contains($0) }
        }
        aim(id, at: at, named: named)
    }

    /// - Parameter named: streams that the request itself names.
    private mutating func aim(_ id: SessionID, at: Instant, named: [String]) {
        resumptions[id]?.isAimed = true
        // What it resumes was begun where the journal was not yet.
        if let wish = resumptions[id], let session = sessions[id], !isCursorKnown(wish.cursor, of: session.user) {
            meetUnseen(session.user, at: at)
        }
        guard let wish = resumptions[id], let session = sessions[id], let delivery = contract?.delivery,
            let sequence = delivery.sequence, delivery.resume?.from == sequence.at, let number = Int(wish.cursor),
            (0...Streams.highest).contains(number)
        else { return }
        let known = streams.streams(of: session.user).filter { named.isEmpty || named.contains($0.name) }
        let holders = known.filter { streams[$0]?.seen.contains(number) ?? false }
        let isUnique = holders.count == 1 && (!named.isEmpty || !streams.mayHaveMore(session.user))
        // Several streams have such a number: it is of the one that said it last, or nobody knows.
        let latest = known.last.flatMap { streams[$0]?.seen.last == number ? $0 : nil }
        guard let stream = isUnique ? holders.first : latest, named.count <= 1, let last = streams[stream]?.seen.last else { return }
        resumptions[id]?.target = .init(stream: stream, number: number, last: last)
        let isAlone = (members[session.user] ?? []).allSatisfy { $0 == id || sessions[$0]?.isOver != false }
        resumptions[id]?.wasAlone = isAlone
        let left = departed[session.user]
        let hasCompany = members.hasSeveral(session.user)
        resumptions[id]?.wasAloneForLong = !hasCompany && left.map { $0.duration(to: at) >= Self.notice } ?? true
    }

    /// One that a connection of this journal may have got; the beginning is no cursor of anything.
    private func isCursorKnown(_ cursor: String, of user: Principal) -> Bool {
        guard let delivery = contract?.delivery, let sequence = delivery.sequence, delivery.resume?.from == sequence.at,
            let number = Int(cursor)
        else { return departed[user] != nil || members.hasSeveral(user) }
        return number <= 0 || streams.streams(of: user).contains { number <= streams[$0]?.seen.last ?? -1 }
    }

    // MARK: Events

    /// A number on what is not judged: the count goes on behind it.
    mutating func passNumber(of value: JSON, _ entry: Entry, _ id: SessionID, at instant: Instant) {
        guard let session = sessions[id], !session.isBad, let at = contract?.delivery?.sequence?.at,
            let number = at.value(in: value)?.integer, (0...Streams.highest).contains(number), let name = stream(of: value)
        else { return }
        let key = StreamKey(user: session.user, name: name)
        if number <= streams[key]?.seen.last ?? -1 { return }
        streams.take(number, of: key, on: id, entry, at: instant)
        guard let target = resumptions[id]?.target, target.stream == key else { return }
        resumptions[id]?.target = nil
    }

    /// - Returns: whether its number came before for its stream: runs do not move then.
    mutating func followDelivery(_ event: Event, _ holder: Ownership, _ contract: Terms) -> Bool {
        guard let delivery = contract.delivery else { return false }
        guard let value = event.recognition.value else {
            // Nobody knows what number it bears.
            blind.insert(event.session)
            return false
        }
        if event.traits.contains(.isTruncated) {
            readSignal(event, value)
            passNumber(of: value, event.entry, event.session, at: event.at)
            return false
        }
        switch holder {
        case .own: break
        case .shared:
            passNumber(of: value, event.entry, event.session, at: event.at)
            return false
        case .anothers:
            if let number = number(of: event), let name = stream(of: value) { streams.stray(number, of: name) }
            return false
        }
        guard sessions[event.session]?.isBad == false else { return false }
        if delivery.isHistoryAsked { readHistory(event, value, contract) }
        let isReplay = delivery.id.isEmpty ? false : followIdentity(event, value, delivery)
        guard let number = number(of: event), let name = stream(of: value) else { return isReplay }
        return follow(number, of: StreamKey(user: event.user, name: name), event, value) || isReplay
    }

    private func number(of event: Event) -> Int? {
        event.number.flatMap { (0...Streams.highest).contains($0) ? $0 : nil }
    }

    /// The stream's name within its user; nil when the message is of none.
    @inline(__always)
    private func stream(of value: JSON) -> String? {
        guard let sequence = contract?.delivery?.sequence else { return nil }
        return sequence.per == nil ? "" : countedBy.value(in: value).map(Identifiers.text)
    }

    private mutating func follow(_ number: Int, of key: StreamKey, _ event: Event, _ value: JSON) -> Bool {
        let step = streams.standing(number, of: key, on: event.session)
        if let last = step.last, number <= last, !isOfSameCount(event, value, step) {
            streams.forget(key)
            streams.take(number, of: key, on: event.session, event.entry, at: event.at)
            return false
        }
        defer { streams.take(number, of: key, on: event.session, event.entry, at: event.at) }
        guard let session = sessions[event.session], session.obscured == nil, !blind.contains(event.session) else {
            return step.wasSeen
        }
        guard let last = step.lastHere else {
            judgeFirst(number, of: key, step, event)
            return step.wasSeen
        }
        if number == last + 1 || number > last && step.missing.isEmpty {
            tell(.inOrder, of: key, event)
        } else if number > last {
            judgeGap(number, of: key, step, event)
        } else if step.wasSeenHere, !reheard.contains(event.session) {
            judgeAgain(number, of: key, step, event)
        } else if !step.wasSeen, !step.wasMissed, !reheard.contains(event.session) {
            judgeGap(number, of: key, step, event)
        }
        return step.wasSeen
    }

    /// A number that is not the highest says that its event came before, or that the count began anew: what comes before
    /// belongs to a run that is known. Without one there is the same connection, or a client that asked for what was.
    private func isOfSameCount(_ event: Event, _ value: JSON, _ step: Streams.Step) -> Bool {
        if let isKnown = isOfKnownRun(event) { return isKnown }
        return step.lastHere != nil || event.isCopy || resumptions[event.session] != nil || reheard.contains(event.session)
    }

    /// Nil when it names none.
    private func isOfKnownRun(_ event: Event) -> Bool? {
        if event.keys.contains(where: { runsByKey[$0] != nil || tombs[$0] != nil }) { return true }
        return event.keys.isEmpty ? nil : false
    }

    /// Since then no other connection of the user could have brought what did not come here.
    private func isAlone(_ user: Principal, since: Instant?) -> Bool {
        guard !members.hasSeveral(user) else { return false }
        guard let left = departed[user], let since else { return true }
        return left.advanced(by: Self.notice) < since
    }

    /// The first of its stream on this connection.
    private mutating func judgeFirst(_ number: Int, of key: StreamKey, _ step: Streams.Step, _ event: Event) {
        let isTold = takeSignal(of: key, on: event.session)
        guard let wish = resumptions[event.session], let target = wish.target, target.stream == key else {
            if let last = step.last, number == last + 1 { tell(.inOrder, of: key, event) }
            return
        }
        resumptions[event.session]?.target = nil
        if number <= target.number { return judgeAgain(number, of: key, step, event, wish) }
        if number == target.number + 1 {
            tell(.resumed, of: key, event)
            return tell(.inOrder, of: key, event)
        }
        if isTold { return }
        guard wish.wasAlone, target.number < target.last || wish.wasAloneForLong && bereaved[event.user]?.isUnknown != true else {
            return
        }
        lose(key, event)
        if let why = mayBeOfUnseen(event.user, at: event.at, isNamed: false) { return tell(.unresumed(why), of: key, event) }
        var evidence = evidence(of: key, step, event)
        evidence.witness.insert(wish.entry, at: min(1, evidence.witness.count))
        tell(.incomplete(cursor: target.number, first: number, evidence), of: key, event)
    }

    private mutating func judgeAgain(
        _ number: Int, of key: StreamKey, _ step: Streams.Step, _ event: Event, _ wish: Resumption? = nil
    ) {
        // Nobody knows what a server makes of a request that the contract leaves open.
        if sessions[event.session]?.open.contains(where: { isOddAndOpen($0) }) == true { return }
        if let why = mayBeOfUnseen(event.user, at: event.at, isNamed: wish == nil) { return tell(.doubtful(why), of: key, event) }
        var evidence = evidence(of: key, step, event)
        if let wish { evidence.witness.insert(wish.entry, at: min(1, evidence.witness.count)) }
        tell(.again(number: number, cursor: wish?.cursor, evidence), of: key, event)
    }

    private func isOddAndOpen(_ number: UInt64) -> Bool { requests[number].map { $0.isOdd && isOpenEnded(number) } ?? false }

    private mutating func judgeGap(_ number: Int, of key: StreamKey, _ step: Streams.Step, _ event: Event) {
        let isTold = takeSignal(of: key, on: event.session)
        // The others' side of the story is told there.
        if streams.haveStrayed(step.missing, of: key.name) { return }
        // A run that went with another connection may go on, and count on, where nobody listens.
        let isBereaved = isBereaved(event.user, at: event.at)
        let hasCompany = members.hasSeveral(event.user)
        streams.miss(step.missing, of: key, on: event.session, isDoubtful: !isTold && hasCompany && !isBereaved)
        guard isTold || isAlone(event.user, since: step.lastHereAt) && !isBereaved else { return }
        lose(key, event)
        if isTold { return tell(.told("loss that the server told of"), of: key, event) }
        if let why = mayBeOfUnseen(event.user, at: event.at, isNamed: false) { return tell(.doubtful(why), of: key, event) }
        tell(.gap(after: step.lastHere ?? 0, number: number, evidence(of: key, step, event)), of: key, event)
    }

    /// Something of that stream did not come: what its runs have heard says nothing of them any more.
    private mutating func lose(_ key: StreamKey, _ event: Event) {
        for number in runs(in: key) { runs[number]?.isIndeterminate = true }
        bereave(key.user, at: event.at) { $0.isUnknown = true }
    }

    private func runs(in key: StreamKey) -> [UInt64] {
        (members[key.user] ?? []).flatMap { sessions[$0]?.runs ?? [] }.filter { number in
            guard let run = runs[number] else { return false }
            return key.name.isEmpty || run.key == nil || run.links.contains { $0.map { Identifiers.text($0) == key.name } ?? false }
        }
    }

    private func evidence(of key: StreamKey, _ step: Streams.Step, _ event: Event) -> Evidence {
        guard let session = sessions[event.session] else {
            return Evidence(
                causes: [], offending: event.entry.ref, witness: [event.entry], sessions: [event.session],
                users: [event.user.label], instant: event.at, faults: [])
        }
        var evidence = evidence(for: session, entry: event.entry, at: event.at)
        evidence.causes += runs(in: key).map { .run($0) }
        if let run = ownRun(event) { evidence.causes.append(.run(run)) }
        if let before = step.before { evidence.witness.insert(before, at: min(1, evidence.witness.count)) }
        evidence.sessions += step.sessions.filter { $0 != event.session }.suffix(1)
        return evidence
    }

    private mutating func tell(_ outcome: Reading.Delivered.Outcome, of key: StreamKey, _ event: Event) {
        let per = contract?.delivery?.sequence?.per
        readings.append(
            .delivered(
                .init(
                    user: key.user.label, type: event.type, stream: per ?? "connection", outcome: outcome,
                    line: contract?.delivery?.sequence?.line ?? contract?.delivery?.line ?? 0)))
    }

    /// What a fault lost, repeated or moved behind the server, its client misses all the same.
    mutating func excuseDelivery(_ fault: FaultRecord, _ id: SessionID) {
        guard let delivery = contract?.delivery, delivery.sequence != nil || !delivery.id.isEmpty, fault.tap == .clientOut,
            fault.on != nil, fault.influence.excuses.contains(.delivery), let session = sessions[id], session.inScope
        else { return }
        readings.append(
            .delivered(
                .init(
                    user: session.user.label, type: "", stream: delivery.sequence?.per ?? "connection",
                    outcome: .told("events that \(fault.id) \(fault.kind) changed behind the server"), line: delivery.line)))
    }

    // MARK: Signals

    private mutating func readSignal(_ event: Event, _ value: JSON) {
        let name = stream(of: value)
        if let name, !name.isEmpty, contract?.delivery?.sequence?.per != nil {
            if signals[event.session]?.streams.count ?? 0 < 256 { signals[event.session, default: Signals()].streams.insert(name) }
        } else {
            signals[event.session, default: Signals()].isOfAll = true
        }
        let key = StreamKey(user: event.user, name: name ?? "")
        if let target = resumptions[event.session]?.target, name == nil || target.stream == key {
            resumptions[event.session]?.target = nil
            tell(.resumed, of: target.stream, event)
        }
        // What was lost may have ended what is under way.
        let lost = name == nil ? (members[event.user] ?? []).flatMap { sessions[$0]?.runs ?? [] } : runs(in: key)
        for number in lost {
            settleRun(number, .cut("the server told of lost events"))
            runs[number]?.isIndeterminate = true
        }
        bereave(event.user, at: event.at) { $0.isUnknown = true }
    }

    /// Whether the server told of the loss; what it said of one stream holds once.
    private mutating func takeSignal(of key: StreamKey, on id: SessionID) -> Bool {
        guard let known = signals[id] else { return false }
        return signals[id]?.streams.remove(key.name) != nil || known.isOfAll
    }

    // MARK: Names of single events

    /// `delivery.id`: at most once on one user's connections. What comes again on another one of them is a copy, or was asked for.
    private mutating func followIdentity(_ event: Event, _ value: JSON, _ delivery: DeliveryTerms) -> Bool {
        guard let name = delivery.id.value(in: value).map(Identifiers.text) else { return false }
        let key = StreamKey(user: event.user, name: name)
        let known = deliveredNames[key]
        if known == nil { deliveredNames.set(key, event.session) }
        guard let known else {
            if delivery.sequence == nil { tell(.inOrder, of: key, event) }
            return false
        }
        if known == event.session, !reheard.contains(event.session), sessions[event.session]?.obscured == nil, delivery.sequence == nil {
            judgeAgain(0, of: key, Streams.Step(), event)
        }
        return isOfKnownRun(event) ?? (known == event.session)
    }

    // MARK: Ends

    /// Who asks to go on may get, there and nowhere else, what runs of other connections still say: with that connection it
    /// is lost, however alive those are.
    mutating func loseResumed(_ id: SessionID) {
        guard resumptions[id] != nil, let user = sessions[id]?.user else { return }
        for member in members[user] ?? [] where member != id {
            for number in sessions[member]?.runs ?? [] { runs[number]?.isIndeterminate = true }
        }
    }

    mutating func leaveDelivery(_ id: SessionID, _ user: Principal, at: Instant) {
        guard contract?.delivery != nil else { return }
        giveUpResuming(id)
        loseResumed(id)
        resumptions[id] = nil
        signals[id] = nil
        reheard.remove(id)
        blind.remove(id)
        departed.set(user, at, renews: true)
        streams.lose(user)
    }

    /// It asked for what had come before, and nothing came: perhaps it was still to come.
    private mutating func giveUpResuming(_ id: SessionID) {
        guard let wish = resumptions[id], let target = wish.target, wish.wasAlone, target.number < target.last,
            let session = sessions[id], session.cutBy == nil, session.obscured == nil, !session.isClosedByClient
        else { return }
        resumptions[id]?.target = nil
        readings.append(
            .delivered(
                .init(
                    user: session.user.label, type: "", stream: contract?.delivery?.sequence?.per ?? "connection",
                    outcome: .unresumed("nothing has come yet behind the cursor"), line: contract?.delivery?.line ?? 0)))
    }

    mutating func concludeDelivery() {
        for id in resumptions.keys.sorted() { giveUpResuming(id) }
        guard let line = contract?.delivery?.sequence?.line else { return }
        for key in streams.doubtful {
            let why = "another connection of \(key.user.label) may have brought what is missing"
            readings.append(
                .delivered(
                    .init(
                        user: key.user.label, type: "", stream: contract?.delivery?.sequence?.per ?? "connection",
                        outcome: .doubtful(why), line: line)))
        }
    }
}
