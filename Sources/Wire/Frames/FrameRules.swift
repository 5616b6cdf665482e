/// What a sender may write next, by header alone: the cheap half of legality, kept by the scanner for every frame.
@usableFromInline package struct FrameRules: Sendable, Hashable {
    /// The client masks, the server does not (RFC 6455 section 5.1).
    @usableFromInline var masks: Bool
    /// permessage-deflate was negotiated: RSV1 may stand on the first frame of a data message.
    @usableFromInline var deflate: Bool
    /// Something was negotiated that is not understood: it may give a meaning to every reserved bit and opcode.
    @usableFromInline var isOpen = false
    /// A data message is begun and not ended.
    @usableFromInline package var inMessage = false
    @usableFromInline package var closed = false

    package init(_ direction: Direction, deflate: Bool = false) {
        masks = direction == .toServer
        self.deflate = deflate
    }

    package init(_ direction: Direction, extensions: ExtensionOutcome) {
        self.init(direction, deflate: extensions.deflate != nil)
        if case .unknown = extensions { isOpen = true }
    }

    /// Nil when this header may stand here; moves on to what may follow it either way.
    @inlinable
    package mutating func take(
        firstByte: UInt8, masked: Bool, short: UInt8, length: UInt64
    ) -> FrameViolation? {
        let opcode = firstByte & 0x0f
        let fin = firstByte & 0x80 != 0
        let found = problem(firstByte: firstByte, masked: masked, short: short, length: length)
        if opcode < 3 {
            inMessage = !fin && (opcode != 0 || inMessage)
        } else if opcode == 8 {
            closed = true
        }
        return found
    }

    @inlinable
    func problem(firstByte: UInt8, masked: Bool, short: UInt8, length: UInt64) -> FrameViolation? {
        let opcode = firstByte & 0x0f
        if short == 127 {
            if length > UInt64(Int64.max) { return .lengthTopBit }
            if length < 65_536 { return .lengthNotMinimal }
        } else if short == 126, length < 126 {
            return .lengthNotMinimal
        }
        if closed { return .afterClose }
        if firstByte & 0x70 != 0, !isOpen {
            if firstByte & 0x30 != 0 || !deflate { return .reservedBits }
            if opcode == 0 || opcode > 2 { return .deflatedContinuation }
        }
        if masked != masks { return masked ? .maskUnexpected : .maskMissing }
        switch opcode {
        case 0: return inMessage ? nil : .orphanContinuation
        case 1, 2: return inMessage ? .messageInterrupted : nil
        case 8, 9, 10:
            if firstByte & 0x80 == 0 { return .controlFragmented }
            return length > 125 ? .controlTooLong : nil
        default: return isOpen ? nil : .reservedOpcode
        }
    }
}
