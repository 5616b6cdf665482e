/// One connection of a file that keeps each connection's messages together.
protocol MessageSource: AnyObject {
    /// When its next message passed; nil once there is none left.
    var next: WallTime? { get }
    /// Passes that message on and finds the one behind it.
    func emit() throws(ImportError)
}

/// Passes the messages of many connections on in the order of their times, as they were on the wire: who overlaps whom
/// is what a recording is for. Within one connection the file's order stands, whatever its clock says.
enum MessageTimeline {
    static func play(_ sources: [any MessageSource]) throws(ImportError) {
        var heap = TimeHeap()
        for (index, source) in sources.enumerated() {
            if let time = source.next { heap.insert(.init(time: time, source: index)) }
        }
        while let least = heap.least {
            let source = sources[least.source]
            try source.emit()
            if let time = source.next {
                heap.replaceLeast(.init(time: max(time, least.time), source: least.source))
            } else {
                heap.removeLeast()
            }
        }
    }
}

/// The earliest of many; of equal times the connection that stands first in the file.
struct TimeHeap {
    struct Item {
        var time: WallTime
        var source: Int
        static func < (lhs: Item, rhs: Item) -> Bool { (lhs.time, lhs.source) < (rhs.time, rhs.source) }
    }
    private var items: [Item] = []

    var least: Item? { items.first }

    mutating func insert(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0, items[child] < items[(child - 1) / 2] {
            items.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func replaceLeast(_ item: Item) {
        guard !items.isEmpty else { return }
        items[0] = item
        sink()
    }

    mutating func removeLeast() {
        guard let last = items.popLast(), !items.isEmpty else { return }
        items[0] = last
        sink()
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
