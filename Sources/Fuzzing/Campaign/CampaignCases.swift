import Journaling
import Oracles
import Peers
import Plans
import Synchronization

/// Playing cases: decks in their order, and whatever the schedule says.
extension Campaign {
    struct Case: Sendable {
        var name: CaseName
        var plan: Plan
        var level: MutatorLevel?
        /// Nil for a deck's.
        var slot: Int?
        /// Number of the play in this run; it names the principals.
        var block: Int
    }

    func play(deck: Deck, called name: String, until cap: Cap?) async {
        await withDiscardingTaskGroup { group in
            for index in 0..<deck.count {
                let plan = deck[index]
                guard await mayBegin(plan, until: cap) else { break }
                let one = Case(name: CaseName(deck: name, index), plan: plan, level: nil, slot: nil, block: takeBlock())
                group.addTask { _ = await self.play(one) }
            }
        }
    }

    /// The schedule, until the phase is over.
    /// - Parameter derivation: one for the run: who plans is one task, so that its cache serves all lanes.
    func explore(until cap: Cap?, _ derivation: inout Derivation) async {
        var plans = derivation
        await withDiscardingTaskGroup { group in
            while !isOver, isWithin(cap) {
                await waitForWindow()
                let turn = scheduler.withLock { $0.next() }
                keep(&plans)
                let derived = plans.plan(for: turn.name)
                guard await mayBegin(derived.plan, until: cap) else { break }
                let one = Case(
                    name: turn.name, plan: derived.plan, level: derived.level, slot: turn.slot, block: takeBlock())
                group.addTask { _ = await self.play(one) }
            }
        }
        scheduler.withLock { $0.finish() }
        keep(&plans)
        derivation = plans
    }

    /// What a name means, in this run and in any other with the same seed, contract and seed plans.
    package func makeDerivation() -> Derivation {
        let (workshop, plans) = (workshop, plans)
        return Derivation(seed: options.seed, workshop: workshop) { dice in
            let draw = dice.below(100)
            if draw < 30, !workshop.seeds.isEmpty { return workshop.seeds[dice.below(workshop.seeds.count)] }
            if draw < 45, !plans.flows.isEmpty { return plans.flows[dice.below(plans.flows.count)] }
            if draw < 60, !plans.boundaries.isEmpty { return plans.boundaries[dice.below(plans.boundaries.count)] }
            if draw < 85, !plans.isolation.isEmpty { return plans.isolation[dice.below(plans.isolation.count)] }
            return plans.fresh(&dice)
        }
    }

    /// With given credentials a case has all users of its block to itself.
    private func seats(_ plan: Plan) -> Int {
        options.credentials.isEmpty ? max(1, plan.users.count) : options.blockSize
    }

    private func isWithin(_ cap: Cap?) -> Bool {
        cap?.allows(elapsed: elapsed, begun: score.change { $0.begun }) ?? true
    }

    func mayBegin(_ plan: Plan, until cap: Cap?) async -> Bool {
        await rateLimit()
        guard !isOver, isWithin(cap), await crew.begin(users: seats(plan)) else { return false }
        guard !isOver, isWithin(cap) else {
            crew.played(users: seats(plan))
            crew.left(users: seats(plan))
            return false
        }
        return true
    }

