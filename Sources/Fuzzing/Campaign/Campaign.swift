import Contracts
import Findings
import Journaling
import Oracles
import Peers
package import Plans
import Profiles
import Synchronization

/// A fuzzing run: phases one behind the other, cases side by side, findings confirmed as they come. Everything random
/// derives from the seed; what a case is does not depend on when, where or beside what it is played.
package final class Campaign: Sendable {
    let options: CampaignOptions
    let workshop: Workshop
    let plans: ContractPlans
    let score = Score()
    let crew: Crew
    let ground: Ground
    let rehearsal: Rehearsal
    let reader: BehaviourReader
    let tell: @Sendable (CampaignEvent) -> Void
    let ledger = Mutex(FindingLedger())
    let scheduler: Mutex<Scheduler>
    /// By the number of the play.
    let recent = Mutex(Recents())
    let crashes = Mutex(CrashBook())
    let doubts = Shared(Doubts())
    /// Free ones of the given credentials; with none they are not used.
    let blocks: Shared<[Int]>
    /// Why the run ended before its time.
    let broken = Mutex<CampaignResult.End?>(nil)
    /// Of the profile.
    let faults: [Plan.FaultLine]
    private let clock = ContinuousClock()
    private let begun: ContinuousClock.Instant

    /// A case that is under way, or ended a moment ago.
    struct Recent: Sendable {
        var name: CaseName
        var plan: Plan
        var begun: Duration
        /// Nil as long as it is under way.
        var run: CaseRun?
        var ended: Duration?

        /// A process that dies on a crowded machine is seen to have ended long after its last connection did.
        func isRecent(at now: Duration) -> Bool { ended.map { now - $0 <= .seconds(3) } ?? true }
    }

    /// Plays under way and those that ended a moment ago, by their block of users.
    struct Recents: Sendable {
        var plays: [Int: Recent] = [:]
        /// More are looked through; at least as many have come since the last time.
        private var most = 64

        mutating func begin(_ block: Int, _ one: Recent, at now: Duration) {
            plays[block] = one
            guard plays.count > most else { return }
            plays = plays.filter { $0.value.isRecent(at: now) }
            most = max(64, 2 * plays.count)
        }
    }

    package init(_ options: CampaignOptions, onEvent: @escaping @Sendable (CampaignEvent) -> Void) {
        self.options = options
        tell = onEvent
        workshop = Workshop(
            contract: options.contract, dictionary: options.dictionary,
            users: options.credentials.isEmpty ? Cast.names : Array(options.credentials.map(\.user).prefix(Cast.names.count)),
            seeds: options.seeds, path: options.path, canMint: options.credentials.isEmpty)
        plans = ContractPlans(workshop)
        faults = options.profile?.faults.map(Plan.FaultLine.init(rule:)) ?? []
        blocks = Shared(Array(0..<max(1, options.principals / options.blockSize)))
        crew = Crew(users: options.principals)
        ground = Ground(options)
        rehearsal = Rehearsal(options, ground)
        reader = BehaviourReader(contract: options.contract, recognizer: workshop.recognizer)
        var settings = Scheduler.Settings(seed: options.seed)
        settings.window = options.window
        scheduler = Mutex(Scheduler(settings))
        begun = clock.now
    }

    var elapsed: Duration { begun.duration(to: clock.now) }
    /// Time left; nil = as much as one likes.
    var left: Duration? { options.maxTotalTime.map { max(.zero, $0 - elapsed) } }

    /// Where the run stands.
    package var progress: Progress {
        var progress = Progress()
        score.report(into: &progress, at: elapsed)
        progress.total = options.maxTotalTime
        scheduler.withLock { scheduler in
            progress.corpus = scheduler.corpus.keepers.count + options.seeds.count
            progress.favoured = scheduler.corpus.favoured
            progress.stability = scheduler.map.stability
            progress.edges = scheduler.map.edges
        }
        progress.energies = Energies.initial.percents
        ledger.withLock { ledger in
            progress.findings = ledger.findings.map { ($0.finding.property, $0.finding.repeats) }
            progress.flaky = ledger.flaky.count
            progress.confirming = ledger.confirming
        }
        return progress
    }

    /// Runs to the end of its time, its number of executions or its cancellation; what was found by then is complete.
    package func run() async -> CampaignResult {
        let watch = Task { await watchTarget() }
        let alarm = Task { await endInTime() }
        defer {
            watch.cancel()
            alarm.cancel()
        }
        let outcome = await withTaskCancellationHandler {
            await phases()
        } onCancel: {
            crew.stop()
            ground.stopAll()
            rehearsal.stop()
        }
        watch.cancel()
        await rehearsal.close()
        await ground.close()
        return outcome
    }

    /// Opens the target, and closes it behind `body`, which may ask what any plan shows: its behaviour features, or nil
    /// when it could not be played. For `--merge` and `--minimize`.
    package func measuring<Value: Sendable>(
        _ body: @Sendable (@escaping @Sendable (Plan) async -> [UInt64]?) async throws -> Value
    ) async throws -> Value {
        try await ground.open()
        do {
            let value = try await body { plan in await self.measure(plan) }
            await ground.close()
            return value
        } catch {
            await ground.close()
            throw error
        }
    }

    private func measure(_ plan: Plan) async -> [UInt64]? {
        if let features = await show(plan) { return features }
        // It, or the one before it, may have ended a target that can be started again.
        guard !Task.isCancelled, options.exec != nil, case .ended = await ground.keeper.check(),
            let endpoint = try? await ground.keeper.restart(isWanted: true), (try? ground.arrange(endpoint)) != nil
        else { return nil }
        return await show(plan)
    }

    private func show(_ plan: Plan) async -> [UInt64]? {
        guard !Task.isCancelled, let stage = ground.stage else { return nil }
        var play = CaseOptions()
        play.cast = cast(for: plan, block: options.credentials.isEmpty ? takeBlock() : 0)
        play.mostPatience = .seconds(2)
        play.patience = .seconds(5)
        let run = await stage.run(plan, play)
        let isAnswered = run.unreachable.count < max(1, run.connections)
        return isAnswered && !run.isCut ? reader.features(of: run, plan: plan) : nil
    }

    /// When time is up nothing is waited for any more.
    private func endInTime() async {
        guard let total = options.maxTotalTime else { return }
        do { try await Task.sleep(for: total - elapsed) } catch { return }
        crew.stop()
        // A confirmation under way may use a little more; a case that was just beginning may not.
        for _ in 0..<10 {
            ground.stopAll()
            do { try await Task.sleep(for: .milliseconds(200)) } catch { return }
        }
        rehearsal.stop()
    }

    private func phases() async -> CampaignResult {
        var done: [PhaseResult] = []
        if !options.seeds.isEmpty { tell(.seeds(options.seeds.count)) }
        if let missed = selfCheck() { return result(.selfCheckFailed(missed), done) }
        do { try await ground.open() } catch {
            return result(.unreachable(Self.words(error)), done)
        }
        var derivation = makeDerivation()
        for phase in Phase.allCases where phase != .confirm && (phase == .calibration || options.phases.contains(phase)) {
            guard !isOver else { break }
            let cap = Cap(phase, of: options)
            let before = (score.executions, score.change { $0.features }, found, elapsed)
            score.change { $0.phase = phase }
            switch phase {
            case .calibration: if let end = await calibrate(until: cap) { return result(end, done) }
            case .boundaries: await play(deck: plans.boundaries, called: "boundaries", until: cap)
            case .stateful: await explore(until: cap, &derivation)
            case .isolation:
                await play(deck: plans.isolation, called: "isolation", until: cap)
                if !isOver { await explore(until: cap, &derivation) }
            case .confirm: break
            }
            let outcome = PhaseResult(
                phase: phase, executions: score.executions - before.0, took: elapsed - before.3,
                newFeatures: score.change { $0.features } - before.1, findings: found - before.2)
            done.append(outcome)
            tell(.phaseEnded(outcome))
        }
        let (reruns, rerunTime) = score.change { ($0.reruns, $0.rerunTime) }
        if reruns > 0 {
            done.append(PhaseResult(phase: .confirm, executions: reruns, took: rerunTime, newFeatures: 0, findings: found))
            done.last.map { tell(.phaseEnded($0)) }
        }
        if let end = broken.withLock({ $0 }) { return result(end, done) }
        return result(Task.isCancelled ? .interrupted : .complete, done)
    }

    /// One sentence when the oracle is blind in one eye.
    private func selfCheck() -> String? {
        guard let specimens = try? ContractLoader().load("agent-chat") else {
            return "the shipped contract agent-chat cannot be read"
        }
        let outcome = SelfCheck.run(specimens)
        tell(.selfCheck(caught: outcome.caught.count, of: outcome.caught.count + outcome.missed.count))
        guard !outcome.missed.isEmpty else { return nil }
        return "the oracle does not catch the planted defects of \(outcome.missed.joined(separator: ", "))"
    }

    var found: Int { ledger.withLock { $0.findings.count } }

    /// Nothing more is begun.
    var isOver: Bool {
        if Task.isCancelled || crew.isStopped { return true }
        if let runs = options.runs, score.change({ $0.begun }) >= runs { return true }
        if let most = options.maxFailures, found >= most { return true }
        return left.map { $0 <= .zero } ?? false
    }

    func result(_ end: CampaignResult.End, _ phases: [PhaseResult]) -> CampaignResult {
        let (findings, flaky) = ledger.withLock { ($0.findings, $0.flaky) }
        var judgement = score.change { $0.tally.judgement }
        judgement.findings = findings.map(\.finding)
        if let checks = options.checks { judgement.properties.removeAll { !checks.contains($0.id) } }
        return CampaignResult(
            end: end, phases: phases, findings: findings, flaky: flaky, judgement: judgement, progress: progress)
    }

    static func words(_ error: any Error) -> String {
        switch error {
        case TargetError.gone(let why): "the target \(why)"
        case TargetError.badCommand(let why): "--exec cannot be read: \(why)"
        case TargetError.cannotStart(let why): "the target cannot be started: \(why)"
        case TargetError.ended(let how, _): "the target ended before it listened: \(how)"
        case TargetError.notListening(let bound, _): "the target does not listen within \(bound.components.seconds) s"
        case RigError.unreachable(let why): why
        default: "\(error)"
        }
    }
}
