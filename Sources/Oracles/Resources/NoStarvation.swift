package import Contracts
package import Journaling

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

    private struct Slow: Sendable {
        var user: String
        var took: Duration
        var evidence: Evidence
    }
    private var alone: [Duration] = []
    private var served = 0
    private var doubt: String?
    /// The slowest under load, slowest first.
    private var slow: [Slow] = []

    package mutating func observe(_ reading: Reading) -> [Ruling] {
        guard case .target(.served(let user, let took, let isAlone, let why, let evidence)) = reading else { return [] }
        if isAlone {
            if why == nil, alone.count < Self.mostAlone { alone.append(took) }
            return []
        }
        served += 1
        guard took > Self.always else { return [] }
        if let why {
            doubt = doubt ?? why
            return []
        }
        let place = slow.firstIndex { $0.took < took } ?? slow.endIndex
        slow.insert(Slow(user: user, took: took, evidence: evidence), at: place)
        // One in a hundred may be slow; more than a thousand slow ones need no telling apart.
        if slow.count > 1_000 { slow.removeLast() }
        return []
    }

    package func conclude(at end: Instant) -> [Ruling] {
        guard served > 0 else { return [] }
        guard alone.count >= Self.leastAlone, let calm = Self.percentile(alone) else {
            return [.inconclusive("the sentinel ran \(alone.count) times alone, and \(Self.leastAlone) make a measure")]
        }
        let bound = max(calm * Self.factor, Self.always)
        let beyond = slow.filter { $0.took > bound }
        guard beyond.count > served / 100, let worst = beyond.first else {
            return [doubt.map { .inconclusive($0) } ?? .pass]
        }
        return [
            .fail(
                Violation(
                    edge: "starved", types: [], sentence: "\(worst.user) waits \(Wording.duration(worst.took)) while others are connected",
                    expected: "at most \(Wording.duration(bound)): alone it takes \(Wording.duration(calm)) at the most",
                    found: "\(Wording.duration(worst.took)) until \(Wording.time(worst.evidence.instant)), \(beyond.count) of \(served) runs",
                    evidence: worst.evidence, line: 0))
        ]
    }

    /// p99, which is the longest of a hundred or fewer.
    private static func percentile(_ values: [Duration]) -> Duration? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[max(0, sorted.count - 1 - sorted.count / 100)]
    }
}
