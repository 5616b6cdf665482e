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
    /// The client's text, while it comes in fragments, and whether one of their borders lies inside a character.
    var text: UTF8Validator?
    var isSplit = false
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

    /// A data frame of the client that breaks no rule.
    mutating func followText(_ record: FrameRecord) {
        let frame = record.frame
        if frame.opcode != .continuation {
            isSplit = false
            text = frame.opcode == .text && !frame.fin && frame.rsv == 0 ? UTF8Validator() : nil
        }
        guard text != nil else { return }
        if record.redacted || text?.feed(frame.payload) != nil {
            text = nil
            isSplit = false
        } else if frame.fin {
            text = nil
        } else if text?.isComplete == false {
            isSplit = true
        }
    }

    /// Whatever it was meant to be, for people.
    static func looks(_ frame: Frame) -> String? {
        let header = FrameHeader(frame)
        // As it stood on the wire.
        guard header.maskKey == nil, header.lengthForm == .seven else { return nil }
        let bytes = [header.firstByte, UInt8(truncatingIfNeeded: header.declaredLength)] + Array(frame.payload.readableBytesView.prefix(64))
        return looks(bytes)
    }

    static func looks(_ bytes: [UInt8]) -> String? {
        if bytes.starts(with: "HTTP/".utf8) { return "HTTP text" }
        let isText = bytes.count >= 8 && bytes.allSatisfy { (0x20...0x7e).contains($0) || $0 == 0x0a || $0 == 0x0d || $0 == 0x09 }
        return isText ? "plain text" : nil
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
        var answer: ResponseHead?
        for entry in session.opening {
            guard case .head(let head) = entry.body, head.passage.direction == .toClient else { continue }
            // Interim answers may stand before it.
            if let read = try? ResponseHead(head.bytes), read.status == 101 { answer = read }
        }
        let negotiated = answer?.extensions ?? .unknown("its answer cannot be read")
        var isOpen = (negotiated.deflate != nil) != deflate
        if case .unknown = negotiated { isOpen = true }
        let legality = FrameLegality(.toClient, extensions: isOpen ? .unknown("what was negotiated is not clear") : negotiated)
        conducts[id] = Cell(Conduct(legality: legality, isOpen: isOpen))
    }

    /// A frame of the server as it came.
    mutating func watch(_ frame: FrameRecord, _ opcode: Opcode, _ entry: Entry, _ id: SessionID) {
        guard frame.passage.direction == .toClient, let violations = conducts[id]?.value.read(frame, entry.ref) else { return }
        if opcode == .close {
            noteEnd(frame.frame.payload, id, at: entry.instant)
            if conducts[id]?.isSplit == true { noteRejectedText(frame.frame.payload, entry, id) }
        } else if !behind.isEmpty, let message = frame.message, !message.opcode.isControl, let payload = message.payload {
            noteTaken(payload, entry, id)
        }
        // A client that broke the protocol may be answered in any way.
        guard let first = violations.first, let session = sessions[id], session.obscured == nil else { return }
        tell(first, by: entry, session, looks: Conduct.looks(frame.frame))
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

    private mutating func tell(_ violation: FrameViolation, by entry: Entry, _ session: Session, looks: String? = nil) {
        conducts[session.id] = nil
        let evidence = evidence(for: session, entry: entry, at: entry.instant)
        readings.append(.conduct(.init(user: session.user.label, outcome: .wrote(violation, evidence), looks: looks)))
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

    /// 1007 says that a text is no text (RFC 6455 section 7.4.1). Here it is one, and all that is odd about it is where it was
    /// split; the contract says that it may be asked, and nothing else waits there that a server may refuse.
    private mutating func noteRejectedText(_ payload: ByteBuffer, _ entry: Entry, _ id: SessionID) {
        guard payload.getInteger(at: payload.readerIndex, as: UInt16.self) == 1007, let session = sessions[id], contract != nil,
            session.obscured == nil, !session.isClosedByClient, !session.isBad, !session.isOver, conducts[id]?.breach == nil
        else { return }
        let open = session.open.compactMap { requests[$0] }
        guard let last = open.last, open.allSatisfy({ !$0.isOdd && !$0.isRefusal && $0.mayBeRefusedBy == nil && !$0.isIndeterminate })
        else { return }
        conducts[id] = nil
        sessions[id]?.isWronged = true
        var evidence = evidence(for: session, entry: entry, at: entry.instant)
        evidence.witness.insert(last.entry, at: min(1, evidence.witness.count))
        readings.append(.conduct(.init(user: session.user.label, outcome: .rejectedText(code: 1007, evidence))))
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
