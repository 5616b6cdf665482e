package import Oracles

/// Order of properties by how much a violation hurts: I A H E D C R (looks.md section 0).
package enum Severity {
    /// Smaller is worse.
    package static func rank(_ property: String) -> Int {
        let order = "IAHEDCR"
        guard let letter = property.first, let index = order.firstIndex(of: letter) else { return 100 }
        let number = Int(property.dropFirst()) ?? 9
        return order.distance(from: order.startIndex, to: index) * 10 + number
    }

    /// Worst first; of equally bad ones by id, so that the order is the same every time.
    package static func isWorse(_ left: Finding, than right: Finding) -> Bool {
        let (first, second) = (rank(left.property), rank(right.property))
        return first == second ? left.id < right.id : first < second
    }
}
