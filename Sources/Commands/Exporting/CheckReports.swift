import Contracts
import Foundation
import Journaling
import Oracles
import Reporting

/// The report files of `miswire check`. The page shows the whole recording, the other forms what was found in it.
struct CheckReports {
    let recording: String
    let orders: [ReportKind.Order]
    let contract: Contract?

    /// - Returns: what could not be written or read again.
    func write(_ read: OfflineJudge.Result, took: Duration, reason: ExitReason) throws -> [String] {
        guard !orders.isEmpty else { return [] }
        var report = report(read, took, reason)
        let page = orders.contains { $0.kind.name == "html" } ? try HTMLExporter.page(recording, judged: report) : ""
        let files = orders.map { order in
            order.kind.name != "html" ? order
                : ReportKind.Order(kind: ReportKind(name: "html", write: { _, _ in page }, verify: order.kind.verify), file: order.file)
        }
        let before = report.warnings.count
        _ = FuzzReports(orders: files).write(&report)
        return Array(report.warnings.dropFirst(before))
    }

    private func report(_ read: OfflineJudge.Result, _ took: Duration, _ reason: ExitReason) -> RunReport {
        let findings = read.judgement.findings.map { ReportedFinding(finding: $0, plan: nil, file: nil, line: nil, replay: nil) }
        var report = RunReport(
            verb: "check", version: Miswire.number, seed: 0, contractName: contract?.name ?? "none", contractHash: contract?.hash ?? "",
            contractFile: contract?.file ?? "", target: recording, judgement: read.judgement, findings: findings,
            executions: read.judgement.runs, users: 0, stability: nil, took: took, exit: reason, again: "miswire check \(recording)")
        report.warnings = read.warnings
        return report
    }
}
