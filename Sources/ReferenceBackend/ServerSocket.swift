import NIOCore
import Wire

/// The server's end of one WebSocket (RFC 6455), without the transport: bytes in, happenings out. No extension is
/// spoken but, for B21, permessage-deflate without context takeover, and that from the client alone.
struct ServerSocket: Sendable {
    enum Happening: Sendable {
        case text(ByteBuffer)
        case binary(ByteBuffer)
        case ping(ByteBuffer)
        case close(CloseBody)
        /// The peer broke a rule or a limit: the connection is failed with this code (RFC 6455 section 7.1.7).
        case failure(code: UInt16, reason: String)
    }

    /// Largest message taken, in bytes; over it the connection is closed with 1009.
    static let messageLimit = 1 << 20

    private var rules = FrameRules(.toServer)
    private var held = ByteBuffer()
    /// The header of the frame whose payload is awaited; judged when it came.
    private var header: FrameHeader?
    /// Opcode and payload of the message begun.
    private var message: (opcode: Opcode, payload: ByteBuffer)?
    private var text = UTF8Validator()
    private var isOver = false

    /// B26: each fragment of a text is looked at by itself.
    var checksFragments = false
    /// The text that was refused is right as far as it came.
    private(set) var hasRejectedSplit = false
    /// B22: each fragment takes what the largest message could need, until the message ends.
    var pinsFragments = false
    private(set) var pinned: [ByteBuffer] = []
    static let mostPinned = 1_024
    /// B21: compressed messages are taken, and inflated to whatever they are.
    var inflates = false { didSet { rules = FrameRules(.toServer, deflate: inflates) } }
    private var isCompressed = false
    /// What was inflated last, kept for the next message.
    private(set) var inflated = ByteBuffer()

    /// A frame's header has come, and its payload not whole.
    var isMidFrame: Bool { header != nil }

    mutating func feed(_ bytes: ByteBuffer) {
        guard !isOver else { return }
        if held.readableBytes == 0 { held = bytes } else { held.writeImmutableBuffer(bytes) }
    }

    /// What happened next; nil when more bytes are needed, and for good after a close or a failure.
    mutating func next() -> Happening? {
        while !isOver {
            guard let header = header ?? FrameHeader(held) else { break }
            if self.header == nil {
                self.header = header
                if let failure = judge(header) { return fail(failure.code, failure.reason) }
                held.moveReaderIndex(forwardBy: header.size)
            }
            guard let length = Int(exactly: header.declaredLength), var payload = held.readSlice(length: length) else {
                break
            }
            self.header = nil
            if let key = header.maskKey { Mask.apply(key, to: &payload) }
            if let happening = take(header, payload) { return happening }
        }
        // What was read must not keep the storage that a burst once needed.
        if held.readableBytes == 0 { held = ByteBuffer() } else { held.discardReadBytes() }
        return nil
    }

    private mutating func judge(_ header: FrameHeader) -> (code: UInt16, reason: String)? {
        let short: UInt8 =
            switch header.lengthForm {
            case .seven: UInt8(truncatingIfNeeded: header.declaredLength) & 0x7f
            case .sixteen: 126
            case .sixtyFour: 127
            }
        if let violation = rules.take(
            firstByte: header.firstByte, masked: header.maskKey != nil, short: short, length: header.declaredLength)
        {
            return (1002, violation.detail)
        }
        let begun = header.opcode == .continuation ? message?.payload.readableBytes ?? 0 : 0
        if header.declaredLength > UInt64(Self.messageLimit - min(begun, Self.messageLimit)) {
            return (1009, "a message may have 1 MiB")
        }
        return nil
    }

    /// Nil for a fragment and a Pong, of which nothing comes.
    private mutating func take(_ header: FrameHeader, _ payload: ByteBuffer) -> Happening? {
        switch header.opcode {
        case .ping: return .ping(payload)
        case .pong: return nil
        case .close:
            if payload.readableBytes == 1 { return fail(1002, FrameViolation.closeTooShort.detail) }
            let body = CloseBody(payload)
            if let code = body.code {
                if !CloseBody.mayBeSent(code) { return fail(1002, FrameViolation.closeCode.detail) }
                if body.reason == nil { return fail(1007, FrameViolation.closeReason.detail) }
            }
            isOver = true
            return .close(body)
        default: return takeData(header, payload)
        }
    }

    private mutating func takeData(_ header: FrameHeader, _ payload: ByteBuffer) -> Happening? {
        var (opcode, whole) = message ?? (header.opcode, ByteBuffer())
        if header.opcode != .continuation {
            text = UTF8Validator()
            isCompressed = header.rsv & 4 != 0
        }
        if opcode == .text, !isCompressed {
            if text.feed(payload) != nil || (header.fin && !text.isComplete) {
                return fail(1007, FrameViolation.text.detail)
            }
            if checksFragments, !text.isComplete {
                hasRejectedSplit = true
                return fail(1007, FrameViolation.text.detail)
            }
        }
        if pinsFragments, !header.fin, pinned.count < Self.mostPinned {
            pinned.append(ByteBuffer(repeating: 0, count: Self.messageLimit))
        }
        if whole.readableBytes == 0 { whole = payload } else { whole.writeImmutableBuffer(payload) }
        guard header.fin else {
            message = (opcode, whole)
            return nil
        }
        message = nil
        pinned = []
        if isCompressed {
            guard let plain = try? Inflater(takeover: false).inflate(whole, limit: .max) else {
                return fail(1007, "the message cannot be inflated")
            }
            inflated = plain
            whole = plain
            if opcode == .text, !UTF8Validator.isValid(plain) { return fail(1007, FrameViolation.text.detail) }
        }
        return opcode == .text ? .text(whole) : .binary(whole)
    }

    private mutating func fail(_ code: UInt16, _ reason: String) -> Happening {
        isOver = true
        held = ByteBuffer()
        message = nil
        return .failure(code: code, reason: reason)
    }
}
