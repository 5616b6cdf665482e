import Journaling

/// The wakes of a loop's sessions, earliest first. A binary heap: replaced wakes stay in it until their time and are
/// recognised then, because taking them out would cost more.
struct WakeHeap {
    struct Item {
        var instant: Instant
        var session: UInt32
    }

    private var items: [Item] = []

    var first: Item? { items.first }

    mutating func push(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if items[parent].instant <= items[child].instant { return }
            items.swapAt(parent, child)
            child = parent
        }
    }

    mutating func popFirst(until instant: Instant) -> Item? {
        guard let first = items.first, first.instant <= instant else { return nil }
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < items.count && items[child].instant < items[least].instant { least = child }
            if least == parent { return first }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
