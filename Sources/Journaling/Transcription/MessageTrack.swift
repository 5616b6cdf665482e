import NIOCore
import Wire

/// Joins the fragments that passed one tap and undoes their deflate. Frames between taps may differ once a fault has
/// acted, so each tap then has a track, with an inflate context, of its own.
struct MessageTrack {
    struct Ended {
        var opcode: Opcode
        var payload: ByteBuffer?
        var unlifted: Unlifted?
        var ordinal: UInt32
        var isCompressed: Bool
        /// What its frames carried, joined and still compressed; empty when it is unlifted.
        var joined = ByteBuffer()
    }

    /// Why a message is not there as a value.
    struct Unlifted {
        /// `L4` or `L5` when a limit bit.
        var limit: String?
        var reason: String
    }

    /// The message begun.
    private struct Open {
        var opcode: Opcode
        var ordinal: UInt32
        var isCompressed: Bool
        /// Joined as it comes: fragments cost no more than their bytes.
        var joined = ByteBuffer()
        var size: UInt64 = 0
        var fragments = 0
        var unlifted: Unlifted?
    }

    private var open: Open?
    private var stream: InflateStream?

    var isOpen: Bool { open != nil }
    /// The message begun is too large to be lifted, whatever follows.
    var isGivenUp: Bool { open?.unlifted != nil }
    /// Bytes of the message begun that its frames carried so far.
    var size: UInt64 { open?.size ?? 0 }
    /// Ordinal of the message begun; 0 when none is.
    var ordinal: UInt32 { open?.ordinal ?? 0 }

    /// A data frame passed. The message, when it ends with it.
    /// - Parameter ordinal: the message's number, in case one begins here.
    mutating func take(
        _ collected: CollectedFrame, ordinal: UInt32, _ deflate: DirectionDeflate?, _ shared: inout TranscriptContext
    ) -> Ended? {
        let header = collected.header
        if header.opcode != .continuation || open == nil {
            // A message that never ended, or one that never began: the peer broke the rules, and its bytes stay as they are.
            let isCompressed = deflate != nil && header.rsv & 4 != 0 && header.opcode != .continuation
            open = Open(opcode: header.opcode, ordinal: ordinal, isCompressed: isCompressed)
        }
        add(collected, shared.limits)
        guard header.fin, let message = open else { return nil }
        open = nil
        return finish(message, &shared, deflate)
    }

    private mutating func add(_ collected: CollectedFrame, _ limits: Limits) {
        guard var message = open else { return }
        open = nil
        let most = UInt64(clamping: limits.messageBytes)
        message.fragments += 1
        let size = collected.payload.map { UInt64(clamping: $0.readableBytes) } ?? collected.wireSize
        message.size = message.size.addingReportingOverflow(size).partialValue
        if message.unlifted == nil {
            if collected.payload == nil || message.size > most {
                message.unlifted = Unlifted(limit: "L4", reason: "more than \(limits.messageBytes) bytes")
            } else if message.fragments > limits.messageFragments {
                message.unlifted = Unlifted(limit: "L4", reason: "more than \(limits.messageFragments) fragments")
            }
        }
        if message.unlifted != nil {
            message.joined = ByteBuffer()
        } else if let payload = collected.payload {
            if message.fragments == 1 { message.joined = payload } else { message.joined.writeImmutableBuffer(payload) }
        }
        open = message
    }

    private mutating func finish(_ message: Open, _ shared: inout TranscriptContext, _ deflate: DirectionDeflate?) -> Ended {
        var ended = Ended(
            opcode: message.opcode, payload: nil, unlifted: message.unlifted, ordinal: message.ordinal,
            isCompressed: message.isCompressed, joined: message.joined)
        if let deflate, message.isCompressed {
            guard ended.unlifted == nil else {
                // The context missed this message, so nothing behind it can be read if it is carried over.
                if deflate.takeover {
                    let context = stream ?? shared.inflate(deflate)
                    context.skip()
                    stream = context
                }
                return ended
            }
            let context = stream ?? shared.inflate(deflate)
            switch context.inflate(message.joined, limit: shared.limits.messageBytes) {
            case .plain(let plain):
                ended.payload = plain
                shared.count(inflated: message.joined.readableBytes, to: plain.readableBytes)
            case .failed(let unlifted):
                ended.unlifted = unlifted
                if unlifted.limit == "L4" { shared.count(inflated: message.joined.readableBytes, to: shared.limits.messageBytes) }
            }
            if deflate.takeover { stream = context } else { shared.release(context) }
        } else if ended.unlifted == nil {
            ended.payload = message.joined
        }
        return ended
    }

    /// A second track that goes on from here by itself.
    func forked(_ shared: inout TranscriptContext) -> MessageTrack {
        var copy = self
        copy.stream = stream.map { shared.fork($0) }
        return copy
    }

    /// The session is over.
    mutating func release(_ shared: inout TranscriptContext) {
        if let stream { shared.release(stream) }
        stream = nil
        open = nil
    }
}
