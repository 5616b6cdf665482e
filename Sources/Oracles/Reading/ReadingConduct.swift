import Journaling
import NIOCore
import Wire

/// The server as a WebSocket peer on one connection: how it writes, and what it takes.
struct Conduct: Sendable {
    /// Of the server's frames.
    var legality: FrameLegality
    /// What was negotiated may give a meaning to what is illegal elsewhere.
    var isOpen: Bool
    /// It sent something by which it can be judged.
    var hasSpoken = false
    /// The server's own Close.
    var closed: EntryRef?
    /// A frame of the client on which the server had to fail the connection.
    struct Breach: Sendable {
        var violation: FrameViolation
        var entry: Entry
        /// It stands in a message that was begun before: a server may have read that part by then.
        var isInMessage: Bool
        /// A message of the server with what came with that frame or behind it.
        var taken: Entry?
        /// The server ended the connection as if nothing had been wrong.
        var isPassedOver = false
    }
    var breach: Breach?
    /// A server that fails a connection may say something before its Close.
    static let patience: Duration = .seconds(2)
    /// Codes of an end that has nothing to do with a breach (RFC 6455 section 7.4.1).
    static let plain: Set<UInt16> = [1000, 1001]

    /// The rules that this frame of the server breaks for certain.
    mutating func read(_ frame: FrameRecord, _ ref: EntryRef?) -> [FrameViolation] {
        hasSpoken = true
        let opcode = frame.frame.opcode
        let found = legality.violations(of: frame.frame).filter { violation in
            switch violation {
            // A Pong may follow (RFC 6455 section 5.5.1), and a message begun before comes to the journal behind it.
            case .afterClose: !opcode.isControl && isBehindClose(ref)
            case .closeCode: !isOpen && Self.isCertain(violation, in: frame)
            default: Self.isCertain(violation, in: frame)
            }
        }
        if opcode == .close, closed == nil { closed = ref }
        return found
    }

    private func isBehindClose(_ ref: EntryRef?) -> Bool {
        guard let ref, let closed else { return false }
        return ref.ordinal > closed.ordinal
    }

    /// What was cut out, or is not kept, made the payload another than it was; and a recording may lack a segment.
    static func isCertain(_ violation: FrameViolation, in frame: FrameRecord) -> Bool {
        let isWhole = !frame.redacted && frame.wireSize == FrameRecord.wireSize(of: frame.frame)
        return switch violation {
        case .lengthNotMinimal, .closeReason, .closeTooShort: isWhole
        case .closeCode: frame.frame.payload.readableBytes >= 2
        case .text: isWhole && frame.frame.fin && frame.frame.opcode == .text
        case .orphanContinuation, .messageInterrupted: false
        default: true
        }
    }
}

/// Whether the server keeps to RFC 6455, as far as that shows without doubt: what depends on its pace is not judged.
extension Reader {
    /// The server has accepted.
    mutating func watch(_ id: SessionID, deflate: Bool) {
        guard let session = sessions[id], session.isWhole, !session.isMadeUp, !session.spokeEarly else { return }
        // Interim answers may stand before it.
        let answers = session.opening.lazy.compactMap { entry -> ResponseHead? in
            guard case .head(let head) = entry.body, head.passage.direction == .toClient else { return nil }
            return try? ResponseHead(head.bytes)
        }
        let negotiated = answers.last { $0.status == 101 }?.extensions ?? .unknown("its answer cannot be read")
        var isOpen = (negotiated.deflate != nil) != deflate
        if case .unknown = negotiated { isOpen = true }
        let legality = FrameLegality(.toClient, extensions: isOpen ? .unknown("what was negotiated is not clear") : negotiated)
        conducts[id] = Conduct(legality: legality, isOpen: isOpen)
    }

    /// A frame of the server as it came.
    mutating func watch(_ frame: FrameRecord, _ entry: Entry, _ id: SessionID) {
        guard frame.passage.direction == .toClient, let violations = conducts[id]?.read(frame, entry.ref) else { return }
        if frame.frame.opcode == .close {
            noteEnd(frame.frame.payload, id, at: entry.instant)
        } else if !behind.isEmpty, let message = frame.message, !message.opcode.isControl, let payload = message.payload {
            noteTaken(payload, entry, id)
        }
        // A client that broke the protocol may be answered in any way.
        guard let first = violations.first, let session = sessions[id], session.obscured == nil else { return }
        tell(first, by: entry, session)
    }

