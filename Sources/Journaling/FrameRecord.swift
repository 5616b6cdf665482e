package import NIOCore
package import Wire

/// A frame as it passed, with the message that it ends.
package struct FrameRecord: Sendable, Hashable {
    package var passage: Passage
    /// The frame; its payload is plain (unmasked), and redacted where a secret stood.
    package var frame: Frame
    /// The whole message's plain payload (joined, inflated, redacted), on the frame that ends it (FIN or control).
    package var message: MessageRecord?
    package var provenance: Provenance
    /// Which read of its side brought the last byte, from 1: frames of one segment share it.
    package var read: UInt32
    /// True when a secret was cut out, so that the bytes here are not those of the wire.
    package var redacted: Bool
    /// Bytes it took on the wire, header included; `frame` holds others when redacted or too large to keep.
    package var wireSize: UInt64
}

// The initializer that the compiler makes of a struct moves its parts; one of ours would copy all of so large a one.
extension FrameRecord {
    package init(
        passage: Passage, frame: Frame, message: MessageRecord?, provenance: Provenance = .none, read: UInt32 = 0,
        redacted: Bool = false, wireSize: UInt64? = nil
    ) {
        self.init(
            passage: passage, frame: frame, message: message, provenance: provenance, read: read, redacted: redacted,
            wireSize: wireSize ?? FrameRecord.wireSize(of: frame))
    }

    /// Header (RFC 6455 section 5.2) and the payload that is really there.
    package static func wireSize(of frame: Frame) -> UInt64 {
        let length: UInt64 = frame.lengthForm == .seven ? 0 : frame.lengthForm == .sixteen ? 2 : 8
        return 2 + length + (frame.maskKey == nil ? 0 : 4) + UInt64(clamping: frame.payload.readableBytes)
    }
}

/// A whole message as the application sees it.
package struct MessageRecord: Sendable, Hashable {
    package var opcode: Opcode
    /// Nil when it was too large to lift (trust.md L4) or its deflate stream is broken; then `unlifted` says why.
    package var payload: ByteBuffer?
    package var unlifted: String?
    /// Number of this message in its session and direction, from 1, by arrival; what left for it in changed form bears
    /// the same. 0 for control frames and for what did not arrive in this session (crossed, injected).
    package var ordinal: UInt32
    package init(opcode: Opcode, payload: ByteBuffer?, unlifted: String? = nil, ordinal: UInt32) {
        self.opcode = opcode
        self.payload = payload
        self.unlifted = unlifted
        self.ordinal = ordinal
    }
}
