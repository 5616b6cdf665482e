import Journaling

/// Instants at which something is due, soonest first, equal ones in the order in which they were asked for.
///
/// There are few bounds, and what has the same is due in the order in which it was asked for: most of what is added goes to the
/// end of one of a few lanes, and a heap is left for what fits none. A heap of all would be in disorder in memory as well.
struct Agenda<Subject: Sendable>: Sendable {
    struct Item: Sendable {
        var due: Instant
        var order: UInt64
        var subject: Subject
    }

    /// Soonest first.
    private struct Lane: Sendable {
        private var items: [Item] = []
        private var head = 0

        var first: Item? { head < items.count ? items[head] : nil }
        var last: Item? { head < items.count ? items.last : nil }

        mutating func append(_ item: Item) { items.append(item) }

        mutating func removeFirst() {
            head += 1
            guard head > 64, head > items.count / 2 else { return }
            items.removeFirst(head)
            head = 0
        }
    }
    private static var mostLanes: Int { 8 }

    private var lanes: [Lane] = []
    private var heap: [Item] = []
    private var count: UInt64 = 0
    private(set) var first: Item?
    /// Where that stands; nil = in the heap.
    private var place: Int?

    mutating func add(_ subject: Subject, at due: Instant) {
        guard due != .distantFuture else { return }
        count &+= 1
        let item = Item(due: due, order: count, subject: subject)
        let lane = lane(for: due)
        if let lane { lanes[lane].append(item) } else { push(item) }
        if let first, !Self.isSooner(item, first) { return }
        (first, place) = (item, lane)
    }

    mutating func removeFirst() -> Item? {
        guard let item = first else { return nil }
        if let place { lanes[place].removeFirst() } else { pop() }
        (first, place) = (heap.first, nil)
        for (index, lane) in lanes.enumerated() {
            guard let head = lane.first else { continue }
            if let first, !Self.isSooner(head, first) { continue }
            (first, place) = (head, index)
        }
        return item
    }

    /// The one whose last is due latest of those before it; an empty one, or another one while there are few; nil = none.
    private mutating func lane(for due: Instant) -> Int? {
        var best: (index: Int, due: Instant)?
        var empty: Int?
        for (index, lane) in lanes.enumerated() {
            guard let last = lane.last?.due else {
                empty = index
                continue
            }
            if last <= due, best.map({ $0.due < last }) ?? true { best = (index, last) }
        }
        if let best { return best.index }
        if let empty { return empty }
        guard lanes.count < Self.mostLanes else { return nil }
        lanes.append(Lane())
        return lanes.count - 1
    }

    // MARK: The heap

    private mutating func push(_ item: Item) {
        heap.append(item)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard Self.isSooner(heap[child], heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func pop() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        var parent = 0
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if Self.isSooner(heap[child], heap[smallest]) { smallest = child }
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }

    private static func isSooner(_ a: Item, _ b: Item) -> Bool {
        a.due != b.due ? a.due < b.due : a.order < b.order
    }
}
