import Contracts
import Journaling
import Oracles
import Peers
import Plans
import Synchronization

/// The target of a run with a stage for each worker; after a restart there are new stages.
final class Ground: Sendable {
    private let options: CampaignOptions
    let keeper: TargetKeeper
    private let stages = Mutex<[InlineStage]>([])
    private let next = Atomic<Int>(0)

    init(_ options: CampaignOptions) {
        self.options = options
        keeper = Self.keeper(options)
    }

    /// A target that takes connections and answers none of them is down as well.
    static func keeper(_ options: CampaignOptions) -> TargetKeeper {
        var settings = TargetKeeper.Settings()
        let named = options.contract.wire.paths.first { $0.isExact }?.text
        settings.upgrade = named ?? options.path
        return TargetKeeper(source(options), settings: settings)
    }

    static func source(_ options: CampaignOptions) -> TargetKeeper.Source {
        if let command = options.exec { return .command(command, variables: options.variables) }
        return .address(options.target)
    }

    func open() async throws {
        if options.runner != nil { return }
        let endpoint = try await keeper.start()
        try arrange(endpoint)
    }

    func arrange(_ endpoint: Endpoint) throws {
        let made = try (0..<max(1, options.workers)).map { _ in try Self.stage(endpoint, options) }
        stages.withLock { $0 = made }
    }

    static func stage(_ endpoint: Endpoint, _ options: CampaignOptions) throws -> InlineStage {
        var settings = InlineStage.Settings(target: endpoint, contract: options.contract, key: options.key)
        settings.epoch = options.epoch
        settings.given = Set(options.credentials.map(\.token))
        return try InlineStage(settings)
    }

    /// Stages in turn.
    var stage: (any CaseRunner)? {
        if let runner = options.runner { return runner }
        let turn = next.add(1, ordering: .relaxed).oldValue
        return stages.withLock { $0.isEmpty ? nil : $0[turn % $0.count] }
    }

    func stopAll() { for stage in stages.withLock({ $0 }) { stage.stopAll() } }

    func close() async { await keeper.stop() }
}

/// Plays a finding's plan again while nobody else plays: on a server of its own under `--exec`, so that what the run left
/// behind in the target does not matter.
final class Rehearsal: CaseRunner {
    private let options: CampaignOptions
    private let ground: Ground
    private let own: TargetKeeper?
    private let stage = Mutex<(stage: InlineStage, generation: Int)?>(nil)
    private let state = Mutex(State())
    private let plays = Atomic<Int>(0)
    /// Behind those of the cases.
    private static let firstBlock = 1 << 18

    private struct State {
        var isClosing = false
        /// Plays behind which the server was gone.
        var deaths: [Death] = []
    }

    /// How the server ended behind a play.
    struct Death: Sendable {
        var crash: Crash
        var plan: Plan
        var run: CaseRun
    }

    init(_ options: CampaignOptions, _ ground: Ground) {
        self.options = options
        self.ground = ground
        own = options.exec == nil ? nil : Ground.keeper(options)
    }

    func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        guard !state.withLock({ $0.isClosing }), let stage = try? await here() else {
            var run = CaseRun(steps: [], judgement: Judgement(), entries: [], took: .zero)
            run.unreachable = ["the target does not answer"]
            run.isCut = true
            return run
        }
        var options = options
        if options.cast == Cast() { options.cast = freshCast(for: plan) }
        var run = await stage.run(plan, options)
        // What a dying server left undone is told by its death.
        if self.options.runner == nil, let own, case .ended(let ending, let tail) = await own.check() {
            let death = Death(crash: Crash(ending: ending, tail: tail, at: .zero), plan: plan, run: run)
            state.withLock { if $0.deaths.isEmpty { $0.deaths.append(death) } }
            run.isCut = true
            run.judgement.findings = []
        }
        return run
    }

    /// Principals that nobody was before: a server may go on with what a play before left behind, and send it to whoever bears
    /// the name.
    private func freshCast(for plan: Plan) -> Cast {
        let number = plays.add(1, ordering: .relaxed).oldValue
        return Cast(minted: plan.users.map(\.name), block: Self.firstBlock + number)
    }

    func takeDeath() -> Death? { state.withLock { $0.deaths.popLast() } }

    /// Plays no more, and ends what is played.
    func stop() {
        state.withLock { $0.isClosing = true }
        stage.withLock { $0 }?.stage.stopAll()
        if own == nil { ground.stopAll() }
    }

    /// For one that hangs; true when it is there again.
    func restart() async -> Bool { (try? await own?.restart(isWanted: true)) != nil }

    /// How the server is behind a play.
    func check() async -> TargetKeeper.State { await (own ?? ground.keeper).check() }

    private func here() async throws -> any CaseRunner {
        guard options.runner == nil, let own else {
            guard let stage = ground.stage else { throw TargetError.gone("is not there") }
            return stage
        }
        if await own.endpoint == nil { try await own.start() }
        if await own.hasEnded() { try await own.restart(isWanted: true) }
        let (endpoint, generation) = await (own.endpoint, own.generation)
        if let known = stage.withLock({ $0 }), known.generation == generation { return known.stage }
        guard let endpoint else { throw TargetError.gone("is not there") }
        let made = try Ground.stage(endpoint, options)
        stage.withLock { $0 = (made, generation) }
        return made
    }

    func close() async { await own?.stop() }
}
