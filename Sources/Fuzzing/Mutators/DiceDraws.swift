package import Journaling

/// Draws that mutators want.
extension Dice {
    /// One of them, nil of none.
    package mutating func pick<Items: Collection>(_ items: Items) -> Items.Element? {
        items.isEmpty ? nil : items[items.index(items.startIndex, offsetBy: below(items.count))]
    }

    /// Evenly within the range, ends included.
    package mutating func within(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + below(range.upperBound - range.lowerBound + 1)
    }

    /// An item by its weight; nil when no weight is above 0.
    package mutating func pick<Item>(weighted items: [(item: Item, weight: Int)]) -> Item? {
        var left = below(items.reduce(0) { $0 + max(0, $1.weight) })
        for (item, weight) in items where weight > 0 {
            if left < weight { return item }
            left -= weight
        }
        return nil
    }

    package mutating func shuffled<Item>(_ items: [Item]) -> [Item] {
        var items = items
        for index in items.indices.reversed() where index > 0 { items.swapAt(index, below(index + 1)) }
        return items
    }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<max(0, count)).map { _ in UInt8(truncatingIfNeeded: next() >> 56) }
    }
}
