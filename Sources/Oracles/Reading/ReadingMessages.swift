import Contracts
import Journaling
import NIOCore
import Wire

/// Frames: closes, whole messages, and data that comes before the server's accept.
extension Reader {
    mutating func readFrame(_ frame: FrameRecord, _ entry: Entry, _ id: SessionID) {
        // What follows changes the session, which is copied for it as long as anybody holds it.
        guard let at = frame.passage.atServer, let gate = gate(for: frame, entry, id, at: at) else { return }
        let opcode = frame.frame.opcode
        watch(frame, opcode, entry, id)
        if frame.passage.direction == .toServer { followRules(frame, entry, id, at: at) }
        followReactions(frame, opcode, entry, id, isAccepted: gate.isAccepted, at: at)
        guard let contract, gate.inScope else {
            if frame.passage.direction == .toServer { forgetBehind(frame.message?.payload) }
            return
        }
        if opcode.isControl { notePing(opcode, frame.passage.direction, id, at: at) }
        if opcode == .close {
            return readClose(frame, entry, id, at: at)
        }
        guard let message = frame.message, !message.opcode.isControl else { return }
        if !gate.hasSpoken { sessions[id]?.hasSpoken = true }
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

    /// How a session stands to the next frame.
    private struct Gate {
        var isAccepted: Bool
        var inScope: Bool
        var hasSpoken: Bool
    }

    /// Nil: nothing more is to be read in it.
    private mutating func gate(for frame: FrameRecord, _ entry: Entry, _ id: SessionID, at: Instant) -> Gate? {
        guard let session = sessions[id], !session.isOpaque else { return nil }
        if session.isUnnamed, let facts = session.credential {
            readUnnamed(frame, facts, at: at)
            return nil
        }
        if !session.isWhole, session.obscured == nil { obscure(id, "the journal does not hold its beginning") }
        if frame.passage.direction == .toServer, session.acceptedAt == nil { sessions[id]?.spokeEarly = true }
        if frame.passage.direction == .toClient, session.isWhole, session.acceptedAt == nil, !frame.frame.opcode.isControl {
            let type = frame.frame.opcode == .binary ? "<binary>" : "<text>"
            early("a data frame", type: type, entry, session)
            return nil
        }
        return Gate(isAccepted: session.acceptedAt != nil, inScope: session.inScope, hasSpoken: session.hasSpoken)
    }

    private mutating func readMessage(
        _ payload: ByteBuffer, _ message: MessageRecord, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID,
        at: Instant, _ contract: Terms
    ) {
        let before = readout == nil ? nil : standpoint(id)
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

    private mutating func notePing(_ opcode: Opcode, _ direction: Direction, _ id: SessionID, at: Instant) {
        switch (opcode, direction) {
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
        let (recognition, members) = recognizer.read(payload, opcode: message.opcode, direction: .toServer)
        pulseAsked(recognition, id)
        // A server may read, and repeat, what the contract leaves out.
        let words = recognition.value ?? (message.opcode == .binary ? JSON.decode(payload).value : nil)
        let look = words.map { contract.look(atRequest: $0, members) }
        if let look { learnSent(look, id) }
        if !memberships.isEmpty, let words { shareWords(payload, words, by: user, at: at) }
        learnWords(words, frame, of: id)
        if words == nil || recognition.tolerated { learnLoose(payload, id) }
        defer { noteSeen(recognition, isRequest: true, id) }
        if case .unreadable(let why) = recognition.outcome { return unread(id, .toServer, why) }
        if contract.delivery != nil { readCursor(recognition, entry, id, at: at) }
        // An unauthenticated connection is owed a refusal and nothing else.
        guard let isEnded = sessions[id].map({ $0.isClosedByClient || $0.isOver }), sessions[id]?.isBad == false else { return }
        // One that has ended, on either side's word, owes nothing more.
        if isEnded { return mayStillBeHeard(user, at: at) }
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
    private static func legible(_ values: [JSON?], of request: Recognition, _ declared: DeclaredPaths?, isExtra: Bool = false) -> [JSON?] {
        values.indices.map { index in
            guard let value = values[index], (declared?.contains(index, rule: request.rule) ?? true) != isExtra, isLegible(value)
            else { return nil }
            return value
        }
    }

    static func isLegible(_ value: JSON) -> Bool { !Redactor.mayBeRedacted(Identifiers.text(value)) }

    mutating func open(
        _ recognition: Recognition, _ look: Terms.RequestLook, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID, at: Instant,
        size: Int
    ) {
        // Who asks to join a room does not name a stranger's.
        if !memberships.isEmpty, let user = sessions[id]?.user {
            memberships.hear(recognition, number: lastRequest + 1, user: user, at: at)
        }
        guard let contract, let loop = sessions[id]?.loop, let (label, doubt, grant) = label(recognition, on: id, contract),
            var request = request(recognition, look, frame, entry, id, at: at, label, doubt, size: size)
        else { return }
        let rule = recognition.rule.flatMap { contract.requests.indices.contains($0) ? contract.requests[$0] : nil }
        request.grantedBy = grant
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
        doubtUnready(&request, rule)
        // What it brings about may take as long as anything that is asked for.
        if request.waits == .nothing { bound = max(bound, min(at.duration(to: longestWait(from: at)), .seconds(600))) }
        if case .start = request.waits {} else if case .answer = request.waits, rule?.isBoundless == true {} else {
            let pending = pending(bound, since: at, loop: loop)
            request.pending = pending
            deadlines.add(.request(request.number), at: pending.due)
        }
        let peers = members[request.user] ?? []
        doubtAgain(&request, among: peers)
        noteName(of: request)
        forgetAnswers(under: request)
        if !request.isRefusal { shareName(of: request, among: peers) }
        if targetWatch.sentinel != nil { noteAsked(request, loop: loop) }
        keep(request, on: id)
    }

    /// - Returns: with the label the rule that grants what it lets be accepted.
    @inline(__always)
    private func label(_ recognition: Recognition, on id: SessionID, _ contract: Terms) -> (Label, LabelDoubt, Int?)? {
        guard let labeler, let standing = standing(of: id) else { return nil }
        let label = labeler.label(recognition, in: standing)
        let grant = label == .mayAccept ? labeler.grant(recognition, in: standing) : nil
        return (label, doubt(of: label, supposedLabels(of: recognition, in: standing), contract), grant)
    }

    /// The next one; what it waits for is not known yet.
    private mutating func request(
        _ recognition: Recognition, _ look: Terms.RequestLook, _ frame: FrameRecord, _ entry: Entry, _ id: SessionID, at: Instant,
        _ label: Label, _ doubt: LabelDoubt, size: Int
    ) -> Request? {
        guard let session = sessions[id] else { return nil }
        lastRequest += 1
        let faults = frame.provenance.faults
        return Request(RequestState(
            number: lastRequest, session: id, user: session.user, entry: entry, at: at, recognition: recognition,
            waits: .nothing, links: Self.legible(look.links, of: recognition, linked),
            context: Self.legible(look.context, of: recognition, repeated),
            extras: Self.legible(look.links, of: recognition, linked, isExtra: true),
            // Who does not wait for the accept cannot tell what becomes of its words.
            isIndeterminate: doubt.isOpen || session.obscured != nil || session.cutBy != nil || session.acceptedAt == nil,
            isFromFlow: label == .mustAccept && !doubt.isRefusable && faults.isEmpty, faults: faults,
            mayBeRefusedBy: doubt.rule, size: size))
    }

    /// Before AUTHENTICATING is over a server need not listen to anything but what ends it.
    private mutating func doubtUnready(_ request: inout Request, _ rule: MessageRule?) {
        guard !request.isRefusal, let ready = contract?.session?.ready, sessions[request.session]?.isReadied == false else { return }
        if let rule, rule.answer.contains(where: { Glob($0).matches(ready) }) { return }
        request.isIndeterminate = true
        if case .start(let run) = request.waits { runs[run]?.isIndeterminate = true }
    }

    /// The same request under a name that stands open already is asked again: a server that knows the name answers once.
    /// - Parameter peers: the connections of its user.
    private mutating func doubtAgain(_ request: inout Request, among peers: [SessionID]) {
        let rule = request.recognition.rule
        for id in peers {
            for number in sessions[id]?.open ?? [] {
                guard let other = requests[number], other.recognition.rule == rule,
                    case .equal(let path) = Self.match(other.links, request.links), isExclusive(path),
                    other.recognition.value == request.recognition.value
                else { continue }
                request.isIndeterminate = true
                if case .start(let run) = request.waits { runs[run]?.isIndeterminate = true }
                return
            }
        }
    }

    private mutating func noteName(of request: Request) {
        let most = capacity.perSession
        for name in contract?.exclusiveNames(of: request) ?? [] {
            said[request.session]?.note(name: name, mayBeGranted: !request.isRefusal, most: most)
        }
    }

    /// Others of its user bore the same name, and an error that repeats it may be for any of them, also for one that took
    /// another's error for its own.
    func isNamesake(_ request: Request) -> Bool {
        (contract?.exclusiveNames(of: request) ?? []).contains { name in
            (members[request.user] ?? []).reduce(0) { $0 + (said[$1]?.use(of: name).count ?? 0) } > 1
        }
    }

    /// A request of its user that may succeed bore the same name: what succeeds under it may be that one's.
    func hasGrantedNamesake(_ request: Request) -> Bool {
        (contract?.exclusiveNames(of: request) ?? []).contains { name in
            (members[request.user] ?? []).contains { said[$0]?.use(of: name).mayBeGranted ?? false }
        }
    }

    /// A request that may succeed bears the very name of refused ones: what succeeds under it condemns none of these.
    private mutating func shareName(of request: Request, among peers: [SessionID]) {
        func isSame(_ other: Request) -> Bool {
            if case .equal(let path) = Self.match(other.links, request.links) { isExclusive(path) } else { false }
        }
        for id in peers {
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
}
