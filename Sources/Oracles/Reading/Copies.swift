import Contracts
import Journaling
import NIOCore
import Wire

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
    /// Members that differ between copies of one message.
    private let volatile: Set<String>

    init(capacity: Int, volatile: [Path]) {
        recent = Fading(capacity: capacity)
        self.volatile = Set(volatile.flatMap(\.lastNames))
    }

    /// Whether another connection of that user got the same message before and this one did not.
    /// - Parameter value: what the payload says, if it is JSON: then what is stamped on each copy is left out.
    mutating func isCopy(_ payload: ByteBuffer, _ value: JSON?, of user: Principal, on session: SessionID) -> Bool {
        let content =
            if let value, !volatile.isEmpty {
                Self.hash(without(volatile, value).canonical.utf8)
            } else {
                Self.hash(payload.readableBytesView)
            }
        var known = recent[user] ?? []
        let equal = known.filter { $0.content == content }
        if known.count >= Self.depth { known.removeFirst() }
        known.append(Sighting(content: content, session: session))
        recent.set(user, known)
        return !equal.isEmpty && !equal.contains { $0.session == session }
    }

    /// FNV-1a: a short memory of equal messages is all that is asked.
    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }

    /// No deeper than what the parser takes.
    private func without(_ names: Set<String>, _ value: JSON) -> JSON {
        switch value {
        case .object(let members):
            .object(members.filter { !names.contains($0.key) }.map { JSON.Member(key: $0.key, value: without(names, $0.value)) })
        case .array(let elements): .array(elements.map { without(names, $0) })
        default: value
        }
    }
}
