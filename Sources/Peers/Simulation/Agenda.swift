import Journaling

/// What is due in virtual time, earliest first; among equals, what was asked for first.
struct Agenda<Item> {
    private struct Entry {
        var instant: Instant
        var order: UInt64
        var item: Item
        static func < (lhs: Entry, rhs: Entry) -> Bool { (lhs.instant, lhs.order) < (rhs.instant, rhs.order) }
    }

    private var entries: [Entry] = []
    private var count: UInt64 = 0

    mutating func add(_ item: Item, at instant: Instant) {
        count += 1
        entries.append(Entry(instant: instant, order: count, item: item))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if entries[parent] < entries[child] { return }
            entries.swapAt(parent, child)
            child = parent
        }
    }

    mutating func next() -> (instant: Instant, item: Item)? {
        guard let first = entries.first else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count && entries[child] < entries[least] {
                least = child
            }
            if least == parent { return (first.instant, first.item) }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
