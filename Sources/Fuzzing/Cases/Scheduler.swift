import Journaling

/// What one played case came to, as far as the schedule is concerned.
package struct SlotResult: Sendable, Hashable {
    /// Sorted, without repeats.
    package var features: [UInt64]
    package var hasFinding: Bool
    /// Steps of the plan, or whatever tells small plans from large ones.
    package var size: Int
    package var level: MutatorLevel?
    package init(features: [UInt64], hasFinding: Bool = false, size: Int = 1, level: MutatorLevel? = nil) {
        self.features = features
        self.hasFinding = hasFinding
        self.size = size
        self.level = level
    }
}

/// Which case is tried next. A pure value: what slot s tries depends on the seed, s, and the results of slots up to
/// s - window, whatever the number of workers and the order in which results arrive. Results wait here until the slot
/// that may know them is given out, and are then taken in slot order. One that is still missing then is late: it is
/// taken when it comes, and from there on the run is not repeatable.
package struct Scheduler: Sendable {
    package struct Settings: Sendable {
        package var seed: UInt64
        /// At least as many as workers; larger = feedback comes later.
        package var window = 64
        /// How often each keeper is played again, to see what of it is chance.
        package var reruns = 2
        package var bounds = Corpus.Bounds()
        package init(seed: UInt64) { self.seed = seed }
    }

    package struct Turn: Sendable, Hashable {
        package var slot: Int
        package var name: CaseName
        /// A keeper is played again.
        package var isRerun: Bool
    }

    package private(set) var map = FeatureMap()
    package private(set) var corpus: Corpus
    /// The slot that `next` gives out.
    package private(set) var upcoming = 0
    /// Results that were not there in time.
    package private(set) var late = 0
    /// Keepers by the level of the mutation that made them.
    package private(set) var kept: [MutatorLevel: Int] = [:]
    private let settings: Settings
    private var open: [Int: Turn] = [:]
    private var waiting: [Int: SlotResult] = [:]
    private var overdue: Set<Int> = []
    private var children: [CaseName: UInt32] = [:]
    private var reruns: [Rerun] = []
    private var again: [Int: [UInt64]] = [:]
    private var news: [Keeper] = []
    /// One slot in so many may be a rerun.
    private static let rerunEvery = 4
    private static let mostReruns = 256
    private static let mostNews = 10_000

    private struct Rerun: Sendable {
        var name: CaseName
        var features: [UInt64]
        var left: Int
    }

    package init(_ settings: Settings) {
        self.settings = settings
        corpus = Corpus(bounds: settings.bounds)
    }

    /// False once a result was late: then the same seed may give another run.
    package var isRepeatable: Bool { late == 0 }

    /// The slot whose result `next` would have to do without. Who waits for it stays repeatable.
    package var waitsFor: Int? {
        let slot = upcoming - settings.window
        return slot >= 0 && open[slot] != nil && waiting[slot] == nil && !overdue.contains(slot) ? slot : nil
    }

    /// Features of plans that were played outside the schedule (decks, seeds) before its first slot: they are known,
    /// and nothing is kept for them.
    package mutating func learn(_ features: [UInt64]) { map.add(features) }

    package mutating func next() -> Turn {
        let slot = upcoming
        upcoming += 1
        settle(slot - settings.window)
        let turn = slot % Self.rerunEvery == Self.rerunEvery - 1 ? rerun(slot) ?? explore(slot) : explore(slot)
        open[slot] = turn
        return turn
    }

    /// Slots that were never given out, or have a result already, are ignored.
    package mutating func commit(slot: Int, result: SlotResult) {
        guard open[slot] != nil, waiting[slot] == nil else { return }
        if overdue.remove(slot) != nil { take(slot, result) } else { waiting[slot] = result }
    }

    /// Takes all results that are there, in slot order; at the end of a run or phase.
    package mutating func finish() {
        for slot in waiting.keys.sorted() {
            if let result = waiting.removeValue(forKey: slot) { take(slot, result) }
        }
    }

    /// Keepers since the last call, in the order in which they were taken.
    package mutating func takeNews() -> [Keeper] {
        defer { news = [] }
        return news
    }

    private mutating func settle(_ slot: Int) {
        guard slot >= 0, open[slot] != nil else { return }
        if let result = waiting.removeValue(forKey: slot) { return take(slot, result) }
        if overdue.insert(slot).inserted { late += 1 }
    }

    private mutating func take(_ slot: Int, _ result: SlotResult) {
        guard let turn = open.removeValue(forKey: slot) else { return }
        if let first = again.removeValue(forKey: slot) {
            map.compare(first: first, again: result.features)
            return
        }
        let (all, fresh) = map.take(result.features)
        guard !fresh.isEmpty, map.isStable else { return }
        let keeper = Keeper(
            name: turn.name, slot: slot, fresh: fresh.count, size: result.size, level: result.level,
            hasFinding: result.hasFinding)
        corpus.keep(keeper, all: all, new: fresh, map: map)
        if let level = result.level { kept[level, default: 0] += 1 }
        if news.count < Self.mostNews { news.append(keeper) }
        if settings.reruns > 0, reruns.count < Self.mostReruns {
            reruns.append(Rerun(name: turn.name, features: result.features, left: settings.reruns))
        }
    }

    private mutating func rerun(_ slot: Int) -> Turn? {
        guard var first = reruns.first else { return nil }
        first.left -= 1
        if first.left <= 0 { reruns.removeFirst() } else { reruns[0] = first }
        again[slot] = first.features
        return Turn(slot: slot, name: first.name, isRerun: true)
    }

    private mutating func explore(_ slot: Int) -> Turn {
        let key = DiceKey(seed: settings.seed, profile: "schedule", user: "", connection: UInt64(clamping: slot))
        var dice = Dice(key, direction: nil, message: 0, fault: "pick")
        switch corpus.pick(&dice, map: map, trusting: map.isStable) {
        case .fresh:
            return Turn(slot: slot, name: CaseName(UInt32(truncatingIfNeeded: slot)), isRerun: false)
        case .child(let kept):
            corpus.noteChild(of: kept, map: map)
            // A child of the deepest is a sibling, and must not bear the name of one.
            let parent = kept.ordinals.count < CaseName.deepest ? kept : kept.parent ?? kept
            let ordinal = children[parent, default: 0]
            children[parent] = ordinal &+ 1
            return Turn(slot: slot, name: parent.child(ordinal), isRerun: false)
        }
    }
}
