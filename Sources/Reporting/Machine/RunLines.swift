import Journaling
import Oracles
import Plans
package import Wire

/// A whole run as lines of JSON: the one place where `--json` and `--report ndjson=` get their words from.
package struct RunLines: Sendable {
    package let time: String
    package init(time: String) { self.time = time }

    /// The line that `JudgementLines` gives every verb, and what a run knows beyond it: the plan, its file, how the target ended.
    package func violation(_ item: ReportedFinding) -> JSONLine {
        let finding = item.finding
        var line = JudgementLines.finding(finding, replay: item.replay, time: time).adding("flaky", .bool(item.isFlaky))
            .adding("contract", finding.contractFile).adding("contractLine", finding.contractLine)
        if let file = item.file { line = line.adding("file", file) }
        if let number = item.line { line = line.adding("line", number) }
        if let plan = item.plan {
            line = line.adding("steps", plan.steps.count).adding("planUsers", plan.users.count)
                .adding("plan", PlanText.print(plan))
        }
        if let exit = item.exit { line = line.adding("targetExit", exit) }
        if !item.stderr.isEmpty { line = line.adding("targetSaid", item.stderr) }
        return line
    }

    /// What stands behind all violations, the summary last.
    /// - Parameter reports: files written.
    package func closing(_ report: RunReport, reports: [String]? = nil) -> [JSONLine] {
        JudgementLines.properties(report.judgement, time: time) + JudgementLines.toolErrors(report.judgement, time: time)
            + report.warnings.map { JSONLine("warning", time: time).adding("sentence", $0) } + [summary(report, reports)]
    }

    private func summary(_ report: RunReport, _ reports: [String]?) -> JSONLine {
        let judgement = report.judgement
        var line = JSONLine("summary", time: time).adding("verb", report.verb).adding("version", report.version)
            .adding("seed", report.seed).adding("target", report.target).adding("contract", report.contractName)
            .adding("hash", report.contractHash).adding("users", report.users)
            .adding("violations", report.violations).adding("flaky", report.findings.count - report.violations)
            .adding("findings", report.findings.map(\.finding.id)).adding("toolErrors", judgement.toolErrors.count)
            .adding("errorsDelivered", judgement.errorsDelivered).adding("errorKinds", judgement.errorKinds)
            .adding("ms", report.took.nanoseconds / 1_000_000)
        if let figures = report.figures {
            line = RunLines.adding(figures, to: line)
        } else {
            line = line.adding("executions", report.executions).adding("stability", Self.number(report.stability))
        }
        if let reports { line = line.adding("reports", reports) }
        return line.adding("again", report.again).adding("exit", report.exit.code).adding("reason", report.exit.reason)
    }

    /// Where a run stands.
    package func progress(_ figures: BoardFigures) -> JSONLine {
        var line = JSONLine("progress", time: time).adding("phase", figures.phase)
        line = Self.adding(figures, to: line)
            .adding("executionsPerSecond", Self.number(figures.executionsPerSecond))
            .adding("messagesPerSecond", Self.number(figures.messagesPerSecond))
            .adding("findings", figures.findings.count)
        if let left = figures.left { line = line.adding("left", Self.seconds(left)) }
        if let down = figures.downSince { line = line.adding("down", Self.seconds(down)) }
        return line
    }

    /// The counts that a progress line has while the run goes on, and the summary at its end.
    private static func adding(_ figures: BoardFigures, to line: JSONLine) -> JSONLine {
        line.adding("elapsed", seconds(figures.elapsed)).adding("executions", figures.executions)
            .adding("messages", figures.messages).adding("sessions", figures.sessions)
            .adding("features", figures.features).adding("edges", figures.edges).adding("corpus", figures.corpus)
            .adding("stability", number(figures.stability)).adding("reconnects", figures.reconnects)
            .adding("restarts", figures.restarts).adding("floods", figures.floods)
    }

    package static func seconds(_ duration: Duration) -> JSON {
        .number(Figures.fixed(Double(duration.nanoseconds) / 1e9, digits: 3))
    }
    private static func number(_ value: Double?) -> JSON {
        guard let value, value.isFinite, value.magnitude < 1e15 else { return .null }
        return .number(Figures.fixed(value, digits: 1))
    }
}
