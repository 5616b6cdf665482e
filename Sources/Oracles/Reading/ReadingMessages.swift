import Contracts
import Journaling
import NIOCore
import Wire

/// Frames: closes, whole messages, and data that comes before the server's accept.
extension Reader {
    mutating func readFrame(_ frame: FrameRecord, _ entry: Entry, _ id: SessionID) {
        guard let at = frame.passage.atServer, let session = sessions[id], !session.isOpaque else { return }
        if session.isUnnamed, let facts = session.credential { return readUnnamed(frame, facts, at: at) }
        if !session.isWhole, session.obscured == nil { obscure(id, "the journal does not hold its beginning") }
        if frame.passage.direction == .toServer, session.acceptedAt == nil { sessions[id]?.spokeEarly = true }
        if frame.passage.direction == .toClient, session.isWhole, session.acceptedAt == nil, !frame.frame.opcode.isControl {
            let type = frame.frame.opcode == .binary ? "<binary>" : "<text>"
            return early("a data frame", type: type, entry, session)
        }
        watch(frame, entry, id)
        if frame.passage.direction == .toServer { followRules(frame, entry, id, at: at) }
        followReactions(frame, entry, id, isAccepted: session.acceptedAt != nil, at: at)
        guard let contract, session.inScope else {
            if frame.passage.direction == .toServer { forgetBehind(frame.message?.payload) }
            return
        }
        notePing(frame, id, at: at)
        if frame.frame.opcode == .close {
            return readClose(frame, entry, id, at: at)
        }
        guard let message = frame.message, !message.opcode.isControl else { return }
        if !session.hasSpoken { sessions[id]?.hasSpoken = true }
        guard let payload = message.payload else {
            let why = "a message on it could not be read: \(message.unlifted ?? "it is too large")"
            return unread(id, frame.passage.direction, why)
        }
        switch recognizer?.content(of: payload, opcode: message.opcode) ?? .one {
        case .one: readMessage(payload, message, frame, entry, id, at: at, contract)
        case .several(let pieces):
            for piece in pieces { readMessage(piece, message, frame, entry, id, at: at, contract) }
        case .tooMany:
            unread(id, frame.passage.direction, "a frame on it holds more than \(Recognizer.mostMessages) messages")
        }
    }

    private mutating func readMessage(
        _ payload: ByteBuffer, _ message: MessageRecord, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID,
        at: Instant, _ contract: Terms
    ) {
        let before = standpoint(id)
        switch frame.passage.direction {
        case .toServer: readRequest(payload, message, frame, entry, id, at: at, contract)
        case .toClient: readEvent(payload, message, entry, id, at: at, contract)
        }
        if statefulLabels > 0, let user = sessions[id]?.user { recheckLabels(of: user) }
        if let before { tellReadout(payload, message, frame.passage.direction, entry, id, at: at, since: before) }
    }

    /// A server must fail a connection on which its client breaks the protocol (RFC 6455 section 7.1.7), at once or when
    /// it notices: from there on nothing more is owed on it, and its end is our doing.
    private mutating func followRules(_ frame: FrameRecord, _ entry: Entry?, _ id: SessionID, at: Instant) {
        let isInMessage = legalities[id]?.isInMessage ?? false
        guard let all = legalities[id]?.violations(of: frame.frame) else {
            if let session = sessions[id], session.isWhole, !session.isRefused { sessions[id]?.early.append(frame) }
            return
        }
        // What was cut out made the payload shorter than it was.
        let violations = all.filter { !frame.redacted || $0 != .lengthNotMinimal && $0 != .text }
        // Whoever may have broken the protocol may be answered in any way.
        if let first = all.first, !Conduct.isCertain(first, in: frame) { conducts[id] = nil }
        if frame.redacted, frame.message == nil, !frame.frame.opcode.isControl, frame.frame.payload.readableBytes == 0,
            sessions[id]?.obscured == nil
        {
            return obscure(id, "the client's last message on it has no end")
        }
        guard let first = violations.first, sessions[id]?.obscured == nil else { return }
        judgeSpent(id, at: at)
        if let entry { noteBreach(first, entry, id, isInMessage: isInMessage) }
        obscure(id, "the client broke the protocol: \(first.detail)")
    }

