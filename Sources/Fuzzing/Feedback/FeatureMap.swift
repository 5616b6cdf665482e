/// Which features were ever seen, and in how many runs each. Features get places in the order in which they were first
/// seen, so that sets of them are small.
package struct FeatureMap: Sendable {
    /// What a target's answers to the same plan, played again, allow to conclude (fuzzing.md, "Feedback").
    package enum Trust: Sendable, Hashable {
        case good
        /// Below 85 %: worth a warning.
        case poor
        /// Below 60 %: what looks new may be chance; feedback is off.
        case off
    }

    /// Features that count, state edges among them.
    package var count: Int { runs.count - masked }
    package private(set) var edges = 0
    /// Features that came and went when the same plan was played again.
    package private(set) var masked = 0
    /// What was not taken because there is no more room.
    package private(set) var dropped = 0
    private var places: [UInt64: UInt32] = [:]
    private var runs: [UInt32] = []
    private var strikes: [UInt8] = []
    private var isMasked: [Bool] = []
    private var shared = 0
    private var union = 0
    private var comparisons = 0
    private let capacity: Int
    /// So many comparisons are needed before anything is concluded.
    private static let fewest = 16
    /// Masked when it was missing so often.
    private static let mostStrikes: UInt8 = 2

    package init(capacity: Int = 1 << 20) { self.capacity = min(capacity, Int(Int32.max)) }

    /// Counts one run's features (no repeats in them).
    /// - Returns: how many were new.
    @discardableResult
    package mutating func add(_ features: [UInt64]) -> Int { take(features).fresh.count }

    /// Places of all features that count, and of those that were new.
    mutating func take(_ features: [UInt64]) -> (all: [UInt32], fresh: [UInt32]) {
        var all: [UInt32] = []
        var fresh: [UInt32] = []
        all.reserveCapacity(features.count)
        for feature in features {
            if let place = places[feature] {
                let index = Int(place)
                if runs[index] < .max { runs[index] += 1 }
                if !isMasked[index] { all.append(place) }
            } else if let place = enter(feature) {
                all.append(place)
                fresh.append(place)
            }
        }
        return (all, fresh)
    }

    private mutating func enter(_ feature: UInt64) -> UInt32? {
        guard runs.count < capacity else {
            dropped += 1
            return nil
        }
        let place = UInt32(clamping: runs.count)
        places[feature] = place
        runs.append(1)
        strikes.append(0)
        isMasked.append(false)
        if FeatureHash.isEdge(feature) { edges += 1 }
        return place
    }

    /// Whether it was seen, and counts.
    package func knows(_ feature: UInt64) -> Bool { places[feature].map { !isMasked[Int($0)] } ?? false }

    /// How many runs showed it.
    package func runs(of feature: UInt64) -> Int { places[feature].map { Int(runs[Int($0)]) } ?? 0 }

    /// 2^20 for a feature that one run showed, half of it for two; 0 when masked or unknown.
    package func rarity(_ feature: UInt64) -> UInt64 { places[feature].map { rarity(at: $0) } ?? 0 }

    func rarity(at place: UInt32) -> UInt64 {
        let index = Int(place)
        guard runs.indices.contains(index), !isMasked[index] else { return 0 }
        return (1 << 20) / UInt64(max(1, runs[index]))
    }

    func counts(at place: UInt32) -> Bool { isMasked.indices.contains(Int(place)) && !isMasked[Int(place)] }

    /// From now on these are neither new nor rare.
    package mutating func mask(_ features: [UInt64]) {
        for feature in features {
            guard let place = places[feature] ?? enter(feature), !isMasked[Int(place)] else { continue }
            isMasked[Int(place)] = true
            masked += 1
            if FeatureHash.isEdge(feature) { edges -= 1 }
        }
    }

    /// What the same plan showed when it was played again. A feature that was missing twice is masked.
    /// - Parameters: sorted, without repeats.
    /// - Returns: how much of both was common, in per cent.
    @discardableResult
    package mutating func compare(first: [UInt64], again: [UInt64]) -> Double {
        let (common, odd) = Self.difference(first, again)
        for feature in odd {
            guard let place = places[feature] ?? enter(feature) else { continue }
            let index = Int(place)
            if strikes[index] < .max { strikes[index] += 1 }
            if strikes[index] >= Self.mostStrikes { mask([feature]) }
        }
        comparisons += 1
        shared += common
        union += common + odd.count
        return common + odd.count == 0 ? 100 : 100 * Double(common) / Double(common + odd.count)
    }

    private static func difference(_ first: [UInt64], _ again: [UInt64]) -> (common: Int, odd: [UInt64]) {
        var (common, left, right) = (0, 0, 0)
        var odd: [UInt64] = []
        while left < first.count || right < again.count {
            if right == again.count || left < first.count && first[left] < again[right] {
                odd.append(first[left])
                left += 1
            } else if left == first.count || again[right] < first[left] {
                odd.append(again[right])
                right += 1
            } else {
                common += 1
                left += 1
                right += 1
            }
        }
        return (common, odd)
    }

    /// Per cent over all comparisons; nil before the first.
    package var stability: Double? {
        comparisons == 0 ? nil : union == 0 ? 100 : 100 * Double(shared) / Double(union)
    }

    /// In whole numbers, so that it is the same everywhere.
    package var trust: Trust {
        guard comparisons >= Self.fewest else { return .good }
        return shared * 100 >= union * 85 ? .good : shared * 100 >= union * 60 ? .poor : .off
    }
    package var isStable: Bool { trust != .off }
}