    /// The server's bytes are no frames from here on, by a fault of ours or by their length: no other rule ends what can be
    /// read.
    mutating func watchIllegal(_ bytes: ByteBuffer, _ entry: Entry, _ id: SessionID) {
        guard let session = sessions[id], conducts[id] != nil, session.obscured == nil else { return }
        guard FrameHeader(bytes)?.isUnbounded == true else {
            conducts[id] = nil
            return
        }
        tell(.lengthTopBit, by: entry, session)
    }

    private mutating func tell(_ violation: FrameViolation, by entry: Entry, _ session: Session) {
        conducts[session.id] = nil
        let evidence = evidence(for: session, entry: entry, at: entry.instant)
        readings.append(.conduct(.init(user: session.user.label, outcome: .wrote(violation, evidence))))
    }

    // MARK: What the server had to fail on

    /// The client's first breach of the protocol.
    mutating func noteBreach(_ violation: FrameViolation, _ entry: Entry, _ id: SessionID, isInMessage: Bool) {
        guard violation.mustFail, let session = sessions[id], conducts[id]?.isOpen == false, !session.isOver,
            !session.isClosedByClient
        else { return }
        conducts[id]?.breach = Conduct.Breach(violation: violation, entry: entry, isInMessage: isInMessage)
    }

    /// A message of the client. It counts when it begins with the breach or behind it, by what was said nowhere else.
    mutating func noteBehind(_ payload: ByteBuffer, _ id: SessionID) {
        let breach = conducts[id]?.breach
        guard breach != nil || !behind.isEmpty else { return }
        let counts = breach?.isInMessage == false
        if breach != nil { conducts[id]?.breach?.isInMessage = false }
        for canary in Canary.all(in: payload) {
            if let other = behind[canary] {
                if other != id { behind[canary] = nil }
            } else if counts, !canaries.isKnown(canary), !isInHead(canary, of: id), behind.count < capacity.perSession {
                behind[canary] = id
            }
        }
    }

    mutating func forgetBehind(_ payload: ByteBuffer?) {
        guard let payload, !behind.isEmpty else { return }
        for canary in Canary.all(in: payload) { behind[canary] = nil }
    }

    private func isInHead(_ canary: Canary, of id: SessionID) -> Bool {
        sessions[id]?.opening.contains { entry in
            if case .head(let head) = entry.body { Canary.all(in: head.bytes).contains(canary) } else { false }
        } ?? false
    }

    private mutating func noteTaken(_ payload: ByteBuffer, _ entry: Entry, _ id: SessionID) {
        guard let breach = conducts[id]?.breach, breach.taken == nil else { return }
        guard Canary.all(in: payload).contains(where: { behind[$0] == id }) else { return }
        conducts[id]?.breach?.taken = entry
    }

    /// The server's Close says whether it fails the connection; without a code it does, unless it answers the client's.
    private mutating func noteEnd(_ payload: ByteBuffer, _ id: SessionID, at: Instant) {
        let code = payload.getInteger(at: payload.readerIndex, as: UInt16.self)
        guard code.map(Conduct.plain.contains) ?? sessions[id]?.isClosedByClient ?? false else { return forgive(id, at: at) }
        conducts[id]?.breach?.isPassedOver = true
    }

    /// The server failed the connection: what it said just before was said on the way.
    mutating func forgive(_ id: SessionID, at: Instant) {
        guard let breach = conducts[id]?.breach, !breach.isPassedOver else { return }
        if let taken = breach.taken, at > taken.instant.advanced(by: Conduct.patience) { return }
        conducts[id]?.breach = nil
        behind = behind.filter { $0.value != id }
    }

    /// Nothing more comes of this connection, or of the journal, than until `end`.
    mutating func settleConduct(_ id: SessionID, at end: Instant) {
        guard let session = sessions[id], let conduct = conducts.removeValue(forKey: id) else { return }
        if conduct.breach != nil { behind = behind.filter { $0.value != id } }
        let user = session.user.label
        guard let breach = conduct.breach, let taken = breach.taken else {
            if conduct.hasSpoken { readings.append(.conduct(.init(user: user, outcome: .kept))) }
            return
        }
        guard breach.isPassedOver || taken.instant.advanced(by: Conduct.patience) <= end else {
            let why = "the connection, or the recording, ends before the server could fail it"
            return readings.append(.conduct(.init(user: user, outcome: .undecided(why))))
        }
        // What was said behind the breach may have been said elsewhere as well.
        if let why = mayBeKnown { return readings.append(.conduct(.init(user: user, outcome: .undecided(why)))) }
        var evidence = evidence(for: session, entry: taken, at: taken.instant)
        evidence.witness.insert(breach.entry, at: min(1, evidence.witness.count))
        readings.append(.conduct(.init(user: user, outcome: .took(breach.violation, evidence))))
    }
}
