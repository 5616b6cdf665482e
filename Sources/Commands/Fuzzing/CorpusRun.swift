import Fuzzing
import Peers
import Plans
import Reporting
import Synchronization

/// `--merge` and `--minimize` from the first line to the exit code. Nothing is written or deleted before every plan was
/// played; whoever stops it leaves the corpora as they were.
struct CorpusRun: Sendable {
    typealias Body = @Sendable (@escaping CorpusDirectory.Measure) async throws -> CorpusReport
    /// Opens the target, lets the body ask what plans show, closes the target.
    typealias Meter = @Sendable (CampaignOptions, @escaping Body) async throws -> CorpusReport

    var order: FuzzOrder
    var console: Console
    var json: Bool
    /// SIGINT and SIGTERM as they come.
    var signals: AsyncStream<Int32>
    var meter: Meter

    private enum Happening: Sendable {
        case ended(Result<CorpusReport, any Error>)
        case signal
        /// `--max-total-time` is over.
        case overdue
        case outOfPatience
    }

    func run() async throws -> ExitReason {
        let tally = CorpusTally(task: order.task, plans: order.corpora.seeds.count)
        let form = CorpusForm(console: console, json: json, tally: tally)
        for sentence in order.warnings { form.warn(sentence) }
        let begun = ContinuousClock.now
        let pulse = Task {
            // What is over soon needs no progress.
            var pause = Duration.seconds(form.isLive ? 2 : 10)
            while (try? await Task.sleep(for: pause)) != nil {
                form.tick(after: begun.duration(to: .now))
                pause = form.isLive ? .milliseconds(500) : .seconds(10)
            }
        }
        defer {
            pulse.cancel()
            form.end()
        }
        let report: CorpusReport
        switch try await outcome(tally, form) {
        case .ended(.success(let done)): report = done
        case .ended(.failure(let error)): throw complaint(error)
        case .signal, .outOfPatience: return form.stopped(.interrupted, "stopped")
        case .overdue: return form.stopped(.inconclusive, "time is up")
        }
        pulse.cancel()
        return form.close(report)
    }

    /// How it ended; after a signal or the end of its time it is over within a moment.
    private func outcome(_ tally: CorpusTally, _ form: CorpusForm) async throws -> Happening {
        let (happenings, sink) = AsyncStream.makeStream(of: Happening.self)
        let work = Task {
            do { sink.yield(.ended(.success(try await self.play(tally)))) } catch { sink.yield(.ended(.failure(error))) }
        }
        let watch = Task { for await _ in signals { sink.yield(.signal) } }
        let limit = order.options.maxTotalTime
        let clock = Task {
            guard let limit, (try? await Task.sleep(for: limit)) != nil else { return }
            sink.yield(.overdue)
        }
        defer { for task in [work, watch, clock] { task.cancel() } }
        var stopped: Happening?
        for await happening in happenings {
            switch (happening, stopped) {
            case (.ended(.success), _): return happening
            case (.ended, let stopped?): return stopped
            case (.ended, nil): return happening
            case (.signal, .signal?):
                form.end()
                throw Interrupted()
            case (.signal, _), (.overdue, nil):
                stopped = happening
                if case .signal = happening { form.stopping() }
                work.cancel()
                Task {
                    try? await Task.sleep(for: FuzzRun.patience)
                    sink.yield(.outOfPatience)
                }
            case (.outOfPatience, let stopped): return stopped ?? happening
            case (.overdue, _): continue
            }
        }
        throw Interrupted()
    }

    private func play(_ tally: CorpusTally) async throws -> CorpusReport {
        let order = order
        let directory = CorpusDirectory(order.corpora.places)
        var options = order.options
        options.seeds = []
        let pace = Pace(options.ratePerSecond)
        return try await meter(options) { measure in
            let counted: CorpusDirectory.Measure = { plan in
                guard !Task.isCancelled else { return nil }
                let begun = ContinuousClock.now
                let features = await measure(plan)
                tally.played(features)
                await pace.rest(after: plan, took: begun.duration(to: .now))
                return features
            }
            let contract = order.options.contract
            return order.task == .merge
                ? try await directory.merge(contract: contract, lift: GivenCorpora.lift, measure: counted)
                : try await directory.minimize(contract: contract, lift: GivenCorpora.lift, measure: counted)
        }
    }

    private func complaint(_ error: any Error) -> any Error {
        switch error {
        case let error as CorpusError: GivenCorpora.complaint(error)
        case let error as TargetError: Target.complaint(error, order.options.exec, at: order.target)
        case let error as RigError: Target.complaint(error)
        default: error
        }
    }
}

/// Keeps to a number of messages a second, plan by plan.
struct Pace: Sendable {
    let perSecond: Double?
    init(_ perSecond: Double?) { self.perSecond = perSecond }

    /// What a plan sends at most, each connection counted as a message.
    static func messages(of plan: Plan) -> Int {
        plan.steps.count { step in
            if case .together = step.verb { false } else { !step.verb.isGuard }
        }
    }

    func rest(after plan: Plan, took: Duration) async {
        guard let perSecond, perSecond > 0 else { return }
        let due = Duration.seconds(Double(Self.messages(of: plan)) / perSecond) - took
        if due > .zero { try? await Task.sleep(for: due) }
    }
}

/// How far it is.
final class CorpusTally: Sendable {
    let task: CorpusTask
    let plans: Int
    private let state = Mutex((played: 0, features: Set<UInt64>()))

    init(task: CorpusTask, plans: Int) {
        self.task = task
        self.plans = plans
    }

    func played(_ features: [UInt64]?) {
        state.withLock { state in
            state.played += 1
            if let features { state.features.formUnion(features) }
        }
    }

    var now: (played: Int, features: Int) { state.withLock { ($0.played, $0.features.count) } }
}
