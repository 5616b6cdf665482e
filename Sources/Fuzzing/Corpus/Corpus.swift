import Journaling

/// A case that showed something new: a parent of further ones.
package struct Keeper: Sendable, Hashable {
    package var name: CaseName
    package var slot: Int
    /// How many features were new when it was taken.
    package var fresh: Int
    /// Steps of its plan, or whatever tells small plans from large ones.
    package var size: Int
    /// Of the mutation that made it; nil for a plan that was not mutated.
    package var level: MutatorLevel?
    package var hasFinding: Bool
    /// Places in the map: all its features; the rarest of them when it was taken.
    var features: [UInt32] = []
    var rare: [UInt32] = []
    var weight: UInt64 = 0
    var children: UInt32 = 0

    package init(
        name: CaseName, slot: Int = 0, fresh: Int, size: Int, level: MutatorLevel? = nil, hasFinding: Bool = false
    ) {
        self.name = name
        self.slot = slot
        self.fresh = fresh
        self.size = size
        self.level = level
        self.hasFinding = hasFinding
    }
}

/// The kept cases of a run, in memory. Favoured are those that together show every feature, a small plan for each
/// (after AFL's `cull_queue`).
package struct Corpus: Sendable {
    package enum Pick: Sendable, Hashable {
        case fresh
        case child(of: CaseName)
    }
    package struct Bounds: Sendable {
        package var keepers = 10_000
        /// Entries of all feature sets together, 4 bytes each.
        package var features = 8 << 20
        package init() {}
    }

    package private(set) var keepers: [Keeper] = []
    package private(set) var evicted = 0
    private var favouredIndices: [Int] = []
    private var isDirty = false
    /// By feature: the keeper that shows it with the smallest plan.
    private var best: [Int32] = []
    private var total = 0
    private var refreshed = 0
    private let bounds: Bounds

    package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// Cases of the minimal cover, as known at the last pick.
    package var favoured: Int { favouredIndices.count }
    package var favourites: [CaseName] { favouredIndices.map { keepers[$0].name } }

    mutating func keep(_ keeper: Keeper, all: [UInt32], new: [UInt32], map: FeatureMap) {
        var keeper = keeper
        keeper.features = all
        keeper.rare = Array(new.prefix(64))
        keeper.weight = Self.weight(of: keeper, map)
        keepers.append(keeper)
        total += all.count
        enter(keepers.count - 1)
        isDirty = true
        if keepers.count > bounds.keepers || total > bounds.features { evict(map) }
    }

    private mutating func enter(_ index: Int) {
        let size = keepers[index].size
        for place in keepers[index].features.map(Int.init) {
            while best.count <= place { best.append(-1) }
            let known = Int(best[place])
            if known < 0 || keepers[known].size > size { best[place] = Int32(clamping: index) }
        }
    }

    /// A plan of so many steps weighs half as much as a short one, one of twice as many a fifth.
    private static let longSize: UInt64 = 24

    /// Rarest first; many children that brought nothing lately make a parent lighter, and so does a known finding, which
    /// its children would only show again. So does length, since children are mostly longer than their parents and cost
    /// the time of several short ones: without it a run gets slower all the time.
    private static func weight(of keeper: Keeper, _ map: FeatureMap) -> UInt64 {
        let rarity = keeper.rare.reduce(UInt64(0)) { $0 + map.rarity(at: $1) }
        let size = UInt64(clamping: min(keeper.size, 4_096))
        let short = rarity * (longSize * longSize) / (longSize * longSize + size * size)
        let tired = short * 16 / (16 + UInt64(keeper.children))
        return max(1, keeper.hasFinding ? tired / 4 : tired)
    }

    /// Rarity-weighted among the favoured 70 %, uniform 20 %, fresh 10 %.
    /// - Parameter trusting: false when feedback is off: then no weight is worth anything.
    mutating func pick(_ dice: inout Dice, map: FeatureMap, trusting: Bool = true) -> Pick {
        let draw = dice.below(10)
        guard !keepers.isEmpty, draw > 0 else { return .fresh }
        refresh(map)
        let index = draw <= 2 || !trusting ? dice.below(keepers.count) : heavy(&dice)
        return .child(of: keepers[index].name)
    }

    /// A child of it was given out.
    mutating func noteChild(of name: CaseName, map: FeatureMap) {
        guard let index = keepers.lastIndex(where: { $0.name == name }) else { return }
        if keepers[index].children < .max { keepers[index].children += 1 }
        keepers[index].weight = Self.weight(of: keepers[index], map)
    }

    private func heavy(_ dice: inout Dice) -> Int {
        let sum = favouredIndices.reduce(UInt64(0)) { $0 + keepers[$1].weight }
        guard sum > 0 else { return dice.below(keepers.count) }
        var draw = dice.below(sum)
        for index in favouredIndices {
            if draw < keepers[index].weight { return index }
            draw -= keepers[index].weight
        }
        return dice.below(keepers.count)
    }

    /// Rarities change with each run: some weights are made anew at every pick, in turn.
    private mutating func refresh(_ map: FeatureMap) {
        for _ in 0..<min(64, keepers.count) {
            refreshed = (refreshed + 1) % keepers.count
            keepers[refreshed].weight = Self.weight(of: keepers[refreshed], map)
        }
        if isDirty { cover(map) }
    }

    private mutating func cover(_ map: FeatureMap) {
        isDirty = false
        var isCovered = [Bool](repeating: false, count: best.count)
        var chosen: [Int] = []
        // Newest features first: they are the rarest, and who shows them mostly shows the common ones too.
        for place in best.indices.reversed() where !isCovered[place] && best[place] >= 0 {
            guard map.counts(at: UInt32(clamping: place)) else { continue }
            let index = Int(best[place])
            chosen.append(index)
            for other in keepers[index].features { isCovered[Int(other)] = true }
        }
        favouredIndices = chosen.sorted()
    }

    /// A twentieth goes, the lightest that are not favoured, the oldest of equals.
    private mutating func evict(_ map: FeatureMap) {
        cover(map)
        let favoured = Set(favouredIndices)
        let order = keepers.indices.sorted {
            let (left, right) = (favoured.contains($0), favoured.contains($1))
            return left != right ? right : (keepers[$0].weight, $0) < (keepers[$1].weight, $1)
        }
        var gone: Set<Int> = []
        var rest = total
        for index in order {
            let few = keepers.count - gone.count <= bounds.keepers - bounds.keepers / 20
            if few, rest <= bounds.features - bounds.features / 20 { break }
            gone.insert(index)
            rest -= keepers[index].features.count
        }
        evicted += gone.count
        keepers = keepers.indices.filter { !gone.contains($0) }.map { keepers[$0] }
        total = rest
        best = []
        refreshed = 0
        for index in keepers.indices { enter(index) }
        cover(map)
    }
}
