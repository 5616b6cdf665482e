import Journaling

/// Instants at which something is due, soonest first, equal ones in the order in which they were asked for. What is
/// settled in the meantime stays in the heap until it is due and is then found to be stale.
struct Deadlines: Sendable {
    enum Subject: Sendable, Hashable {
        case greeting(SessionID)
        case authentication(SessionID)
        /// The answer to the client's oldest heartbeat.
        case heartbeat(SessionID)
        /// By its number.
        case request(UInt64)
        case run(UInt64)
        case part(run: UInt64, number: UInt64)
        /// An expectation, by its number.
        case stated(UInt64)
    }
    struct Item: Sendable {
        var due: Instant
        var order: UInt64
        var subject: Subject
    }

    private var heap: [Item] = []
    private var count: UInt64 = 0

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

    /// The soonest that is due before `limit`.
    mutating func next(before limit: Instant) -> Item? {
        guard let first = heap.first, first.due < limit, let last = heap.popLast() else { return nil }
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

/// One bound that runs.
struct Pending: Sendable {
    var since: Instant
    var bound: Duration
    var due: Instant
    var mark: Starvation.Mark?
    /// It is due, and waits until then for proof that our own loops were awake.
    var proofDue: Instant?
    var isOverdue: Bool { proofDue != nil }

    init(since: Instant, bound: Duration, mark: Starvation.Mark?) {
        self.since = since
        self.bound = bound
        self.mark = mark
        due = since.advanced(by: bound)
    }
}
