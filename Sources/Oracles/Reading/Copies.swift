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
    /// The latest messages of one user: how often each came to each of the connections.
    private struct Memory: Sendable {
        var counts: [UInt64: [SessionID: Int]] = [:]
        var order: [Sighting] = []
        /// The oldest of them in `order`, which is a ring once it is full.
        var oldest = 0
        var hasForgotten = false

        mutating func note(_ sighting: Sighting, most: Int) {
            counts[sighting.content, default: [:]][sighting.session, default: 0] += 1
            guard order.count == most else { return order.append(sighting) }
            forget(order[oldest])
            order[oldest] = sighting
            oldest = (oldest + 1) % most
            hasForgotten = true
        }

        private mutating func forget(_ sighting: Sighting) {
            let count = counts[sighting.content]?[sighting.session] ?? 0
            counts[sighting.content]?[sighting.session] = count > 1 ? count - 1 : nil
            if counts[sighting.content]?.isEmpty == true { counts[sighting.content] = nil }
        }
    }
    private var recent: Fading<Principal, Memory>
    private static let depth = 1_024
    /// Members that differ between copies of one message.
    private let volatile: Set<String>

    init(capacity: Int, volatile: [Path]) {
        recent = Fading(capacity: capacity)
        self.volatile = Set(volatile.flatMap(\.lastNames))
    }

    /// Whether another connection of that user got the same message more often than this one did: the second of two equal
    /// messages is the copy of another's second.
    /// - Parameter value: what the payload says, if it is JSON: then what is stamped on each copy is left out.
    mutating func isCopy(_ payload: ByteBuffer, _ value: JSON?, of user: Principal, on session: SessionID) -> Bool {
        let content =
            if let value, !volatile.isEmpty {
                Self.hash(without(volatile, value).canonical.utf8)
            } else {
                Self.hash(payload.readableBytesView)
            }
        let sighting = Sighting(content: content, session: session)
        var isCopy = false
        func note(_ memory: inout Memory) {
            let known = memory.counts[content] ?? [:]
            let here = known[session] ?? 0
            isCopy = known.contains { $0.key != session && $0.value > here }
            memory.note(sighting, most: Self.depth)
        }
        if recent[user] == nil { recent.set(user, Memory()) }
        recent.update(user, note)
        return isCopy
    }

    /// So much came to that user's connections that a late copy is not known for one any more.
    func mayMiss(copiesOf user: Principal) -> Bool { recent[user]?.hasForgotten ?? false || recent.forgotten > 0 }

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
