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

    /// `critical`: one user sees another's, or anybody gets in. `high`: users wait, lose or are told wrong. `medium`: the rest.
    package static func word(_ property: String) -> String {
        switch property {
        case "I1", "I2", "I4", "A1": "critical"
        case "E5", "I3", "C1", "C2", "R1", "R3", "X1": "medium"
        default: "high"
        }
    }

    /// Worst first; of equally bad ones by id, so that the order is the same every time.
    package static func isWorse(_ left: Finding, than right: Finding) -> Bool {
        let (first, second) = (rank(left.property), rank(right.property))
        return first == second ? left.id < right.id : first < second
    }
}
