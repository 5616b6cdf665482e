import Contracts
import Journaling
import Wire

/// The parts of one run: which are open, and which were (contract.md, semantics 9).
struct PartBook: Sendable {
    struct Part: Sendable {
        /// Among all parts, for its deadline.
        let number: UInt64
        /// Index into the run's parts.
        let rule: Int
        /// What it has at each of the part's key paths, in order; all nil = it counts anonymously.
        let key: [JSON?]
        let entry: Entry
        var pending: Pending?
        /// Said already; its end may come and moves nothing.
        var isSettled = false
    }
    private(set) var open: [Part] = []
    private(set) var ended: [Part] = []
    /// Something was out of place, or more came than is kept: what follows may be of the same cause.
    var isSpent = false

    var count: Int { open.count + ended.count }

    mutating func begin(_ part: Part) { open.append(part) }

    mutating func end(at index: Int) -> Part {
        let part = open.remove(at: index)
        ended.append(part)
        return part
    }

    /// Those whose bound runs.
    var waiting: [UInt64] { open.filter { $0.pending != nil && !$0.isSettled }.map(\.number) }

    func pending(_ number: UInt64) -> Pending? { open.first { $0.number == number && !$0.isSettled }?.pending }

    mutating func change(_ number: UInt64, _ change: (inout Part) -> Void) {
        guard let index = open.firstIndex(where: { $0.number == number }) else { return }
        change(&open[index])
    }

    /// The run's end is told, or cannot be: nothing more is owed.
    mutating func settleAll() {
        for index in open.indices { open[index].isSettled = true }
        isSpent = true
    }

    /// The open part that a message means: the one with its key; without one on either side, that which began last.
    func meant(by key: [JSON?], rule: Int) -> Int? {
        var best: (index: Int, path: Int)?
        for (index, part) in open.enumerated() where part.rule == rule {
            guard let path = Self.compare(part.key, key) else { continue }
            if best.map({ path <= $0.path }) ?? true { best = (index, path) }
        }
        return best?.index
    }

    /// One of those with the same key at its first path, which names one part alone; what stands at the later paths may be
    /// the name of many.
    func hasBegun(_ key: [JSON?], rule: Int) -> Bool {
        guard let first = key.first, first != nil else { return false }
        func isSame(_ part: Part) -> Bool { part.rule == rule && Self.compare(part.key, key) == 0 }
        return open.contains(where: isSame) || ended.contains(where: isSame)
    }

    func hasEnded(_ key: [JSON?], rule: Int) -> Bool {
        ended.contains { part in
            guard part.rule == rule, let path = Self.compare(part.key, key) else { return false }
            return path < key.count
        }
    }

    /// The first path at which both have a value, when these are equal; behind the last when they cannot be compared. Nil:
    /// they differ.
    private static func compare(_ left: [JSON?], _ right: [JSON?]) -> Int? {
        for index in left.indices where right.indices.contains(index) {
            guard let one = left[index], let other = right[index] else { continue }
            return one.isAlike(other) ? index : nil
        }
        return max(left.count, right.count)
    }
}
