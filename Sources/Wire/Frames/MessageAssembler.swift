package import struct NIOCore.ByteBuffer

/// A whole message as the application sees it, or the reason why it cannot be seen.
package struct AssembledMessage: Sendable, Hashable {
    package var opcode: Opcode
    /// Plain: unmasked, joined, inflated. Nil when the message was not lifted.
    package var payload: ByteBuffer?
    /// Why not: one phrase.
    package var unlifted: String?
    /// A limit of ours kept it from being lifted (trust.md L4, L5), not a defect of the sender.
    package var isLimit: Bool
    /// From 1, counted at the frame that begins a text or binary message; 0 for control frames and orphans.
    package var ordinal: UInt32
    package var isCompressed: Bool
    /// Frames that it came in.
    package var fragments: Int
}

/// Joins the frames of one direction into messages. Control frames between fragments come out at once and disturb
/// nothing. With permessage-deflate it follows every message, lifted or not.
package struct MessageAssembler: Sendable {
    /// A data message begun.
    private struct Open: Sendable {
        var opcode: Opcode
        var ordinal: UInt32
        var compressed: Bool
        var payload = ByteBuffer()
        var fragments = 0
        var problem: (reason: String, isLimit: Bool)?
    }

    private let limit: Int
    private let maxFragments: Int
    private var inflater: Inflater?
    private var deflateProblem: String?
    private var open: Open?
    /// Data messages begun so far.
    package private(set) var ordinal: UInt32

    /// `limit`: bytes of one message, on the wire and inflated; `fragments`: frames of one message (trust.md L4).
    /// `startingAt`: data messages that began before it looked; `midMessage`: the last of them goes on.
    package init(
        _ direction: Direction, extensions: ExtensionOutcome = .none, limit: Int = 16 << 20, fragments: Int = 65_536,
        startingAt ordinal: UInt32 = 0, midMessage: Bool = false
    ) {
        self.limit = limit
        self.ordinal = ordinal
        if midMessage {
            let reason = "its beginning was not followed"
            open = Open(opcode: .continuation, ordinal: ordinal, compressed: false, problem: (reason, false))
        }
        maxFragments = fragments
        switch extensions {
        case .none: (inflater, deflateProblem) = (nil, nil)
        case .unknown(let reason): (inflater, deflateProblem) = (nil, reason)
        case .deflate(let parameters):
            inflater = try? parameters.inflater(direction)
            deflateProblem = inflater == nil ? DeflateError.memory.detail : nil
        }
    }

    /// What the extensions are, once the server's answer is known; for frames that a client sent before it.
    package mutating func negotiated(_ direction: Direction, _ extensions: ExtensionOutcome) {
        let fresh = MessageAssembler(direction, extensions: extensions)
        (inflater, deflateProblem) = (fresh.inflater, fresh.deflateProblem)
    }

    /// Messages that passed before this assembler began.
    package mutating func count(from ordinal: UInt32) { self.ordinal = ordinal }

    /// A data message is begun and not ended.
    package var inMessage: Bool { open != nil }
    /// Number of the data message begun, nil between messages.
    package var openOrdinal: UInt32? { open?.ordinal }
    package var openOpcode: Opcode? { open?.opcode }

    /// Takes the next frame; the message when this frame ends one.
    package mutating func take(_ frame: Frame) -> AssembledMessage? {
        take(FrameHeader(frame), frame.payload)
    }

    /// A frame passed that was too large to lift: its message is counted and not lifted.
    package mutating func skip(_ header: FrameHeader) -> AssembledMessage? {
        take(header, nil)
    }

    private mutating func take(_ header: FrameHeader, _ payload: ByteBuffer?) -> AssembledMessage? {
        let tooLarge = "a frame of \(header.declaredLength) bytes"
        switch header.opcode {
        case .text, .binary:
            abandon()
            ordinal &+= 1
            open = Open(opcode: header.opcode, ordinal: ordinal, compressed: header.rsv & 4 != 0)
        case .continuation where open != nil: break
        default:
            let reason = payload == nil ? tooLarge : header.opcode == .continuation ? "it continues no message" : nil
            return AssembledMessage(
                opcode: header.opcode, payload: payload, unlifted: reason, isLimit: payload == nil, ordinal: 0,
                isCompressed: false, fragments: 1)
        }
        open?.fragments += 1
        if let payload { append(payload) } else { fail(tooLarge, isLimit: true) }
        return header.fin ? close() : nil
    }

    private mutating func append(_ payload: ByteBuffer) {
        // Looked at in place: a second holder of what is joined would have it copied for every fragment.
        guard let fragments = open?.fragments, let joined = open?.payload.readableBytes, open?.problem == nil else { return }
        if fragments > maxFragments { return fail("more than \(maxFragments) fragments", isLimit: true) }
        if payload.readableBytes > limit - joined {
            return fail("longer than \(limit) bytes", isLimit: true)
        }
        if fragments == 1 {
            open?.payload = payload
        } else {
            open?.payload.writeImmutableBuffer(payload)
        }
    }

    private mutating func fail(_ reason: String, isLimit: Bool) {
        open?.payload = ByteBuffer()
        if open?.problem == nil { open?.problem = (reason, isLimit) }
    }

    /// The message begun is never ended by its sender.
    private mutating func abandon() {
        if open?.compressed == true { inflater?.skip() }
        open = nil
    }

    private mutating func close() -> AssembledMessage? {
        guard let message = open else { return nil }
        open = nil
        var out = AssembledMessage(
            opcode: message.opcode, payload: nil, unlifted: message.problem?.reason,
            isLimit: message.problem?.isLimit ?? false, ordinal: message.ordinal, isCompressed: message.compressed,
            fragments: message.fragments)
        if message.problem != nil {
            if message.compressed { inflater?.skip() }
        } else if let deflateProblem {
            out.unlifted = deflateProblem
        } else if !message.compressed {
            out.payload = message.payload
        } else if let inflater {
            do throws(DeflateError) {
                out.payload = try inflater.inflate(message.payload, limit: limit)
            } catch {
                out.unlifted = error.detail
                out.isLimit = error.isLimit
            }
        } else {
            out.unlifted = "compressed, and nothing was negotiated"
        }
        return out
    }
}