    /// A result that the next turn builds on is waited for, for a moment; after that it is late, and a run that has lost
    /// its repeatability waits for none: cases that wait out deadlines would stop all others.
    func waitForWindow() async {
        guard options.epoch != nil || scheduler.withLock({ $0.isRepeatable }) else { return }
        for _ in 0..<20 where scheduler.withLock({ $0.waitsFor }) != nil && !isOver {
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func rateLimit() async {
        guard let rate = options.ratePerSecond, rate > 0 else { return }
        while !isOver {
            let allowed = rate * (elapsed / .seconds(1)) + rate
            if Double(score.change { $0.sentMessages }) < allowed { return }
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    func takeBlock() -> Int { score.change { counts in
        counts.begun += 1
        return counts.begun - 1
    } }

    /// Every case has principals of its own among those that are played at the same time: two cases with one principal
    /// would each see the other's runs as ones that nobody asked for.
    /// - Parameter block: of the given credentials a free one (`blocks`), else the number of the play.
    func cast(for plan: Plan, block: Int) -> Cast {
        // So many that none is used again while a case waits past every bound.
        guard !options.credentials.isEmpty else { return Cast(minted: plan.users.map(\.name), block: block % (1 << 18)) }
        var cast = Cast()
        let size = options.blockSize
        for (index, user) in plan.users.enumerated() {
            let credential = options.credentials[block * size + index % size]
            cast.principals[user.name] = credential.user
            cast.tokens[user.name] = credential.token
        }
        return cast
    }

    func seed(of name: CaseName) -> UInt64 {
        var dice = name.dice(seed: options.seed, "play")
        return dice.next()
    }

    /// How long a guard may wait: what comes later is judged all the same. In steps, so that two runs against one server
    /// have the same.
    var pace: Duration? {
        guard let slowest = score.change({ $0.slowest }) else { return nil }
        var pace = Duration.milliseconds(100)
        while pace < slowest * 4, pace < .seconds(10) { pace *= 2 }
        return pace
    }

    /// Where the server says nothing for so long it has nothing to say: twice what it ever took when all went well. Nil
    /// until that is known.
    private var idle: Duration? { score.change { $0.slowest }.map { max(.milliseconds(30), $0 * 2) } }

    /// How long a case may wait for what is undecided: past every bound when few do, else past the short ones, so that a
    /// server that answers nothing does not stop everything.
    private var late: Duration { Deadlines.longest(in: options.contract) * 3 + .milliseconds(500) }
    private var soon: Duration { min(late, .seconds(5)) }

    /// Plays one case to its end and learns from it.
    @discardableResult
    func play(_ one: Case) async -> CaseRun? {
        let users = seats(one.plan)
        let lane = Once { self.crew.played(users: users) }
        guard let stage = ground.stage else {
            lane.call()
            crew.left(users: users)
            return nil
        }
        var plan = one.plan
        if plan.faults.isEmpty { plan.faults = faults }
        var play = CaseOptions()
        // Given principals are not free before the case is over, minted ones were nobody else's.
        let given = options.credentials.isEmpty ? nil : blocks.change { $0.popLast() ?? 0 }
        play.cast = cast(for: plan, block: given ?? one.block)
        note(one, plan)
        play.seed = seed(of: one.name)
        play.missesAllowed = 1
        play.calibration = score.change { $0.calibration }
        play.mostPatience = pace
        if given == nil {
            play.onPlayed = { lane.call() }
            play.idle = idle
            play.onIdle = { lane.call() }
        }
        play.patience = crew.takePatience(soon: soon, late: late)
        var run = await stage.run(plan, play)
        if !run.judgement.toolErrors.isEmpty {
            for index in run.judgement.toolErrors.indices {
                run.judgement.toolErrors[index].sentence = "case \(one.name): \(run.judgement.toolErrors[index].sentence)"
            }
            if score.change({ counts in
                counts.unbalanced += 1
                return counts.unbalanced
            }) <= 8 { tell(.unbalanced(one.name, plan)) }
        }
        if let given { blocks.change { $0.append(given) } }
        lane.call()
        if late > soon, play.patience == late { crew.givePatienceBack() }
        noteEnd(one, run)
        score.add(run, users: plan.users.count, at: elapsed)
        if let flood = run.flood, score.change({ $0.floods }) == 1 { tell(.flooded(flood, at: elapsed)) }
        let features = reader.features(of: run, plan: plan)
        learn(one, run, features)
        crew.left(users: users)
        if !run.unreachable.isEmpty || run.connections > 0 && run.bytesReceived == 0 { suspect() }
        await look(at: run, of: one.name, plan)
        return run
    }

    private func learn(_ one: Case, _ run: CaseRun, _ features: [UInt64]) {
        let counts = scheduler.withLock { scheduler in
            let before = scheduler.map.count
            if let slot = one.slot {
                let result = SlotResult(
                    features: features, hasFinding: !run.judgement.findings.isEmpty, size: one.plan.steps.count,
                    level: one.level)
                scheduler.commit(slot: slot, result: result)
            } else {
                scheduler.learn(features)
            }
            return (before, scheduler.map.count)
        }
        score.learned(counts.1 - counts.0, features: counts.1, at: elapsed)
    }

    /// Plans that showed something new go to the corpus directory.
    private func keep(_ plans: inout Derivation) {
        let news = scheduler.withLock { $0.takeNews() }
        guard let save = options.onKeep else { return }
        for keeper in news { save(plans.plan(for: keeper.name).plan) }
    }

    // MARK: What was under way when the target went away

    private func note(_ one: Case, _ plan: Plan) {
        let now = elapsed
        recent.withLock { $0.begin(one.block, Recent(name: one.name, plan: plan, begun: now), at: now) }
    }

    private func noteEnd(_ one: Case, _ run: CaseRun) {
        let now = elapsed
        recent.withLock { recent in
            recent.plays[one.block]?.ended = now
            recent.plays[one.block]?.run = run
        }
    }
}

/// Something that is to happen once, whoever comes first.
final class Once: Sendable {
    private let body: Mutex<(@Sendable () -> Void)?>
    init(_ body: @escaping @Sendable () -> Void) { self.body = Mutex(body) }
    func call() {
        let body = body.withLock { body in
            defer { body = nil }
            return body
        }
        body?()
    }
}

/// A value that several tasks change in turn.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { body(&$0) }
    }
}
