import Journaling
import NIOCore

/// A user with several connections may get the same message on each. Only the first moves anything; the others are
/// copies, and nobody is blamed for them. Looked at only where something would be blamed: equal answers to equal
/// requests are no copies.
struct Copies: Sendable {
    private struct Sighting: Sendable {
        var content: UInt64
        var session: SessionID
    }
    private var recent: Fading<Principal, [Sighting]>
    private static let depth = 64

    init(capacity: Int) { recent = Fading(capacity: capacity) }

    /// Whether another connection of that user got the same message before and this one did not.
    mutating func isCopy(_ payload: ByteBuffer, of user: Principal, on session: SessionID) -> Bool {
        // FNV-1a: a short memory of equal messages is all that is asked.
        let content = payload.readableBytesView.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        var known = recent[user] ?? []
        let equal = known.filter { $0.content == content }
        if known.count >= Self.depth { known.removeFirst() }
        known.append(Sighting(content: content, session: session))
        recent.set(user, known)
        return !equal.isEmpty && !equal.contains { $0.session == session }
    }
}
