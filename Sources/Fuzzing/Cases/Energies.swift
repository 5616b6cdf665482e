package import Journaling

/// How often each level mutates. Fixed for a run; an adapting form has the same face.
package struct Energies: Sendable, Hashable {
    /// Per mille by level, in the order of `MutatorLevel.allCases`; at least `floor`, 1000 in all.
    private let shares: [Int]
    /// 3 % (fuzzing.md).
    package static let floor = 30

    /// - Parameter weights: any scale; what is missing or not above 0 gets the floor.
    package init(_ weights: [MutatorLevel: Int]) {
        let levels = MutatorLevel.allCases
        let raw = levels.map { min(max(0, weights[$0] ?? 0), 1_000_000) }
        let sum = max(1, raw.reduce(0, +))
        let free = 1000 - Self.floor * levels.count
        // What lies above the floor is shared out, so that a share at the floor takes nothing from the others.
        let above = raw.map { max(0, $0 * 1000 / sum - Self.floor) }
        let total = max(1, above.reduce(0, +))
        var shares = above.map { Self.floor + $0 * free / total }
        let rest = 1000 - shares.reduce(0, +)
        if let largest = shares.indices.max(by: { shares[$0] < shares[$1] }) { shares[largest] += rest }
        self.shares = shares
    }

    package static let initial = Energies(
        Dictionary(uniqueKeysWithValues: MutatorLevel.allCases.map { ($0, $0.energy) }))

    package func perMille(_ level: MutatorLevel) -> Int {
        zip(MutatorLevel.allCases, shares).first { $0.0 == level }?.1 ?? 0
    }

    /// Whole per cent, largest first.
    package var percents: [(MutatorLevel, Int)] {
        zip(MutatorLevel.allCases, shares).map { ($0.0, ($0.1 + 5) / 10) }.enumerated()
            .sorted { ($1.element.1, $0.offset) < ($0.element.1, $1.offset) }.map(\.element)
    }

    /// One of these levels, with the odds that they have among each other.
    package func draw(_ dice: inout Dice, among levels: Set<MutatorLevel>) -> MutatorLevel? {
        let present = zip(MutatorLevel.allCases, shares).filter { levels.contains($0.0) }
        var draw = dice.below(present.reduce(0) { $0 + $1.1 })
        for (level, share) in present {
            if draw < share { return level }
            draw -= share
        }
        return nil
    }
}
