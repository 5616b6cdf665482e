package import Contracts
package import Faults
package import Journaling
package import Oracles
package import Plans
import ProxyRuntime
import Synchronization

/// One proxy in front of one target, in this process, with the users of a plan before it and a judge behind it.
package struct Rig: Sendable {
    package var target: Endpoint
    package var contract: Contract?
    package var profile: Profile?
    package var seed: UInt64
    /// Signs the users' credentials, and lets the proxy check them.
    package var key: [UInt8]
    /// Keep connections open until nothing is undecided any more, at most past every deadline of the contract, so that
    /// each obligation can be met or fall due.
    package var linger = true
    /// Directory to record into.
    package var recording: String?
    /// Event loops of the proxy.
    package var loops = 1
    /// How long the target may take to answer at all before the first user connects.
    package var patience = Duration.seconds(2)
    package var limits = Limits.standard
    /// Ends the play as soon as the judge knows a finding for which this holds.
    package var isEnough: (@Sendable (Finding) -> Bool)?
    /// Once every step has ended, nothing more is waited for when the judge knows a finding for which this holds.
    package var isAwaited: (@Sendable (Finding) -> Bool)?
    /// See `PlayMachine.Settings`.
    package var missesAllowed: Int?
    /// Who plays the plan's users, and with which given credentials.
    package var cast = Cast()
    /// See `ProxyOptions`.
    package var creditsDeadlines = true
    /// How often the plan is played before one proxy, which everybody leaves in between: a soak. Steps are the last round's.
    package var rounds = 1
    /// p99.9 of answers without faults: the judge's deadlines are at least four times as long.
    package var calibration: Duration?
    /// What the target takes, where that can be seen.
    package var meter: (@Sendable () async -> TargetSample?)?
    /// Keep the journal in `RigRun.entries`.
    package var keepsEntries = false

    package init(target: Endpoint, contract: Contract?, profile: Profile?, seed: UInt64, key: [UInt8]) {
        self.target = target
        self.contract = contract
        self.profile = profile
        self.seed = seed
        self.key = key
    }

    /// A plan's user of that name is the sentinel: an honest one, by whom it is measured how others are served.
    private static let sentinel = "sentinel"

    package func run(_ plan: Plan) async throws(RigError) -> RigRun {
        let journal = Journal()
        let keep: EntryObserver = { journal.add($0) }
        let server: ProxyServer
        do throws(RuntimeError) {
            server = try await ProxyServer.start(options(), patience: patience, onEntry: keepsEntries ? keep : nil)
        } catch { throw Self.error(error) }

        let clock = ContinuousClock()
        let begun = clock.now
        var options = Player.Options(contract: contract)
        options.seed = seed
        options.key = key
        options.missesAllowed = missesAllowed
        options.cast = cast
        if plan.users.contains(where: { $0.name == Self.sentinel }) {
            server.tell(.sentinel(user: cast.principal(of: Self.sentinel)))
        }
        if let calibration { server.tell(.calibrated(calibration)) }
        let meter = meter.map { TargetMeter(read: $0) }
        let watch = meter.map { meter in Task { await meter.run(server) } }
        // The first checkpoint stands before the first user.
        if watch != nil { try? await Task.sleep(for: .milliseconds(40)) }
        let origin = server.now
        var steps: [StepResult] = []
        for round in 1...max(1, rounds) {
            if round > 1 { await rest(server) }
            let performance = Player(options: options).begin(
                plan, at: Endpoint(host: server.address.host, port: server.address.port))
            steps = await self.steps(of: performance, server)
            if linger, round >= rounds { await settle(server) }
            await performance.finish()
            if Task.isCancelled { break }
        }
        watch?.cancel()
        if let meter, let watch { await meter.conclude(server, quiet: await watch.value) }
        let result = await server.stop(grace: .seconds(2))
        var judgement = result.judgement ?? Judgement()
        if !result.recordingComplete {
            judgement.notes.append("the recording is not complete: \(result.recordingError ?? "no reason given")")
        }
        return RigRun(
            steps: steps, judgement: judgement, entries: journal.entries, origin: origin,
            took: begun.duration(to: clock.now), recording: result.recording, recordingComplete: result.recordingComplete)
    }

    /// Between two rounds everybody goes, for long enough to be seen.
    private func rest(_ server: ProxyServer) async {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: .seconds(1))
        while server.liveSessions > 0, clock.now < end { try? await Task.sleep(for: .milliseconds(10)) }
        try? await Task.sleep(for: .milliseconds(meter == nil ? 0 : 150))
    }

    /// Ending the play, for enough is known or the caller gave up, ends the wait for its steps.
    private func steps(of performance: Performance, _ server: ProxyServer) async -> [StepResult] {
        let isWatched = isEnough != nil
        return await withTaskCancellationHandler {
            await withTaskGroup(of: Void.self, returning: [StepResult].self) { group in
                if isWatched { group.addTask { if await watch(server) { performance.stop() } } }
                let steps = await performance.played()
                group.cancelAll()
                return steps
            }
        } onCancel: {
            performance.stop()
        }
    }

    private func options() -> ProxyOptions {
        let upstream = Upstream(
            url: target.description, address: HostPort(host: target.host, port: target.port))
        var options = ProxyOptions(listen: HostPort(host: "127.0.0.1", port: 0), upstream: upstream)
        options.profile = profile
        options.contract = contract
        options.seed = seed
        options.limits = limits
        options.loops = loops
        options.record = recording
        options.judge = true
        options.creditsDeadlines = creditsDeadlines
        options.mintKey = String(decoding: key, as: UTF8.self)
        options.givenCredentials = Set(cast.tokens.values)
        return options
    }

    /// Waits while traffic still flows or there is anything that the judge may yet decide, up to three times the longest
    /// deadline there is, since a crowded machine is credited. What is undecided for good (a client that left early) is
    /// not waited for.
    private func settle(_ server: ProxyServer) async {
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: Deadlines.longest(in: contract) * 3 + .milliseconds(500))
        // Silence shorter than this is no silence: faults hold things back.
        var pause = Duration.milliseconds(75)
        var entries: UInt64?
        while clock.now < end {
            let isEmpty = server.liveSessions == 0
            let soFar = await server.snapshot()
            if knows(soFar, isEnough) || knows(soFar, isAwaited) { return }
            let isDecided = (soFar.judgement?.pending ?? 0) == 0
            let now = soFar.judgement?.entries ?? soFar.entries
            // What is undecided when nobody is connected any more stays undecided.
            if isDecided || isEmpty, entries == now { return }
            entries = now
            do { try await Task.sleep(for: pause) } catch { return }
            pause = min(pause * 2, .milliseconds(200))
        }
    }

    /// True once the judge knows enough; false when cancelled.
    private func watch(_ server: ProxyServer) async -> Bool {
        while !Task.isCancelled {
            if knows(await server.snapshot(), isEnough) { return true }
            do { try await Task.sleep(for: .milliseconds(20)) } catch { return false }
        }
        return false
    }

    private func knows(_ soFar: RunResult, _ holds: (@Sendable (Finding) -> Bool)?) -> Bool {
        guard let holds, let judgement = soFar.judgement else { return false }
        return judgement.findings.contains { judgement.standing.contains($0.id) && holds($0) }
    }

    private static func error(_ error: RuntimeError) -> RigError {
        switch error {
        case .targetSilent(let address, let reason, _, _): .unreachable("\(address): \(reason)")
        case .hostNotFound(let host, let reason): .unreachable("\(host): \(reason)")
        case .forbiddenTarget(let address, let reason): .unreachable("\(address): \(reason)")
        case .cannotRecord(let directory, let reason): .cannotRecord(directory: directory, reason)
        default: .cannotListen("\(error)")
        }
    }
}

