/// The fewest of many things that still show something: ddmin (Zeller and Hildebrandt, "Simplifying and Isolating
/// Failure-Inducing Input", 2002), over complements of ever smaller parts. Order is kept.
package enum DeltaDebugging {
    /// - Parameters:
    ///   - items: all together are known to show it.
    ///   - shows: whether these alone show it; asked at most about `items.count` squared times.
    package static func fewest<Item: Sendable>(
        of items: [Item], showing shows: ([Item]) async throws -> Bool
    ) async rethrows -> [Item] {
        var items = items
        var parts = 2
        while items.count > 1 {
            let size = max(1, (items.count + parts - 1) / parts)
            var smaller: [Item]?
            for start in stride(from: 0, to: items.count, by: size) where smaller == nil {
                var rest = items
                rest.removeSubrange(start..<min(start + size, items.count))
                if try await shows(rest) { smaller = rest }
            }
            if let smaller {
                items = smaller
                parts = max(2, parts - 1)
            } else if size == 1 {
                break
            } else {
                parts = min(items.count, parts * 2)
            }
        }
        return items
    }
}
