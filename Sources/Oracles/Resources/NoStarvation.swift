package import Contracts
import Journaling

/// R3: whatever others do, the sentinel waits little longer than when it was alone.
package struct NoStarvation: Property {
    package static let id = "R3"
    package static let name = "no starvation"
    package static let requirement =
        "the sentinel's p99 under load is within 10 times what it is alone, and 2 s are always all right (oracle R3)"
    package static let hears: ReadingKinds = .target

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    static let factor = 10
    static let always: Duration = .seconds(2)
    /// Runs alone that make a measure.
    static let leastAlone = 3
    private static let mostAlone = 1_024

    private var alone: [Duration] = []
    private var served = 0
    private var slow = 0

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .target(.served(let user, let took, let isAlone, let why, let evidence)) = reading else { return nil }
        if isAlone {
            if why == nil, alone.count < Self.mostAlone { alone.append(took) }
            return nil
        }
        served += 1
        guard alone.count >= Self.leastAlone, let calm = Self.percentile(alone) else {
            return .inconclusive("the sentinel ran \(alone.count) times alone, and \(Self.leastAlone) make a measure")
        }
        let bound = max(calm * Self.factor, Self.always)
        guard took > bound else { return .pass }
        if let why { return .inconclusive(why) }
        slow += 1
        // One in a hundred may be slow.
        guard slow > served / 100 else { return .pass }
        return .fail(
            Violation(
                edge: "starved", types: [], sentence: "\(user) waits \(Wording.duration(took)) while others are connected",
                expected: "at most \(Wording.duration(bound)): alone it takes \(Wording.duration(calm)) at the most",
                found: "\(Wording.duration(took)) until \(Wording.time(evidence.instant)), the slowest \(slow) of \(served) runs",
                evidence: evidence, line: 0))
    }

    /// p99, which is the longest of a hundred or fewer.
    private static func percentile(_ values: [Duration]) -> Duration? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[max(0, sorted.count - 1 - sorted.count / 100)]
    }
}
