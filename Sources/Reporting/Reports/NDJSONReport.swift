import Oracles
import Plans
import Wire

/// The whole run as lines of JSON: `finding`, `property`, `tool-error`, `warning`, and `summary` last.
package struct NDJSONReport: Sendable {
    private let report: RunReport
    private let time: String

    package init(_ report: RunReport, time: String) {
        self.report = report
        self.time = time
    }

    package var lines: [JSONLine] {
        report.findings.map(finding) + JudgementLines.properties(report.judgement, time: time)
            + JudgementLines.toolErrors(report.judgement, time: time)
            + report.warnings.map { JSONLine("warning", time: time).adding("sentence", $0) } + [summary]
    }

    package var text: String { lines.map(\.text).joined() }

    private func finding(_ item: ReportedFinding) -> JSONLine {
        let finding = item.finding
        var line = JudgementLines.finding(finding, kind: "finding", replay: item.replay, time: time)
            .adding("flaky", .bool(item.isFlaky)).adding("contract", finding.contractFile)
            .adding("contract_line", finding.contractLine)
        if let file = item.file { line = line.adding("file", file) }
        if let number = item.line { line = line.adding("line", number) }
        if let plan = item.plan {
            line = line.adding("steps", plan.steps.count).adding("plan", PlanText.print(plan))
        }
        if let exit = item.exit { line = line.adding("exit", exit) }
        if !item.stderr.isEmpty { line = line.adding("stderr", item.stderr) }
        return line
    }

    private var summary: JSONLine {
        let judgement = report.judgement
        let line = JSONLine.summary(report.verb, report.exit, time: time)
            .adding("version", report.version).adding("seed", String(report.seed)).adding("target", report.target)
            .adding("contract", report.contractName).adding("contract_hash", report.contractHash)
            .adding("executions", report.executions).adding("users", report.users)
            .adding("violations", report.violations).adding("flaky", report.findings.count - report.violations)
            .adding("findings", report.findings.map(\.finding.id)).adding("tool_errors", judgement.toolErrors.count)
            .adding("errors_delivered", judgement.errorsDelivered).adding("error_kinds", judgement.errorKinds)
        let stability = report.stability.map { Figures.fixed($0, digits: 1) }
        return line.adding("stability", stability.flatMap { Double($0) == nil ? nil : JSON.number($0) } ?? .null)
            .adding("took_ms", report.took.components.seconds * 1_000 + report.took.components.attoseconds / 1_000_000_000_000_000)
            .adding("again", report.again)
    }

    /// Reads the file again: each line an object of version 1, the last a summary.
    package static func verify(_ text: String) -> Bool {
        guard text.hasSuffix("\n") else { return false }
        var last: JSON?
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            guard case .value(let value, tolerated: false) = JSON.decode(String(line)), value["v"] == .number("1"),
                case .string? = value["kind"]
            else { return false }
            last = value
        }
        return last?["kind"] == .string("summary")
    }
}
