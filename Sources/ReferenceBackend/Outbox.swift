import Journaling
import NIOCore

/// What waits for a transport that takes no more: bounded, because a client that does not read must not cost memory.
struct Outbox: Sendable {
    /// More messages than these, of a reader that has stood still for so long, are too many.
    static let limit = 32
    static let patience = Duration.milliseconds(100)
    /// Bytes that are too many however short it stood still.
    static let byteLimit = 4 << 20

    private(set) var waiting: [ByteBuffer] = []
    private var bytes = 0
    /// Since when the transport takes nothing; nil when it does.
    private var blockedAt: Instant?

    var isBlocked: Bool { blockedAt != nil }

    func isFull(at now: Instant) -> Bool {
        guard let blockedAt else { return false }
        return bytes > Self.byteLimit || waiting.count >= Self.limit && blockedAt.duration(to: now) >= Self.patience
    }

    mutating func block(at now: Instant) { if blockedAt == nil { blockedAt = now } }

    mutating func append(_ frame: ByteBuffer) {
        waiting.append(frame)
        bytes += frame.readableBytes
    }

    /// The transport takes more: all that waited, in order.
    mutating func release() -> [ByteBuffer] {
        defer { self = Outbox() }
        return waiting
    }
}
