import Journaling
import Oracles
import Peers
import Plans
import Synchronization

/// What is known of the times that the target went away.
struct CrashBook: Sendable {
    /// Connections failed, or the process is gone: somebody is to look.
    var isSuspected = false
    /// How often it was gone.
    var losses = 0
    var attempts = 0
    /// Checks in a row that found an address down.
    var misses = 0
}

/// Watching the target: it may die, hang, refuse, and come back.
extension Campaign {
    private static let mostAttempts = 4
    /// Dozens of cases are under way at once, and any of them may have done it; time ends the search sooner.
    private static let mostSuspects = 256

    func suspect() { crashes.withLock { $0.isSuspected = true } }

    /// Looks now and then until it is cancelled.
    func watchTarget() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
            guard await ground.keeper.endpoint != nil, score.change({ $0.downSince }) == nil else { continue }
            if options.exec != nil, await ground.keeper.sample() == nil { suspect() }
            guard crashes.withLock({ $0.isSuspected }) else { continue }
            switch await ground.keeper.check() {
            case .up: crashes.withLock { ($0.isSuspected, $0.misses) = (false, 0) }
            case .ended(let ending, let tail): await gone(Crash(ending: ending, tail: tail, at: elapsed))
            case .down(let why):
                // Once may be a queue that was full for a moment.
                let misses = crashes.withLock { book in
                    book.misses += 1
                    return book.misses
                }
                guard misses >= 3 else { continue }
                await gone(Crash(ending: why.hasPrefix("refuses") ? .refusing : .silent, tail: [], at: elapsed))
            }
        }
    }

    var losses: Int { crashes.withLock { $0.losses } }

    /// Whether a target of ours went away since there were so many losses; who looks into that has ended by then.
    func targetWasAway(since known: Int) async -> Bool {
        guard options.exec != nil else { return false }
        // Somebody may be about to look.
        for _ in 0..<20 where !isOver && losses == known && crashes.withLock({ $0.isSuspected }) {
            try? await Task.sleep(for: .milliseconds(50))
        }
        while score.change({ $0.downSince }) != nil, !isOver { try? await Task.sleep(for: .milliseconds(50)) }
        return !isOver && losses > known
    }

    private func gone(_ crash: Crash) async {
        // What answers as soon as nobody else asks was busy with what we asked of it.
        if crash.ending == .silent, await crew.alone(patience: .seconds(2), { await self.ground.keeper.check() == .up }) {
            return crashes.withLock { ($0.isSuspected, $0.misses) = (false, 0) }
        }
        crashes.withLock { $0.losses += 1 }
        let at = elapsed
        score.change { $0.downSince = at }
        tell(.targetDown(crash.ending.description, at: at))
        await crew.alone(patience: .seconds(2)) {
            let suspects = self.suspects(at: at)
            // An address has to come back before anything can be tried again.
            let isOwn = self.options.exec != nil
            var isBack = isOwn ? true : await self.revive()
            if self.mayConfirm(crash) {
                await self.blame(crash, suspects, canTry: isBack)
                if !isOwn, isBack { isBack = await self.revive() }
            }
            if isOwn { isBack = await self.revive() }
            if !isBack { self.crew.stop() }
        }
        crashes.withLock { ($0.isSuspected, $0.misses) = (false, 0) }
        score.change { $0.downSince = nil }
    }

    /// The target lived when it said its last word to anybody: who wrote nearest to that and got no answer comes first, who
    /// gave it nothing last.
    private func suspects(at instant: Duration) -> [Recent] {
        let all = recent.withLock { recent in
            recent.plays.filter { $0.value.isRecent(at: instant) }.sorted { $0.key > $1.key }.map(\.value)
        }
        let traces = all.map { one in one.run.map { ExchangeEnd(in: $0.entries, since: one.begun) } }
        let lastWord = traces.compactMap { $0?.word }.max() ?? instant
        let ranked = zip(all, traces).enumerated().map { (one: $1.0, rank: Self.rank($1.1, lastWord), place: $0) }
        return ranked.sorted { ($0.rank.0, $0.rank.1, $0.place) < ($1.rank.0, $1.rank.1, $1.place) }
            .prefix(Self.mostSuspects).map(\.one)
    }

    /// What is under way still has no journal yet; whoever heard nothing wrote to one that was gone already.
    private static func rank(_ trace: ExchangeEnd?, _ lastWord: Duration) -> (Int, Duration) {
        guard let trace else { return (0, .zero) }
        guard let input = trace.input, let word = trace.word else { return (3, .zero) }
        return (input > word ? 1 : 2, max(input - lastWord, lastWord - input))
    }

    private func mayConfirm(_ crash: Crash) -> Bool {
        crashes.withLock { book in
            book.attempts += 1
            return book.attempts <= Self.mostAttempts
        }
    }

    /// True when it is there again, with stages that know its address.
    private func revive() async -> Bool {
        let patience = left.map { max(.seconds(1), min(.seconds(10), $0)) } ?? .seconds(10)
        let endpoint = await withTaskGroup(of: Endpoint?.self) { group in
            group.addTask { try? await self.ground.keeper.restart() }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        guard let endpoint, (try? ground.arrange(endpoint)) != nil else {
            let why = await ground.keeper.check()
            broken.withLock { broken in
                if broken == nil { broken = .unreachable("the target is gone and does not come back: \(why)") }
            }
            return false
        }
        let restarts = await ground.keeper.restarts
        score.change { counts in counts.restarts = restarts }
        tell(.targetBack(restarts: restarts, at: elapsed))
        return true
    }

    // MARK: Who did it

    /// Plays what was under way again, one by one, until the target goes away again; then makes that plan smaller.
    private func blame(_ crash: Crash, _ suspects: [Recent], canTry: Bool) async {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: budget.time)
        if canTry {
            for suspect in suspects where clock.now < end && !Task.isCancelled {
                guard let (again, run) = await kills(suspect.plan) else { continue }
                let (plan, last) = await shrunk(suspect.plan, run, until: end)
                return report(again, plan, last, suspect.name, .intrinsic(failed: 2, of: 2))
            }
        }
        guard let first = suspects.first else { return }
        // The end of a process of ours is its own proof, and so is an address that stays away (oracle.md, R2): nobody
        // knows which plan it was, and the last input is named. What came back may have been told to go.
        let isProof = crash.ending.isFailure || !canTry
        let reason = canTry ? "none of the plans that were under way does it again by itself" : nil
        report(
            crash, first.plan, first.run, first.name, isProof ? .unattributed : .flaky(failed: 1, of: suspects.count + 1),
            reason: reason)
    }

    /// A confirmation's own server died of the plan.
    func blame(_ death: Rehearsal.Death, _ name: CaseName) async {
        let end = ContinuousClock().now.advanced(by: budget.time)
        guard let (again, run) = await kills(death.plan) else {
            let isProof = death.crash.ending.isFailure
            return report(death.crash, death.plan, death.run, name, isProof ? .unattributed : .flaky(failed: 1, of: 2))
        }
        let (plan, last) = await shrunk(death.plan, run, until: end)
        report(again, plan, last, name, .intrinsic(failed: 2, of: 2))
    }

    /// How the target went away behind this plan, twice; nil when it is still there. The second time it is a new one, that
    /// has nothing left to do from plans before: what they sent may have been read late.
    private func kills(_ plan: Plan) async -> (Crash, CaseRun)? {
        guard await end(plan) != nil else { return nil }
        return await end(plan)
    }

    private func end(_ plan: Plan) async -> (Crash, CaseRun)? {
        var play = rehearsalOptions(for: plan)
        play.patience = .milliseconds(500)
        // One of a plan before says nothing of this one.
        _ = rehearsal.takeDeath()
        // What would have been answered is answered long before its guard gives up; and as its first play it ends at the
        // first that is not.
        play.mostPatience = min(play.mostPatience ?? .seconds(2), .seconds(2))
        play.missesAllowed = 1
        let run = await rehearsal.run(plan, play)
        // Whoever ends the run ends the target as well.
        guard !crew.isStopped, !Task.isCancelled, left.map({ $0 > .zero }) ?? true else { return nil }
        if let death = rehearsal.takeDeath() { return (death.crash, death.run) }
        switch await settled() {
        case .up: return nil
        case .ended(let ending, let tail): return (Crash(ending: ending, tail: tail, at: elapsed), run)
        case .down(let why):
            guard options.exec == nil ? await revive() : await rehearsal.restart() else { return nil }
            return (Crash(ending: why.hasPrefix("refuses") ? .refusing : .silent, tail: [], at: elapsed), run)
        }
    }

    /// How the target is behind a play, once that can be told: a process needs a moment to die, and takes connections
    /// that it answers no more while it does. Its end must not be the next plan's.
    private func settled() async -> TargetKeeper.State {
        var state = TargetKeeper.State.up
        var ups = 0
        for _ in 0..<20 {
            try? await Task.sleep(for: .milliseconds(30))
            state = await rehearsal.check()
            if case .ended = state { return state }
            ups = state == .up ? ups + 1 : 0
            if ups == 2 || Task.isCancelled { return state }
        }
        return state
    }

    /// The smallest plan of those made from it that end the target as well, and its run.
    private func shrunk(_ plan: Plan, _ run: CaseRun, until end: ContinuousClock.Instant) async -> (Plan, CaseRun) {
        var last = run
        guard options.shrinks else { return (plan, last) }
        var shrinker = PlanShrinker(plan, witnesses: [], upTo: nil)
        var spent = 0
        while spent < 120, ContinuousClock().now < end, !Task.isCancelled, let candidate = shrinker.next() {
            spent += 1
            let killed = await kills(candidate)
            if let killed { last = killed.1 }
            shrinker.answer(killed != nil)
        }
        return (Finish.hurried(shrinker.best, last.steps), last)
    }

    private func report(
        _ crash: Crash, _ plan: Plan, _ run: CaseRun?, _ name: CaseName, _ attribution: Attribution,
        reason: String? = nil
    ) {
        let last = run.flatMap { LastInput(in: $0.entries, contract: options.contract, cast: $0.cast) }
        var finding = CrashFinding.make(crash, plan: plan, lastInput: last, contract: options.contract)
        finding.attribution = attribution
        guard options.counts(finding) else { return }
        var outcome = FuzzFinding(finding: finding, plan: plan, name: name, executions: score.executions)
        outcome.exit = crash.ending.description
        outcome.stderr = crash.tail
        outcome.reason = reason
        if ledger.withLock({ $0.see(finding) }) == .confirm { tell(.found(finding, executions: score.executions, at: elapsed)) }
        var isFlaky = false
        if case .flaky = attribution { isFlaky = true }
        ledger.withLock { $0.settle(finding, isFlaky ? .flaky(outcome) : .finding(outcome)) }
        tell(.settled(outcome, at: elapsed))
    }
}
