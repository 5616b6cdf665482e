package import struct NIOCore.ByteBuffer

/// Cuts one direction's bytes into whole frames. Keeps the bytes of at most one frame begun; what is larger than the
/// limit, or is no frame, comes out in pieces as it came in.
package struct FrameParser: Sendable {
    package enum Result: Sendable, Hashable {
        /// A frame and its very bytes on the wire.
        case frame(Frame, wire: ByteBuffer)
        /// More bytes are needed.
        case partial
        /// This frame's payload is over the limit: its bytes, header included, follow as pieces.
        case oversize(FrameHeader)
        /// Bytes of a frame that is not lifted; `last` when it ends with them.
        case piece(ByteBuffer, last: Bool)
        /// Framing is lost for good; these bytes and all that follow are no frames.
        case illegal(ByteBuffer, FrameViolation)
    }

    private enum Phase: Sendable { case frames, passing(UInt64), lost(FrameViolation) }

    private var phase = Phase.frames
    private var held = ByteBuffer()
    /// Bytes at the front of `held` that went on their way before this parser began.
    private var forwarded = 0
    private let limit: UInt64

    /// `limit`: the largest payload that is lifted, in bytes (trust.md L4).
    package init(limit: Int = 16 << 20) {
        self.limit = UInt64(clamping: limit)
    }

    /// Goes on where the scanner stands, which has seen and let pass everything so far. What is left of a frame begun
    /// comes out as pieces.
    package init(resuming scanner: FrameScanner, limit: Int = 16 << 20) {
        self.init(limit: limit)
        if scanner.isLost {
            phase = .lost(.lengthTopBit)
        } else if scanner.remaining > 0 {
            phase = .passing(scanner.remaining)
        } else if scanner.partialCount > 0 {
            held = scanner.partialHeader
            forwarded = scanner.partialCount
        }
    }

    /// Nothing is held and no frame is half passed: the scan lane may take over.
    package var isIdle: Bool {
        if case .frames = phase { held.readableBytes == 0 } else { false }
    }

    /// The header of the frame that `next` would give, as far as it is known; nil between frames.
    package var nextHeader: FrameHeader? {
        if case .frames = phase { FrameHeader(held) } else { nil }
    }

    /// Bytes taken and not yet given out.
    package var heldBytes: Int { held.readableBytes - forwarded }

    package mutating func feed(_ bytes: ByteBuffer) {
        if held.readableBytes == 0 {
            held = bytes
        } else {
            held.writeImmutableBuffer(bytes)
        }
    }

    /// Gives back what is held, as at the end of the stream.
    package mutating func takeHeld() -> ByteBuffer {
        var rest = held
        rest.moveReaderIndex(forwardBy: forwarded)
        held = ByteBuffer()
        forwarded = 0
        return rest
    }

    package mutating func next() -> Result {
        switch phase {
        case .lost(let violation):
            guard held.readableBytes > 0 else { return .partial }
            return .illegal(takeHeld(), violation)
        case .passing(let remaining):
            return pass(remaining)
        case .frames:
            return nextFrame()
        }
    }

    private mutating func pass(_ remaining: UInt64) -> Result {
        let there = min(remaining, UInt64(clamping: held.readableBytes))
        guard there > 0, let piece = held.readSlice(length: Int(clamping: there)) else { return .partial }
        let last = there == remaining
        phase = last ? .frames : .passing(remaining - there)
        return .piece(piece, last: last)
    }

    private mutating func nextFrame() -> Result {
        guard let header = FrameHeader(held) else { return .partial }
        if header.isUnbounded {
            phase = .lost(.lengthTopBit)
            return .illegal(takeHeld(), .lengthTopBit)
        }
        if header.declaredLength > limit || forwarded > 0 {
            phase = .passing(UInt64(header.size - forwarded) + header.declaredLength)
            held.moveReaderIndex(forwardBy: forwarded)
            forwarded = 0
            return .oversize(header)
        }
        let size = header.size + Int(clamping: header.declaredLength)
        guard let wire = held.readSlice(length: size) else { return .partial }
        if held.readableBytes == 0 { held = ByteBuffer() }
        return .frame(Self.frame(header, wire), wire: wire)
    }

    private static func frame(_ header: FrameHeader, _ wire: ByteBuffer) -> Frame {
        var payload = wire
        payload.moveReaderIndex(forwardBy: header.size)
        payload = payload.slice()
        if let key = header.maskKey { Mask.apply(key, to: &payload) }
        return Frame(
            firstByte: header.firstByte, lengthForm: header.lengthForm, declaredLength: header.declaredLength,
            maskKey: header.maskKey, payload: payload)
    }

    /// The frame that these bytes are, exactly; nil when they are less or more than one frame.
    package static func frame(exactly wire: ByteBuffer) -> Frame? {
        guard let header = FrameHeader(wire), !header.isUnbounded,
            UInt64(clamping: wire.readableBytes - header.size) == header.declaredLength
        else { return nil }
        return frame(header, wire)
    }
}