    /// The accept is here: what the client sent before it is read by the rules that it brought.
    mutating func followEarly(_ id: SessionID, at: Instant) {
        guard let early = sessions[id]?.early else { return }
        sessions[id]?.early = EarlyFrames()
        for frame in early.frames { followRules(frame, nil, id, at: at) }
        if early.isFull, sessions[id]?.obscured == nil { obscure(id, "the client said more before its accept than is kept") }
    }

    private mutating func notePing(_ frame: FrameRecord, _ id: SessionID, at: Instant) {
        switch (frame.frame.opcode, frame.passage.direction) {
        case (.ping, .toClient): if sessions[id]?.pingedAt == nil { sessions[id]?.pingedAt = at }
        case (.pong, .toServer): sessions[id]?.pingedAt = nil
        default: break
        }
    }

    /// A message of the client may have held any word that comes back; one of the server anybody's.
    mutating func unread(_ id: SessionID, _ direction: Direction, _ why: String) {
        if direction == .toServer { said[id]?.isUnknown = true }
        if direction == .toClient { readings.append(.unread(why)) }
        obscure(id, why)
    }

    /// A capture lacks a part of what that side sent: nothing later on this connection can be judged, and on others of its
    /// user what nobody seems to have asked for may have been asked for there, what is missed may have come there.
    mutating func lack(_ id: SessionID, _ direction: Direction, at: Instant) {
        unread(id, direction, "the capture lacks a part of what its \(direction.source.rawValue) sent")
        guard let session = sessions[id] else { return }
        if direction == .toClient { unheard.set(session.user, .distantFuture, renews: true) }
        bereaved.set(session.user, Bereavement(since: at, until: .distantFuture, isUnknown: true), renews: true)
    }

    /// What passed unread may have been anything: everything open here is left undecided.
    mutating func obscure(_ id: SessionID, _ why: String) {
        sessions[id]?.obscured = why
        pulse(.obscured, id)
        note(why)
        for number in sessions[id]?.open ?? [] { requests[number]?.isIndeterminate = true }
        for number in sessions[id]?.runs ?? [] { runs[number]?.isIndeterminate = true }
    }

    mutating func readRequest(
        _ payload: ByteBuffer, _ message: MessageRecord, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID,
        at: Instant, _ contract: Terms
    ) {
        guard let recognizer, let user = sessions[id]?.user else { return }
        noteBehind(payload, id)
        if canaries.learn(payload, owner: user) { learnt.turnOff() }
        let recognition = recognizer.recognise(payload, opcode: message.opcode, direction: .toServer)
        pulseAsked(recognition, id)
        // A server may read, and repeat, what the contract leaves out.
        let words = recognition.value ?? (message.opcode == .binary ? JSON.decode(payload).value : nil)
        let look = words.map { contract.look(atRequest: $0) }
        if let look { learnSent(look, id) }
        if !memberships.isEmpty, let words { shareWords(payload, words, by: user, at: at) }
        learnWords(words, frame, of: id)
        if words == nil || recognition.tolerated { learnLoose(payload, id) }
        defer { noteSeen(recognition, isRequest: true, id) }
        if case .unreadable(let why) = recognition.outcome { return unread(id, .toServer, why) }
        if contract.delivery != nil { readCursor(recognition, entry, id, at: at) }
        guard let session = sessions[id] else { return }
        // An unauthenticated connection is owed a refusal and nothing else.
        // One that has ended, on either side's word, owes nothing more.
        guard !session.isBad else { return }
        if session.isClosedByClient || session.isOver { return mayStillBeHeard(session, at: at) }
        if let part = recognition.heartbeat { return readBeat(part, .toServer, recognition, entry, id, at: at) }
        if let value = recognition.value { stepRuns(request: recognition, value, entry, id, at: at) }
        let asked = recognition.value == nil ? nil : look
        open(recognition, asked ?? Terms.RequestLook(contract), frame, entry, id, at: at, size: payload.readableBytes)
    }

    private mutating func learnSent(_ look: Terms.RequestLook, _ id: SessionID) {
        bindings.hear(look.names)
        // A run may be named where no identifier is declared.
        note(look.names + look.keys, sentOn: id)
    }

