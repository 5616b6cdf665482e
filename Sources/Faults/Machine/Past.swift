package import Journaling
import NIOCore
import Synchronization
import Wire

/// A message of an earlier connection.
package struct PastMessage: Sendable, Equatable {
    package var message: Message
    package var at: Instant
}

/// What users said and were told on connections before, for faults that go by that; of a few users, the last and small ones,
/// in this proxy alone and never on a disk. What one user was told another never gets from here but by a fault that says so.
package final class Past: Sendable {
    private struct Kept {
        var session: SessionID
        var said: PastMessage
    }
    private struct Memory {
        var kept: [Kept] = []
        var bytes = 0
    }
    private static let mostUsers = 1_024
    private static let mostMessages = 128
    private static let mostBytes = 64 << 10
    private static let mostOfOne = 16 << 10
    private let memories = Mutex<[String: Memory]>([:])

    package init() {}

    func keep(_ message: Message, of user: String, in session: SessionID, at now: Instant) {
        let size = message.payload.readableBytes
        guard size <= Self.mostOfOne else { return }
        var message = message
        message.payload = message.payload.compacted
        message.wire = nil
        message.isCompressed = false
        memories.withLock { memories in
            guard memories.count < Self.mostUsers || memories[user] != nil else { return }
            var memory = memories.removeValue(forKey: user) ?? Memory()
            memory.kept.append(Kept(session: session, said: PastMessage(message: message, at: now)))
            memory.bytes += size
            while memory.kept.count > Self.mostMessages || memory.bytes > Self.mostBytes {
                memory.bytes -= memory.kept.removeFirst().said.message.payload.readableBytes
            }
            memories[user] = memory
        }
    }

    /// The last connection of that user that began before this one, in the order in which it was said.
    func before(_ session: SessionID, of user: String) -> [PastMessage] {
        memories.withLock { memories in
            guard let kept = memories[user]?.kept, let last = kept.lazy.map(\.session).filter({ $0 < session }).max() else { return [] }
            return kept.filter { $0.session == last }.map(\.said)
        }
    }

    /// What some other user was told or said, whichever the draw names.
    func other(than user: String?, draw: UInt64) -> [PastMessage] {
        memories.withLock { memories in
            let others = memories.keys.filter { $0 != user }.sorted()
            guard !others.isEmpty else { return [] }
            return (memories[others[Int(draw % UInt64(others.count))]]?.kept ?? []).map(\.said)
        }
    }
}
