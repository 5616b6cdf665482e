/// Chooses plans that together show what all of them show: `--merge` and `--minimize`.
package enum CorpusMerge {
    package struct Item: Sendable, Hashable {
        /// Of the plan, 40 hex digits: decides between plans of the same size.
        package var hash: String
        /// Characters of its text, or steps.
        package var size: Int
        package var features: [UInt64]
        package init(hash: String, size: Int, features: [UInt64]) {
            self.hash = hash
            self.size = size
            self.features = features
        }
    }

    /// Greedy, smallest first: each that shows something beyond `known` and the ones before it; then without those that
    /// the others made needless, largest first.
    /// - Returns: places in `items`, ascending.
    package static func cover(_ items: [Item], beyond known: Set<UInt64> = []) -> [Int] {
        let order = items.indices.sorted { (items[$0].size, items[$0].hash, $0) < (items[$1].size, items[$1].hash, $1) }
        var shown: [UInt64: Int] = [:]
        var chosen: [Int] = []
        for index in order {
            let new = Set(items[index].features).subtracting(known)
            guard new.contains(where: { shown[$0] == nil }) else { continue }
            for feature in new { shown[feature, default: 0] += 1 }
            chosen.append(index)
        }
        for index in chosen.reversed() {
            let own = Set(items[index].features).subtracting(known)
            guard own.allSatisfy({ shown[$0, default: 0] > 1 }) else { continue }
            for feature in own { shown[feature, default: 0] -= 1 }
            chosen.removeAll { $0 == index }
        }
        return chosen.sorted()
    }
}