    /// Parsers read it differently: one takes the first of two members, one stops at a depth, one at the first value.
    private mutating func learnLoose(_ payload: ByteBuffer, _ id: SessionID) {
        let document = JSONDocument(payload)
        if document.problem?.tolerated == true { said[id]?.isUnknown = true }
        let texts = document.nodes.indices.compactMap { node in
            document.nodes[node].kind == .number
                ? Identifiers.text(.number(document.text(document.nodes[node].range))) : document.string(of: node)
        }
        note(texts, sentOn: id)
    }

    private mutating func note(_ values: [String], sentOn id: SessionID) {
        guard !values.isEmpty, said[id]?.isUnknown == false else { return }
        // More than is kept, or a token that said the same: from now on anything may be an echo.
        guard (said[id]?.count ?? 0) + values.count <= capacity.perSession, !values.contains(where: Redactor.mayBeRedacted) else {
            said[id]?.isUnknown = true
            return
        }
        for value in values { said[id]?.note(value) }
    }

    /// What the request says at some paths, where it is asked to say anything there; or, of `extras`, where it is not.
    private func legible(_ values: [JSON?], of request: Recognition, _ declared: DeclaredPaths?, isExtra: Bool = false) -> [JSON?] {
        var legible = values
        for (index, value) in values.enumerated() {
            guard let value, (declared?.contains(index, rule: request.rule) ?? true) != isExtra, isLegible(value) else {
                legible[index] = nil
                continue
            }
        }
        return legible
    }

    func isLegible(_ value: JSON) -> Bool { !Redactor.mayBeRedacted(Identifiers.text(value)) }

    mutating func open(
        _ recognition: Recognition, _ look: Terms.RequestLook, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID, at: Instant,
        size: Int
    ) {
        // Who asks to join a room does not name a stranger's.
        if !memberships.isEmpty, let user = sessions[id]?.user {
            memberships.hear(recognition, number: lastRequest + 1, user: user, at: at)
        }
        guard let contract, let labeler, let session = sessions[id], let standing = standing(of: id) else { return }
        let label = labeler.label(recognition, in: standing)
        let doubt = doubt(of: label, supposedLabels(of: recognition, in: standing), contract)
        lastRequest += 1
        var request = Request(RequestState(
            number: lastRequest, session: id, user: session.user, entry: entry, at: at, recognition: recognition,
            waits: .nothing, links: legible(look.links, of: recognition, linked),
            context: legible(look.context, of: recognition, repeated),
            extras: legible(look.links, of: recognition, linked, isExtra: true),
            // Who does not wait for the accept cannot tell what becomes of its words.
            isIndeterminate: doubt.isOpen || session.obscured != nil || session.cutBy != nil || session.acceptedAt == nil,
            isFromFlow: label == .mustAccept && !doubt.isRefusable && frame.provenance.faults.isEmpty, faults: frame.provenance.faults, mayBeRefusedBy: doubt.rule, size: size))
        let rule = recognition.rule.flatMap { contract.requests.indices.contains($0) ? contract.requests[$0] : nil }
        if label == .mayAccept { request.grantedBy = labeler.grant(recognition, in: standing) }
        var bound = contract.deadline
        if case .mustReject(let index, let isStateful) = label, contract.reject.indices.contains(index) {
            if !openInside(&request, rule: index, isStateful: isStateful, on: id) {
                request.waits = .refusal(rule: index, isStateful: isStateful)
                if isStateful { statefulLabels += 1 }
                bound = contract.bound(of: contract.reject[index])
            }
        } else if let rule, let name = rule.starts, let index = contract.runs.firstIndex(where: { $0.name == name }) {
            let isDoubtful = recognition.tolerated || recognition.outcome != .valid
            let run = beginRun(index, for: &request, on: id, isDoubtful: isDoubtful)
            request.waits = .start(run: run)
        } else if let rule, !rule.answer.isEmpty || !rule.answerCloses.isEmpty {
            request.waits = .answer(rule.answer)
            bound = contract.bound(of: rule)
            if recognition.outcome != .valid { request.isIndeterminate = true }
        }
        doubtUnready(&request, session, rule)
        // What it brings about may take as long as anything that is asked for.
        if request.waits == .nothing { bound = max(bound, min(at.duration(to: longestWait(from: at)), .seconds(600))) }
        if case .start = request.waits {} else if case .answer = request.waits, rule?.isBoundless == true {} else {
            let pending = pending(bound, since: at, loop: session.loop)
            request.pending = pending
            deadlines.add(.request(request.number), at: pending.due)
        }
        doubtAgain(&request)
        noteName(of: request)
        forgetAnswers(under: request)
        if !request.isRefusal { shareName(of: request) }
        if targetWatch.sentinel != nil { noteAsked(request, loop: session.loop) }
        keep(request, on: id)
    }

