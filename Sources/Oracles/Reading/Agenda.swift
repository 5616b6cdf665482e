import Journaling

/// Instants at which something is due, soonest first, equal ones in the order in which they were asked for.
struct Agenda<Subject: Sendable>: Sendable {
    struct Item: Sendable {
        var due: Instant
        var order: UInt64
        var subject: Subject
    }

    private var heap: [Item] = []
    private var count: UInt64 = 0

    var first: Item? { heap.first }

    mutating func add(_ subject: Subject, at due: Instant) {
        guard due != .distantFuture else { return }
        count &+= 1
        heap.append(Item(due: due, order: count, subject: subject))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isSooner(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Item? {
        guard let first = heap.first, let last = heap.popLast() else { return nil }
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if Self.isSooner(heap[child], heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return first }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private static func isSooner(_ a: Item, _ b: Item) -> Bool {
        a.due != b.due ? a.due < b.due : a.order < b.order
    }
}
