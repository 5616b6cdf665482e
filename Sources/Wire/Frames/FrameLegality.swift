package import struct NIOCore.ByteBuffer

/// Judges the frames of one direction, in order, by RFC 6455 and RFC 7692. A violation is data, never thrown.
package struct FrameLegality: Sendable {
    private var rules: FrameRules
    /// Text is checked as it comes; nil in between, and for deflated text, which is checked once inflated.
    private var text: UTF8Validator?

    package init(_ direction: Direction, deflate: Bool = false) {
        rules = FrameRules(direction, deflate: deflate)
    }

    package init(_ direction: Direction, extensions: ExtensionOutcome) {
        rules = FrameRules(direction, extensions: extensions)
    }

    /// A message is begun and not ended.
    package var isInMessage: Bool { rules.inMessage }

    /// All rules that this frame breaks, in the order in which the frame is read; empty when it is legal.
    package mutating func violations(of frame: Frame) -> [FrameViolation] {
        let header = FrameHeader(frame)
        var found = headerViolations(header)
        let short: UInt8 =
            switch header.lengthForm {
            case .seven: UInt8(truncatingIfNeeded: header.declaredLength) & 0x7f
            case .sixteen: 126
            case .sixtyFour: 127
            }
        _ = rules.take(
            firstByte: header.firstByte, masked: header.maskKey != nil, short: short, length: header.declaredLength)
        switch frame.opcode {
        case .close: found += Self.closeViolations(frame.payload)
        case .text, .continuation: if isBadText(frame) { found.append(.text) }
        case .binary: text = nil
        default: break
        }
        return found
    }

    private func headerViolations(_ header: FrameHeader) -> [FrameViolation] {
        var found: [FrameViolation] = []
        let opcode = header.opcode
        if rules.closed { found.append(.afterClose) }
        if rules.isOpen {
            // What the bits mean is not ours to know.
        } else if header.rsv & 3 != 0 || (header.rsv & 4 != 0 && !rules.deflate) {
            found.append(.reservedBits)
        } else if header.rsv != 0, opcode != .text, opcode != .binary {
            found.append(.deflatedContinuation)
        }
        switch opcode {
        case .continuation: if !rules.inMessage { found.append(.orphanContinuation) }
        case .text, .binary: if rules.inMessage { found.append(.messageInterrupted) }
        case .close, .ping, .pong:
            if !header.fin { found.append(.controlFragmented) }
            if header.declaredLength > 125 { found.append(.controlTooLong) }
        default: if !rules.isOpen { found.append(.reservedOpcode) }
        }
        if header.isUnbounded { found.append(.lengthTopBit) }
        switch header.lengthForm {
        case .seven: break
        case .sixteen: if header.declaredLength < 126 { found.append(.lengthNotMinimal) }
        case .sixtyFour: if header.declaredLength < 65_536 { found.append(.lengthNotMinimal) }
        }
        if (header.maskKey != nil) != rules.masks { found.append(rules.masks ? .maskMissing : .maskUnexpected) }
        return found
    }

    /// The first byte that is no text, once in a message.
    private mutating func isBadText(_ frame: Frame) -> Bool {
        if frame.opcode == .text {
            text = frame.rsv == 0 || (frame.rsv & 4 == 0 && !rules.isOpen) ? UTF8Validator() : nil
        }
        guard var check = text else { return false }
        let wasValid = check.isValid
        let bad = check.feed(frame.payload) != nil || (frame.fin && !check.isComplete)
        text = frame.fin ? nil : check
        return bad && wasValid
    }

    /// What is wrong with the body of a Close frame (RFC 6455 section 5.5.1 and 7.4).
    package static func closeViolations(_ payload: ByteBuffer) -> [FrameViolation] {
        let body = CloseBody(payload)
        var found: [FrameViolation] = []
        if payload.readableBytes == 1 { found.append(.closeTooShort) }
        if let code = body.code, !CloseBody.mayBeSent(code) { found.append(.closeCode) }
        if body.code != nil, body.reason == nil { found.append(.closeReason) }
        return found
    }
}