package enum RigError: Error, Sendable, Equatable {
    case cannotListen(String)
    case cannotRecord(directory: String, String)
    case unreachable(String)
}

package struct RigRun: Sendable {
    package var steps: [StepResult]
    package var judgement: Judgement
    /// Empty unless `keepsEntries`.
    package var entries: [Entry]
    /// The proxy's clock when the play began: a step's instant plus this is an entry's.
    package var origin: Instant
    package var took: Duration
    package var recording: String?
    /// False when the disk failed: then nothing may pass.
    package var recordingComplete: Bool
    package init(
        steps: [StepResult], judgement: Judgement, entries: [Entry], origin: Instant = .zero, took: Duration,
        recording: String? = nil,
        recordingComplete: Bool = true
    ) {
        self.steps = steps
        self.judgement = judgement
        self.entries = entries
        self.origin = origin
        self.took = took
        self.recording = recording
        self.recordingComplete = recordingComplete
    }
}

/// Entries as the recorder's thread hands them over.
private final class Journal: Sendable {
    private let kept = Mutex<[Entry]>([])
    func add(_ entry: Entry) { kept.withLock { $0.append(entry) } }
    var entries: [Entry] { kept.withLock { $0 } }
}

/// The bounds of a contract.
package enum Deadlines {
    /// The longest that any obligation may stay open; a hot state without a bound counts as none.
    package static func longest(in contract: Contract?) -> Duration {
        guard let contract else { return .seconds(1) }
        var bounds = [contract.session?.within, contract.auth?.within, contract.errors?.within]
        bounds += contract.requests.map { $0.within ?? ($0.answer.isEmpty ? nil : contract.deadline) }
        bounds += contract.reject.map(\.within)
        for run in contract.runs {
            bounds += run.hot.map(\.within)
            bounds += run.parts.map(\.within)
        }
        return bounds.compactMap { $0 }.max() ?? contract.deadline
    }
}