    /// Before AUTHENTICATING is over a server need not listen to anything but what ends it.
    private mutating func doubtUnready(_ request: inout Request, _ session: Session, _ rule: MessageRule?) {
        guard !request.isRefusal, let ready = contract?.session?.ready, !isReadied(session) else { return }
        if let rule, rule.answer.contains(where: { Glob($0).matches(ready) }) { return }
        request.isIndeterminate = true
        if case .start(let run) = request.waits { runs[run]?.isIndeterminate = true }
    }

    /// The same request under a name that stands open already is asked again: a server that knows the name answers once.
    private mutating func doubtAgain(_ request: inout Request) {
        let rule = request.recognition.rule
        for id in members[request.user] ?? [] {
            for number in sessions[id]?.open ?? [] {
                guard let other = requests[number], other.recognition.rule == rule, other.recognition.value == request.recognition.value,
                    case .equal(let path) = match(other.links, request.links), isExclusive(path)
                else { continue }
                request.isIndeterminate = true
                if case .start(let run) = request.waits { runs[run]?.isIndeterminate = true }
                return
            }
        }
    }

    private mutating func noteName(of request: Request) {
        for name in exclusiveNames(of: request) {
            said[request.session]?.note(name: name, mayBeGranted: !request.isRefusal, most: capacity.perSession)
        }
    }

    func exclusiveNames(of request: Request) -> [String] {
        zip(request.links, request.extras).enumerated().compactMap { index, values in
            isExclusive(index) ? (values.0 ?? values.1).map { "\(index) \(Identifiers.text($0))" } : nil
        }
    }

    /// Others of its user bore the same name, and an error that repeats it may be for any of them, also for one that took
    /// another's error for its own.
    func isNamesake(_ request: Request) -> Bool {
        exclusiveNames(of: request).contains { name in
            (members[request.user] ?? []).reduce(0) { $0 + (said[$1]?.use(of: name).count ?? 0) } > 1
        }
    }

    /// A request of its user that may succeed bore the same name: what succeeds under it may be that one's.
    func hasGrantedNamesake(_ request: Request) -> Bool {
        exclusiveNames(of: request).contains { name in
            (members[request.user] ?? []).contains { said[$0]?.use(of: name).mayBeGranted ?? false }
        }
    }

    /// A request that may succeed bears the very name of refused ones: what succeeds under it condemns none of these.
    private mutating func shareName(of request: Request) {
        func isSame(_ other: Request) -> Bool {
            if case .equal(let path) = match(other.links, request.links) { isExclusive(path) } else { false }
        }
        for id in members[request.user] ?? [] {
            for number in sessions[id]?.open ?? [] {
                if let other = requests[number], other.isRefusal, isSame(other) { requests[number]?.isIndeterminate = true }
            }
            for index in sessions[id]?.ghosts.indices ?? 0..<0 {
                if let other = sessions[id]?.ghosts[index].request, isSame(other) {
                    sessions[id]?.ghosts[index].request.isIndeterminate = true
                }
            }
        }
    }

    private mutating func keep(_ request: Request, on id: SessionID) {
        requests[request.number] = request
        if !stated.isEmpty { askedStated(request) }
        requestBytes += request.size
        sessions[id]?.open.append(request.number)
        // The oldest of this connection goes first: it is the likeliest to be forgotten by its peer as well.
        while requests.count > capacity.requests || requestBytes > capacity.requestBytes
            || (sessions[id]?.open.count ?? 0) > capacity.perSession
        {
            guard let oldest = sessions[id]?.open.first, oldest != request.number else { break }
            note("more requests are open than miswire keeps; the oldest are left undecided")
            settle(oldest, .undecided("more requests were open than miswire keeps"))
        }
    }

    // MARK: Events

