import Journaling
import Synchronization

/// What of one session waits for the recorder (trust.md L11), in bytes of what the recorder will make of it: a frame becomes
/// an entry however short it is, and a compressed message what it inflates to. Counted in bytes of the wire, one session could
/// queue a thousand times its share of the recorder's time, and all others would wait behind it.
///
/// Written by its loop, read down by the recorder.
final class SessionBacklog: Sendable {
    /// Plain bytes that a compressed one is taken for, unless more is known: text has five to ten.
    static let usualExpansion = 16
    /// Deflate makes no more than 1,032 bytes of one (RFC 1951 section 3.2.5: 258 bytes for two bits).
    static let greatestExpansion = 1_032

    let session: SessionID
    let loop: Int
    private let waiting = Atomic<Int>(0)
    private let expanding = Atomic<Int>(SessionBacklog.usualExpansion)
    private let limit: Int

    init(session: SessionID, loop: Int, limit: Int) {
        self.session = session
        self.loop = loop
        self.limit = limit
    }

    var isOver: Bool { exceeds(limit) }

    func exceeds(_ share: Int) -> Bool { waiting.load(ordering: .relaxed) > share }

    func add(_ bytes: Int) { waiting.add(bytes, ordering: .relaxed) }

    /// True when this brought it from above half the limit to half or less: whoever waits for it may go on.
    func remove(_ bytes: Int) -> Bool {
        let (old, new) = waiting.subtract(bytes, ordering: .relaxed)
        return old > limit / 2 && new <= limit / 2
    }

    /// What one compressed byte is to be counted for.
    var expansion: Int { expanding.load(ordering: .relaxed) }

    /// The recorder has inflated some: the most of late counts, and is forgotten slowly. On the recorder's thread only.
    func learn(_ inflated: Inflated) {
        let found = inflated.to / max(1, inflated.from) + 1
        let known = expansion
        let next = max(found, known - known / 16, SessionBacklog.usualExpansion)
        expanding.store(min(next, SessionBacklog.greatestExpansion), ordering: .relaxed)
    }
}
