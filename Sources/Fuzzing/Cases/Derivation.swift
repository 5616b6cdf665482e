package import Journaling
package import Plans

/// What a case name means: the same plan for the same name, seed, workshop and base, whatever was derived before.
/// A fresh name is a base plan with up to four mutations; a child is its parent's plan with up to four more.
package struct Derivation: Sendable {
    package struct Derived: Sendable, Equatable {
        package var plan: Plan
        /// Of the last mutation; nil = not mutated.
        package var level: MutatorLevel?
        /// By name, in the order in which they were applied to the parent or base.
        package var mutators: [String]
    }
    package struct Bounds: Sendable {
        /// Larger results are not taken.
        package var steps = 400
        package var users = 16
        /// Characters of all that steps send.
        package var text = 1 << 20
        package var cached = 4_096
        /// Characters of all plans in the cache.
        package var cachedText = 64 << 20
        package init() {}
    }

    private let seed: UInt64
    private let workshop: Workshop
    private let energies: Energies
    private let bounds: Bounds
    private let base: @Sendable (inout Dice) -> Plan
    private let mutators: [MutatorLevel: [any Mutator.Type]]
    private let levels: Set<MutatorLevel>
    private var cache: PlanCache
    private static let mostMutations = 4
    private static let tries = 8
    /// One fresh name in so many is its base as it is.
    private static let plainEvery = 16

    /// - Parameter base: a seed, a deck's plan or a generated one, by the dice and nothing else.
    package init(
        seed: UInt64, workshop: Workshop, energies: Energies = .initial,
        mutators: [any Mutator.Type] = MutatorRegistry.all, bounds: Bounds = Bounds(),
        base: @escaping @Sendable (inout Dice) -> Plan
    ) {
        self.seed = seed
        self.workshop = workshop
        self.energies = energies
        self.bounds = bounds
        self.base = base
        self.mutators = Dictionary(grouping: mutators) { $0.level }
        levels = Set(mutators.map { $0.level })
        cache = PlanCache(capacity: bounds.cached, text: bounds.cachedText)
    }

    package mutating func plan(for name: CaseName) -> Derived {
        // From the nearest ancestor that is known, downwards.
        var line: [CaseName] = []
        var known: Derived?
        var next: CaseName? = name
        while let name = next {
            known = cache.use(name)
            if known != nil { break }
            line.append(name)
            next = name.parent
        }
        for name in line.reversed() {
            let derived = derive(name, from: known?.plan)
            cache.set(name, derived)
            known = derived
        }
        return known ?? derive(name, from: nil)
    }

    private func derive(_ name: CaseName, from parent: Plan?) -> Derived {
        guard let parent else {
            var bases = name.dice(seed: seed, "base")
            let plan = base(&bases)
            var dice = name.dice(seed: seed, "mutate")
            if dice.below(Self.plainEvery) == 0 { return Derived(plan: plan, level: nil, mutators: []) }
            return mutate(plan, &dice)
        }
        var dice = name.dice(seed: seed, "mutate")
        return mutate(parent, &dice)
    }

    /// Mostly few: 1 in half of the cases.
    private func mutate(_ plan: Plan, _ dice: inout Dice) -> Derived {
        var derived = Derived(plan: plan, level: nil, mutators: [])
        var wanted = 1
        while wanted < Self.mostMutations, dice.below(2) == 0 { wanted += 1 }
        for _ in 0..<wanted {
            guard let (result, mutator) = mutateOnce(derived.plan, &dice) else { continue }
            derived.plan = result
            derived.level = mutator.level
            derived.mutators.append(mutator.name)
        }
        return derived
    }

    /// A level that finds nothing to change in half of the tries lets others try.
    private func mutateOnce(_ plan: Plan, _ dice: inout Dice) -> (Plan, any Mutator.Type)? {
        var level = energies.draw(&dice, among: levels)
        for attempt in 0..<Self.tries {
            if attempt >= Self.tries / 2 { level = energies.draw(&dice, among: levels) }
            guard let level, let choice = mutators[level], !choice.isEmpty else { return nil }
            let mutator = choice[dice.below(choice.count)]
            var own = Dice(
                DiceKey(seed: dice.next(), profile: "mutator", user: mutator.name, connection: 0), direction: nil,
                message: 0, fault: "")
            guard let result = mutator.init().mutate(plan, in: workshop, dice: &own), result != plan, fits(result)
            else { continue }
            return (result, mutator)
        }
        return nil
    }

    private func fits(_ plan: Plan) -> Bool {
        plan.steps.count <= bounds.steps && plan.users.count <= bounds.users && plan.sentText <= bounds.text
    }
}

extension Plan {
    /// Characters of all that steps send.
    fileprivate var sentText: Int {
        var text = 0
        for step in steps {
            switch step.verb {
            case .send(let json): text += json.utf8.count
            case .sendText(let words): text += words.utf8.count
            case .sendBytes(let bytes): text += bytes.count
            case .frames(let frames): text += frames.reduce(0) { $0 + 16 + $1.payloadBytes }
            case .connect(let path, _, let headers):
                text += headers.reduce(path.utf8.count) { $0 + $1.name.utf8.count + $1.value.utf8.count }
            default: break
            }
        }
        return text
    }
}

/// The plans that were asked for last.
private struct PlanCache: Sendable {
    private struct Held {
        var derived: Derivation.Derived
        var used: UInt64
        /// Roughly, in characters.
        var weight: Int
    }
    private var plans: [CaseName: Held] = [:]
    private var clock: UInt64 = 0
    private var weight = 0
    private let capacity: Int
    private let heaviest: Int

    init(capacity: Int, text: Int) {
        self.capacity = max(2, capacity)
        heaviest = text
    }

    mutating func use(_ name: CaseName) -> Derivation.Derived? {
        guard let found = plans[name]?.derived else { return nil }
        clock += 1
        plans[name]?.used = clock
        return found
    }

    mutating func set(_ name: CaseName, _ derived: Derivation.Derived) {
        clock += 1
        let held = Held(derived: derived, used: clock, weight: derived.plan.sentText + 200 * derived.plan.steps.count)
        weight += held.weight - (plans.updateValue(held, forKey: name)?.weight ?? 0)
        guard plans.count > capacity || weight > heaviest, plans.count > 2 else { return }
        // A quarter at a time, so that making room costs little for each.
        let oldest = plans.values.map(\.used).sorted()[plans.count / 4]
        plans = plans.filter { $0.value.used > oldest }
        weight = plans.values.reduce(0) { $0 + $1.weight }
    }
}
