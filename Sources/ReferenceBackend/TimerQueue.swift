import Journaling

/// Deadlines in order of due time, then of setting. What no longer matters stays until it is due or swept.
struct TimerQueue<Subject: Sendable>: Sendable {
    private struct Item: Sendable {
        var due: Instant
        var ordinal: UInt64
        var subject: Subject

        static func < (lhs: Item, rhs: Item) -> Bool { (lhs.due, lhs.ordinal) < (rhs.due, rhs.ordinal) }
    }
    /// A binary heap, earliest first.
    private var items: [Item] = []
    private var ordinal: UInt64 = 0
    private var sweepAt = 256

    var next: Instant? { items.first?.due }
    var count: Int { items.count }

    mutating func set(_ subject: Subject, at due: Instant) {
        ordinal += 1
        items.append(Item(due: due, ordinal: ordinal, subject: subject))
        var child = items.count - 1
        while child > 0, items[child] < items[(child - 1) / 2] {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The earliest that is due, with its due time.
    mutating func pop(at now: Instant) -> (due: Instant, subject: Subject)? {
        guard let first = items.first, first.due <= now else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        sink()
        return (first.due, first.subject)
    }

    /// Removes what `isAlive` denies, once enough has gathered: an hour-long deadline must not outlive its connection by
    /// an hour, and each sweep is paid for by the settings before it.
    mutating func sweep(_ isAlive: (Subject) -> Bool) {
        guard items.count >= sweepAt else { return }
        items = items.filter { isAlive($0.subject) }.sorted(by: <)
        sweepAt = max(256, items.count * 2)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] {
                least = child
            }
            if least == parent { return }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
