package import NIOCore

/// Names one accepted TCP connection; given by whoever feeds the machine, never reused.
package struct BackendConnectionID: Sendable, Hashable, Comparable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.value < rhs.value }
}

/// What happens to the backend.
package enum BackendEvent: Sendable {
    case opened(BackendConnectionID)
    case received(BackendConnectionID, ByteBuffer)
    /// The peer ended its side, or the transport is gone.
    case ended(BackendConnectionID)
    /// The transport takes no more for now, and again: until then what is said waits, up to a bound.
    case blocked(BackendConnectionID)
    case drained(BackendConnectionID)
    /// `nextWake` has come.
    case wake
}

/// What the backend wants done, in order.
package enum BackendEffect: Sendable {
    case send(BackendConnectionID, ByteBuffer)
    /// Flush, end our side, discard what still comes, and let go of the transport when the peer ends or 1 s has passed.
    case close(BackendConnectionID)
    case mark(BackendMark)
    /// B23: a descriptor and a task stay behind.
    case leak(BackendConnectionID)
}

/// What fixes a backend's behaviour.
package struct BackendConfiguration: Sendable {
    package var bugs: Set<BackendBug>
    package var decoys: Set<BackendDecoy>
    /// Secret of the HS256 tokens.
    package var key: String
    /// Feeds the hexadecimal tails of ids and the scripted latencies.
    package var seed: UInt64
    /// Milliseconds since 1970 at `Instant.zero`, for timestamps and the expiry of tokens.
    package var epoch: Int64
    /// Whether `BackendMachine.messages` is filled.
    package var logsMessages: Bool

    package init(
        bugs: Set<BackendBug> = [], decoys: Set<BackendDecoy> = [], key: String, seed: UInt64, epoch: Int64, logsMessages: Bool = false
    ) {
        self.bugs = bugs
        self.decoys = decoys
        self.key = key
        self.seed = seed
        self.epoch = epoch
        self.logsMessages = logsMessages
    }
}
