/// What a frame does that RFC 6455 or RFC 7692 forbids.
@usableFromInline package enum FrameViolation: String, Sendable, Hashable, CaseIterable {
    case reservedBits, deflatedContinuation, reservedOpcode, controlTooLong, controlFragmented
    case lengthNotMinimal, lengthTopBit, maskMissing, maskUnexpected
    case orphanContinuation, messageInterrupted, closeTooShort, closeCode, closeReason, text, afterClose

    /// One phrase for people.
    package var detail: String {
        switch self {
        case .reservedBits: "a reserved bit is set that nothing negotiated"
        case .deflatedContinuation: "RSV1 is set on a frame that begins no data message"
        case .reservedOpcode: "the opcode is reserved"
        case .controlTooLong: "a control frame carries more than 125 bytes"
        case .controlFragmented: "a control frame is fragmented"
        case .lengthNotMinimal: "the length is not written in its shortest form"
        case .lengthTopBit: "the 64-bit length has its top bit set"
        case .maskMissing: "a client's frame is not masked"
        case .maskUnexpected: "a server's frame is masked"
        case .orphanContinuation: "a continuation without a message to continue"
        case .messageInterrupted: "a new message begins before the last one ended"
        case .closeTooShort: "a close body of one byte"
        case .closeCode: "the close code must not be on the wire"
        case .closeReason: "the close reason is no UTF-8"
        case .text: "a text message is no UTF-8"
        case .afterClose: "a frame behind the sender's own close"
        }
    }

    /// Whoever receives it must fail the connection, in so many words of the standards; the other rules bind who sends.
    package var mustFail: Bool {
        switch self {
        case .reservedBits, .reservedOpcode, .deflatedContinuation, .maskMissing, .maskUnexpected, .text: true
        default: false
        }
    }

    package var clause: String {
        switch self {
        case .reservedBits, .reservedOpcode, .lengthNotMinimal, .lengthTopBit: "RFC 6455 5.2"
        case .deflatedContinuation: "RFC 7692 6.1"
        case .controlTooLong, .controlFragmented: "RFC 6455 5.5"
        case .maskMissing, .maskUnexpected: "RFC 6455 5.1"
        case .orphanContinuation, .messageInterrupted: "RFC 6455 5.4"
        case .closeTooShort, .closeReason, .afterClose: "RFC 6455 5.5.1"
        case .closeCode: "RFC 6455 7.4"
        case .text: "RFC 6455 8.1"
        }
    }
}