    mutating func readEvent(
        _ payload: ByteBuffer, _ message: MessageRecord, _ entry: Entry, _ id: SessionID, at: Instant,
        _ contract: Terms
    ) {
        guard let recognizer, let session = sessions[id] else { return }
        let recognition = recognizer.recognise(payload, opcode: message.opcode, direction: .toClient)
        pulseEvent(recognition, id, contract)
        let isShared = contract.sharing?.isBroadcast(name: recognition.name, type: recognition.type) ?? false
        if isShared { canaries.declassify(payload) }
        noteSeen(recognition, isRequest: false, id)
        if case .unreadable(let why) = recognition.outcome { return unread(id, .toClient, why) }
        // Only some parsers take it, ours not: what it was for is open.
        if case .malformed(let why) = recognition.outcome, recognition.tolerated { obscure(id, why) }
        if let part = recognition.heartbeat {
            if let value = recognition.value { passNumber(of: value, entry, id, at: at) }
            return readBeat(part, .toClient, recognition, entry, id, at: at)
        }
        if isReady(recognition) { sessions[id]?.isReadied = true }
        let isCopy = (members[session.user]?.count ?? 0) > 1 && copies.isCopy(payload, recognition.value, of: session.user, on: id)
        let event = Event(recognition, entry, id, session.user, at: at, isCopy: isCopy, contract)
        tellDeclared(event, payload, contract)
        let isInRoom = !memberships.isEmpty && recognition.value.map { !sharedRooms(of: event, $0).isEmpty } ?? false
        hearWords(of: event, isShared: isShared || isInRoom)
        let (ownership, reading) = judgeOwnership(of: event, payload, isShared: isShared, contract)
        if reading.ownerDoubt != nil, let run = reading.owningRun { runs[run]?.isIndeterminate = true }
        let holder = reading.identity == nil ? ownership : .anothers(session.user.label)
        let isReplay = contract.delivery != nil && followDelivery(event, holder, contract)
        if session.isBad {
            if isGreeting(recognition) { sessions[id]?.isGreeted = true }
            readUnauthenticated(recognition, entry, id, at: at)
        } else if recognition.outcome != .ignored {
            if !expiries.isEmpty { judgeExpiry(event, contract) }
            if let name = contract.session?.greeting, isGreeting(recognition) { settleGreeting(id, .kept(name)) }
            if !isReplay { link(event, ownership, contract) }
        }
        tell(reading, of: event, contract)
    }

    private func isGreeting(_ recognition: Recognition) -> Bool {
        guard let name = contract?.session?.greeting else { return false }
        return recognition.name == name || recognition.type == name
    }

    private func isReady(_ recognition: Recognition) -> Bool {
        guard let name = contract?.session?.ready else { return false }
        return recognition.name == name || recognition.type == name
    }

    private mutating func link(_ event: Event, _ ownership: Ownership, _ contract: Terms) {
        switch (event.isError, ownership) {
        case (_, .shared): spareWaiting(for: event, contract)
        case (true, .anothers(let owner)):
            tellForm(of: event, nil, contract)
            keepLeftover(event, owner: owner)
            condemn(event, contract)
        case (true, .own): linkError(event, contract)
        case (false, .anothers): condemn(event, contract)
        case (false, .own): linkEvent(event, contract)
        }
    }
}

/// One message of the server, in hand. Behind one reference: whoever looks at it is given it whole.
final class Event: Sendable {
    let recognition: Recognition
    let entry: Entry
    let session: SessionID
    let user: Principal
    let at: Instant
    /// Empty when it could not be decoded.
    private let look: Terms.EventLook
    let isError: Bool
    /// Another connection of the same user got the same message before.
    let isCopy: Bool
    /// For people.
    let type: String

    init(
        _ recognition: Recognition, _ entry: Entry, _ session: SessionID, _ user: Principal, at: Instant, isCopy: Bool,
        _ contract: Terms
    ) {
        self.recognition = recognition
        self.entry = entry
        self.session = session
        self.user = user
        self.at = at
        self.isCopy = isCopy
        look = recognition.value.map { contract.look(atEvent: $0, on: session) } ?? Terms.EventLook()
        isError = recognition.name.map(contract.isError) ?? false
        type = contract.title(of: recognition)
    }

    var links: [JSON?] { look.links }
    var names: [String?] { look.names }
    var keys: [RunKey] { look.keys }
    var number: Int? { look.number }
}

/// Whose an event is, as far as it shows.
enum Ownership: Sendable, Equatable {
    case own
    /// It was meant for that user, or belongs to a run of theirs.
    case anothers(String)
    /// It came to a room that its receiver shares, and is not known to be the receiver's.
    case shared
}
