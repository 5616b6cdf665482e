import Foundation
import Fuzzing
import Oracles
import Reporting

/// One run of `miswire fuzz` from the first line to the exit code. Whatever happens, it ends: when the engine does, soon
/// after the first Ctrl-C, or soon after its time.
struct FuzzRun: Sendable {
    var order: FuzzOrder
    var form: FuzzForm
    var verbose = false
    var environment = ProcessInfo.processInfo.environment
    /// SIGINT and SIGTERM as they come.
    var signals: AsyncStream<Int32>
    var engine: @Sendable (CampaignOptions, @escaping @Sendable (CampaignEvent) -> Void) -> any FuzzEngine

    /// What the engine gets to end in once it is asked to, so that a stopped run is over within 2 s.
    static let patience = Duration.milliseconds(1_700)
    /// What it may use beyond its time before it is asked to end; the whole is over within 5 s.
    static let slack = Duration.seconds(3)

    private enum Happening: Sendable {
        case ended(CampaignResult)
        case signal
        /// Its time is over and it did not end.
        case overdue
        case outOfPatience
    }

    func run() async throws -> ExitReason {
        let shelf = FindingShelf(order)
        let form = form
        var options = order.options
        options.onKeep = try order.corpora.keeper()
        let engine = engine(options) { event in
            switch event {
            case .found(let finding, _, _):
                guard shelf.counts(finding) else { return }
                shelf.saw(finding)
                form.event(event)
            case .settled(let found, _):
                guard shelf.counts(found.finding) else { return }
                form.event(event, settled: shelf.settle(found))
            case .unbalanced(let name, let plan): shelf.keep(unbalanced: name, plan)
            default: form.event(event)
            }
        }
        let begun = ContinuousClock.now
        let pulse = Task {
            while !Task.isCancelled {
                do { try await Task.sleep(for: form.pace) } catch { break }
                form.tick(engine.progress)
            }
        }
        defer {
            pulse.cancel()
            form.end()
        }
        let (result, isLate) = try await outcome(of: engine, shelf)
        pulse.cancel()
        for found in result.findings + result.flaky where shelf.counts(found.finding) { shelf.settle(found) }
        return close(result, shelf, isLate: isLate, took: begun.duration(to: .now))
    }

    /// The engine's result, or what is known without it.
    private func outcome(of engine: any FuzzEngine, _ shelf: FindingShelf) async throws -> (CampaignResult, isLate: Bool) {
        let (happenings, sink) = AsyncStream.makeStream(of: Happening.self)
        let work = Task { sink.yield(.ended(await engine.run())) }
        let watch = Task { for await _ in signals { sink.yield(.signal) } }
        let limit = order.options.maxTotalTime
        let clock = Task {
            guard let limit else { return }
            if (try? await Task.sleep(for: limit + Self.slack)) != nil { sink.yield(.overdue) }
        }
        defer {
            for task in [watch, clock] { task.cancel() }
            work.cancel()
        }
        var isStopped = false
        var isLate = false
        for await happening in happenings {
            switch happening {
            case .ended(var result):
                // Asked to end by us is no interruption; asked by the user is one.
                if isStopped, isLate, result.end == .interrupted { result.end = .complete }
                if isStopped, !isLate, result.end == .complete { result.end = .interrupted }
                return (result, false)
            case .signal where isStopped:
                form.end()
                throw Interrupted()
            case .signal, .overdue:
                guard !isStopped else { continue }
                isStopped = true
                if case .overdue = happening { isLate = true } else { form.stopping() }
                work.cancel()
                Task {
                    try? await Task.sleep(for: Self.patience)
                    sink.yield(.outOfPatience)
                }
            case .outOfPatience:
                let known = shelf.settled
                let result = CampaignResult(
                    end: isLate ? .complete : .interrupted, phases: [], findings: known.filter { !$0.isFlaky },
                    flaky: known.filter(\.isFlaky), judgement: Judgement(), progress: engine.progress)
                return (result, true)
            }
        }
        throw Interrupted()
    }

    private func close(
        _ result: CampaignResult, _ shelf: FindingShelf, isLate: Bool, took: Duration
    ) -> ExitReason {
        let options = order.options
        let open = shelf.open
        let findings = shelf.reported
        var reason = FuzzVerdict.reason(result, findings: findings, isOpen: !open.isEmpty, checks: options.checks)
        var warnings = FuzzVerdict.warnings(result, open: open, unbalanced: shelf.unbalanced)
        if isLate {
            warnings.append("the run did not end by itself in time; its sums are incomplete")
            if reason == .pass || reason == .nothingExercised { reason = .inconclusive }
        }
        if let trouble = shelf.trouble {
            warnings.append(trouble)
            reason = .selfCheckFailed
        }
        var judgement = result.judgement
        judgement.findings = findings.map(\.finding)
        var report = RunReport(
            verb: "fuzz", version: Miswire.number, seed: options.seed, contractName: options.contract.name,
            contractHash: options.contract.hash, contractFile: options.contract.file, target: order.target,
            judgement: judgement, findings: findings, executions: result.progress.executions, users: options.users,
            stability: result.progress.stability, took: took, exit: reason, again: order.again)
        report.warnings = warnings
        report.figures = FuzzFigures.board(result.progress)
        let written = FuzzReports(orders: order.reports).write(&report)
        let rows = FuzzFigures.rows(
            result.phases, kept: findings.count { !$0.isFlaky }, flaky: findings.count(where: \.isFlaky))
        let github = FuzzGitHub(environment)
        if let annotations = github.annotations(report) { form.annotate(annotations) }
        if let trouble = github.appendSummary(report) { form.warn(trouble) }
        form.close(report, phases: rows, reports: written, verbose: verbose)
        return report.exit
    }
}

extension FuzzFinding {
    /// Seen, and not every time that it was run again.
    var isFlaky: Bool {
        if case .flaky = finding.attribution { true } else { false }
    }
}
