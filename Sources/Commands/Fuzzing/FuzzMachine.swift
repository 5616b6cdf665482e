import Fuzzing
import Journaling
import Oracles
import Reporting
import Wire

/// A fuzzing run as NDJSON.
enum FuzzMachine {
    static func start(_ order: FuzzOrder, seeds: Int, time: String) -> JSONLine {
        let options = order.options
        return JSONLine("start", time: time).adding("verb", "fuzz").adding("version", Miswire.number)
            .adding("seed", options.seed).adding("contract", options.contract.name).adding("hash", options.contract.hash)
            .adding("target", order.target).adding("workers", options.workers).adding("users", options.users)
            .adding("seeds", seeds).adding("again", order.again)
    }

    static func progress(_ progress: Fuzzing.Progress, time: String) -> JSONLine {
        var line = JSONLine("progress", time: time).adding("elapsed", seconds(progress.elapsed))
            .adding("phase", progress.phase.rawValue).adding("executions", progress.executions)
            .adding("messages", progress.messages).adding("sessions", progress.sessions)
            .adding("executionsPerSecond", number(progress.executionsPerSecond))
            .adding("messagesPerSecond", number(progress.messagesPerSecond)).adding("features", progress.features)
            .adding("edges", progress.edges).adding("corpus", progress.corpus)
            .adding("stability", progress.stability.map { number($0) } ?? .null)
            .adding("findings", progress.findings.count).adding("restarts", progress.restarts)
        if let total = progress.total { line = line.adding("left", seconds(max(.zero, total - progress.elapsed))) }
        if let down = progress.downSince { line = line.adding("down", seconds(down)) }
        return line
    }

    /// Nil for what has a line of its own elsewhere.
    static func line(_ event: CampaignEvent, settled: ReportedFinding?, time: String) -> JSONLine? {
        switch event {
        case .selfCheck(let caught, let of): JSONLine("self-check", time: time).adding("caught", caught).adding("of", of)
        case .calibrated(let runs, let p999, let deadline):
            JSONLine("calibrated", time: time).adding("runs", runs).adding("p999", milliseconds(p999))
                .adding("deadline", milliseconds(deadline))
        case .seeds: nil
        case .found(let finding, let executions, let at):
            JSONLine("found", time: time).adding("finding", finding.id).adding("property", finding.property)
                .adding("sentence", finding.sentence).adding("executions", executions).adding("at", seconds(at))
        case .settled(_, let at): settled.map { finding($0, time: time).adding("at", seconds(at)) }
        case .targetDown(let why, let at): JSONLine("target-down", time: time).adding("sentence", why).adding("at", seconds(at))
        case .targetBack(let restarts, let at):
            JSONLine("target-back", time: time).adding("restarts", restarts).adding("at", seconds(at))
        case .phaseEnded(let phase):
            JSONLine("phase", time: time).adding("name", phase.phase.rawValue).adding("executions", phase.executions)
                .adding("ms", milliseconds(phase.took)).adding("newFeatures", phase.newFeatures).adding("findings", phase.findings)
        case .warning(let sentence): JSONLine("warning", time: time).adding("sentence", sentence)
        }
    }

    static func closing(_ report: RunReport, phases: [PhaseRow], reports: [String], time: String) -> [JSONLine] {
        let judgement = report.judgement
        var lines = JudgementLines.properties(judgement, time: time) + JudgementLines.toolErrors(judgement, time: time)
        lines.append(
            JSONLine("summary", time: time).adding("verb", "fuzz").adding("executions", report.executions)
                .adding("users", report.users).adding("violations", report.findings.count { !$0.isFlaky })
                .adding("flaky", report.findings.count { $0.isFlaky }).adding("toolErrors", judgement.toolErrors.count)
                .adding("errorsDelivered", judgement.errorsDelivered)
                .adding("stability", report.stability.map { number($0) } ?? .null)
                .adding("findings", report.findings.map(\.finding.id)).adding("reports", reports)
                .adding("ms", milliseconds(report.took)).adding("again", report.again)
                .adding("exit", report.exit.code).adding("reason", report.exit.reason))
        return lines
    }

    private static func finding(_ item: ReportedFinding, time: String) -> JSONLine {
        var line = JudgementLines.finding(item.finding, replay: item.replay, time: time).adding("flaky", .bool(item.isFlaky))
        if let plan = item.plan { line = line.adding("steps", plan.steps.count).adding("planUsers", plan.users.count) }
        if let file = item.file { line = line.adding("plan", file) }
        if let exit = item.exit { line = line.adding("targetExit", exit).adding("targetSaid", item.stderr) }
        return line
    }

    private static func milliseconds(_ duration: Duration) -> Int64 { duration.nanoseconds / 1_000_000 }
    private static func seconds(_ duration: Duration) -> JSON {
        .number(Figures.fixed(Double(duration.nanoseconds) / 1e9, digits: 3))
    }
    private static func number(_ value: Double) -> JSON { value.isFinite ? .number(Figures.fixed(value, digits: 1)) : .null }
}
