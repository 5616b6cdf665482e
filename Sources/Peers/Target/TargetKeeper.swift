/// The server of a long run: started, watched, measured and started again when it dies. One is for a run, whatever the
/// number of workers; all that it waits for is bounded, and nothing that it started outlives it.
package actor TargetKeeper {
    package enum Source: Sendable {
        /// Somebody else's server. It is watched and waited for, never started.
        case address(Endpoint)
        /// A command with `{port}`; what is added to its environment.
        case command(String, variables: [(String, String)])
    }

    package enum State: Sendable, Equatable {
        case up
        /// One phrase that goes on after "the target": `refuses connections`.
        case down(String)
        /// Our process ended: how, and its last lines.
        case ended(Ending, tail: [String])
    }

    package struct Settings: Sendable {
        /// Path of an upgrade that must be answered (with anything) before the target counts as up; nil = it need only
        /// take connections.
        package var upgrade: String?
        /// How long a start, or the return of an address, may take.
        package var patience = Duration.seconds(10)
        /// How long `check` waits for a connection and its answer.
        package var bound = Duration.seconds(2)
        /// Before the first restart in a while, then doubled up to the longest.
        package var firstDelay = Duration.milliseconds(100)
        package var longestDelay = Duration.seconds(5)
        /// One more within the window, and the target is given up.
        package var mostRestarts = 10
        package var window = Duration.seconds(60)
        package var sampleInterval = Duration.milliseconds(500)
        /// Time between TERM and KILL when a hanging target is started again.
        package var grace = Duration.seconds(2)
        package init() {}
    }

    /// Crashes kept; older ones only count.
    package static let mostCrashes = 100

    package let source: Source
    private let settings: Settings
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private var process: TargetProcess?
    private var isStopped = false
    /// Whoever asks for a restart while one is under way gets that one.
    private var reviving: Task<Result<Endpoint, TargetError>, Never>?
    private var recentRestarts: [ContinuousClock.Instant] = []
    private var isSampling = false
    /// The generation whose end stands in `crashes`, with its lines.
    private var noted: (generation: Int, state: State)?

    /// The generation that we end ourselves, because it hangs.
    private var replaced = 0

    /// Where the target listens now; each process of `--exec` gets a port of its own. Nil before `start`.
    package private(set) var endpoint: Endpoint?
    /// 1 after `start`, and one more whenever the target is there again.
    package private(set) var generation = 0
    package private(set) var restarts = 0
    /// Since the target was started last.
    package private(set) var samples = SampleHistory()
    /// Oldest first, at most `mostCrashes`; restarts that we asked for are none.
    package private(set) var crashes: [Crash] = []
    package private(set) var crashCount = 0

    package init(_ source: Source, settings: Settings = Settings()) {
        self.source = source
        self.settings = settings
        began = clock.now
    }

    /// Returns once the target takes connections (and answers upgrades, if that was asked for).
    @discardableResult
    package func start() async throws(TargetError) -> Endpoint {
        if let endpoint { return endpoint }
        return try await launch()
    }

    /// How it is now. An address, and a process that runs, is asked by a connection; at most `bound` later it is known.
    package func check() async -> State {
        if let ended = await noteEnd() { return ended }
        guard let endpoint else { return .down("is not started") }
        let current = generation
        switch await Probe.ask(endpoint, upgrade: settings.upgrade, within: settings.bound) {
        case .answers: return .up
        case .refuses(let why), .silent(let why):
            // It may have ended in the meantime, which says more; or be another one already.
            if current == generation, let ended = await noteEnd() { return ended }
            return .down(why)
        }
    }

    /// Ends what is left of the process and starts it again, behind a delay that grows while restarts are frequent. An
    /// address is waited for instead. Calls meanwhile share the one restart.
    /// - Parameters:
    ///   - generation: which one the caller found dead; when there is a newer one already, that is the answer.
    ///   - isWanted: the crash was provoked on purpose (to confirm or to shrink), so it is no sign of a target that
    ///     cannot live: no delay, and nothing is counted towards giving up.
    /// - Throws: `gone` when too many were needed, or when the address does not come back.
    @discardableResult
    package func restart(
        since generation: Int? = nil, isWanted: Bool = false
    ) async throws(TargetError) -> Endpoint {
        if let generation, generation < self.generation, reviving == nil, let endpoint { return endpoint }
        let task = reviving ?? Task { await self.revive(isWanted: isWanted) }
        reviving = task
        return try await task.value.get()
    }

    /// What it takes now, or took less than `sampleInterval` ago. Nil for an address, and when nothing runs.
    @discardableResult
    package func sample() async -> TargetSample? {
        guard let process, process.ending == nil else { return nil }
        let now = began.duration(to: clock.now)
        if let last = samples.last, isSampling || now - last.at < settings.sampleInterval { return last }
        guard !isSampling else { return nil }
        isSampling = true
        defer { isSampling = false }
        let (group, current) = (process.pid, generation)
        let usage = await Threads.run(within: .seconds(1), otherwise: ProcessTable.Usage()) {
            ProcessTable.usage(group: group)
        }
        guard usage.processes > 0, current == generation else { return nil }
        let sample = TargetSample(
            at: now, memory: usage.memory, peak: usage.peak > 0 ? usage.peak : nil, descriptors: usage.descriptors, threads: usage.threads,
            processes: usage.processes)
        samples.add(sample)
        return sample
    }

    /// Last bytes that the process wrote; empty for an address.
    package var diagnostics: String { process?.diagnostics ?? "" }

    /// Ends the process with its whole group. Nothing is started any more.
    package func stop() async {
        isStopped = true
        _ = await reviving?.value
        await process?.stop(grace: settings.grace)
    }

    private func launch() async throws(TargetError) -> Endpoint {
        switch source {
        case .address(let endpoint):
            try await wait(for: endpoint)
            self.endpoint = endpoint
        case .command(let command, let variables):
            let process = try await TargetProcess.start(
                command, variables: variables, upgrade: settings.upgrade, within: settings.patience)
            if isStopped {
                await process.stop(grace: settings.grace)
                throw .gone("is not started any more: the run is over")
            }
            self.process = process
            endpoint = process.endpoint
        }
        generation += 1
        samples = SampleHistory()
        return endpoint ?? Endpoint(host: "127.0.0.1", port: 0)
    }

    private func wait(for endpoint: Endpoint) async throws(TargetError) {
        let deadline = clock.now.advanced(by: settings.patience)
        var delay = settings.firstDelay
        while true {
            switch await Probe.ask(endpoint, upgrade: settings.upgrade, within: settings.bound) {
            case .answers: return
            case .refuses(let why), .silent(let why):
                let isOver = clock.now.advanced(by: delay) >= deadline || isStopped || Task.isCancelled
                if isOver || generation == 0 { throw .gone(why) }
                try? await Task.sleep(for: delay)
                delay = min(delay * 2, settings.longestDelay)
            }
        }
    }

    private func revive(isWanted: Bool) async -> Result<Endpoint, TargetError> {
        defer { reviving = nil }
        if await noteEnd() == nil {
            replaced = generation
            await process?.stop(grace: settings.grace)
        }
        if case .address = source {
            do throws(TargetError) { return .success(try await launch()) } catch { return .failure(error) }
        }
        while true {
            if isStopped { return .failure(.gone("is not started any more: the run is over")) }
            if !isWanted, let why = await pause() { return .failure(.gone(why)) }
            restarts += 1
            do throws(TargetError) { return .success(try await launch()) } catch {
                // What never listens takes the whole patience; what ends at once may have met a port just taken.
                guard case .ended = error, !isWanted else { return .failure(error) }
            }
        }
    }

    /// Waits as long as restarts of the last window demand; says why when there were too many.
    private func pause() async -> String? {
        let now = clock.now
        recentRestarts.removeAll { $0.duration(to: now) > settings.window }
        guard recentRestarts.count < settings.mostRestarts else {
            let how = crashes.last.map { "; last: \($0.ending)" } ?? ""
            return "had to be started \(settings.mostRestarts) times within \(Int(settings.window / .seconds(1))) s\(how)"
        }
        let doubled = settings.firstDelay * (1 << min(recentRestarts.count, 20))
        try? await Task.sleep(for: min(doubled, settings.longestDelay))
        recentRestarts.append(clock.now)
        return nil
    }

    /// Whether our own process has ended, without asking it anything; false for an address.
    package func hasEnded() async -> Bool {
        if case .ended = await noteEnd() { true } else { false }
    }

    /// How our process ended, noted once as a crash. Waits until its output is read to the end.
    private func noteEnd() async -> State? {
        if replaced == generation, process != nil { return .down("is started again") }
        guard let process, let ending = process.ending else { return nil }
        if let noted, noted.generation == generation { return noted.state }
        let current = generation
        await process.stop(grace: .zero)
        if let noted, noted.generation == current { return noted.state }
        let tail = Crash.tail(of: process.diagnostics)
        let state = State.ended(ending, tail: tail)
        noted = (current, state)
        guard !isStopped else { return state }
        crashCount += 1
        crashes.append(Crash(ending: ending, tail: tail, at: began.duration(to: clock.now)))
        if crashes.count > Self.mostCrashes { crashes.removeFirst() }
        return state
    }
}
