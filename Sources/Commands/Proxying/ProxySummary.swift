import Contracts
import Foundation
import Journaling
import Oracles
import ProxyRuntime
import Reporting

/// The tables with which a proxy run ends (looks.md section 2).
struct ProxySummary {
    var result: RunResult
    /// The targets.
    var rules: MonitorRules
    var webhook: Webhook.Counts?

    init(_ result: RunResult, _ rules: MonitorRules = MonitorRules(), _ webhook: Webhook.Counts? = nil) {
        self.result = result
        self.rules = rules
        self.webhook = webhook
    }

    func text(_ style: Style, reason: ExitReason) -> String {
        let numbers = result.statistics
        var lines = evidence(style) + [sessions(numbers, style)]
        if let up = numbers.messagesToServer, let down = numbers.messagesToClient {
            var line = "  messages    \(Figures.count(up)) ▸   \(Figures.count(down)) ◂   \(Figures.bytes(numbers.bytes))"
            if !numbers.faults.isEmpty {
                let each = numbers.faults.map { "\($0.id) \(Figures.count($0.acted))" }.joined(separator: ", ")
                line += "   faults acted \(Figures.count(numbers.faultsActed)): \(each)"
            }
            lines.append(line)
        }
        lines += times(numbers, style)
        lines += VitalsLines.lines(result, style)
        lines += verdicts(style)
        if let webhook { lines.append(VitalsLines.webhook(webhook)) }
        if let path = result.recording {
            let state = result.recordingComplete ? "complete" : "INCOMPLETE: \(SafeText.show(result.recordingError ?? ""))"
            let gone = result.deletedSegments
            let deleted = gone == 0 ? "" : ", \(Figures.plural(gone, "oldest segment")) deleted"
            let left = result.unrecorded ?? 0
            let recorded = numbers.opened - min(numbers.opened, UInt64(clamping: left))
            let others = left == 0 ? "" : ", \(Figures.count(left)) outside the scope not recorded"
            lines.append(
                "  record \(SafeText.show(path)) \(Figures.bytes(Self.size(path))), \(Figures.plural(Int(clamping: recorded), "session"))\(others), \(state)\(deleted)")
        }
        lines.append("")
        let facts = [
            Figures.duration(result.lasted), Figures.plural(Int(clamping: numbers.opened), "session"),
            Figures.plural(result.judgement?.findings.count ?? 0, "violation"),
            Figures.plural(result.ledgerDifferences.count, "tool error"),
        ]
        lines.append(reason.ending("proxy  " + facts.joined(separator: ", ")))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Bytes of the recording's segments.
    private static func size(_ directory: String) -> UInt64 {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.reduce(0) { sum, name in
            let attributes = try? FileManager.default.attributesOfItem(atPath: directory + "/" + name)
            return sum + ((attributes?[.size] as? UInt64) ?? 0)
        }
    }

    private func sessions(_ numbers: Statistics, _ style: Style) -> String {
        // As the monitor counts them: an error of the server is a failure, and what faults of ours had a hand in is none.
        let (good, bad) = (result.vitals.connected, result.vitals.unconnected)
        return "  sessions    \(Figures.count(numbers.opened)) opened   \(Figures.count(numbers.connected)) connected "
            + VitalsLines.share(good, of: good + bad, rules.connectSuccess, style)
            + "   \(Figures.count(numbers.refused)) refused   \(Figures.count(numbers.failed)) failed"
    }

    private func times(_ numbers: Statistics, _ style: Style) -> [String] {
        let fast = rules.connectTime.map { target in
            let mark = result.vitals.connect.percentile(0.99).map { " " + style.glyph($0 < target ? .pass : .fail) } ?? ""
            return "p99 < \(target >= .milliseconds(1) ? "\(target.nanoseconds / 1_000_000)" : Figures.duration(target))\(mark)"
        }
        let rows = [
            ("connect, ms", result.vitals.connect, 1, fast ?? ""),
            ("added, ms", numbers.added, 2, "by the proxy, faults apart"),
            ("answer, ms", numbers.answer, 1, "request to first event"),
        ].filter { $0.1.count > 0 }
        guard !rows.isEmpty else { return [] }
        var lines = ["".left(16) + ["p50", "p90", "p95", "p99", "p99.9", "max"].map { $0.right(9) }.joined()]
        for (name, histogram, digits, note) in rows {
            let shares = [0.5, 0.9, 0.95, 0.99, 0.999].map { histogram.percentile($0) } + [histogram.maximum]
            let cells = shares.map { cell($0, digits).right(9) }.joined()
            lines.append("  " + name.left(14) + cells + (note.isEmpty ? "" : "    " + note))
        }
        if numbers.heldMessages > 0 {
            lines.append("  held by faults      \(Figures.plural(Int(clamping: numbers.heldMessages), "message")), \(Figures.duration(numbers.held)) in all")
        }
        return lines
    }

    private func cell(_ duration: Duration?, _ digits: Int) -> String {
        guard let duration else { return "–" }
        let shown = Figures.fixed(Double(duration.nanoseconds) / 1e6, digits: digits)
        let least = digits == 1 ? "0.1" : "0.01"
        return duration.nanoseconds > 0 && !shown.contains { $0 != "0" && $0 != "." } ? "<" + least : shown
    }

    /// Findings and tool errors stand above the numbers, so that the verdict line stays at the bottom.
    private func evidence(_ style: Style) -> [String] {
        let findings = (result.judgement?.findings ?? []).map { finding in
            String(FindingBlock(finding, stage: "proxy", replay: nil).text(style).dropLast())
        }
        let errors = result.ledgerDifferences.prefix(8).map { difference in
            style.paint("\(style.glyph(.tool)) tool error: \(SafeText.show(difference.sentence))", .excused) + "\n"
        }
        return findings + errors
    }

    private func verdicts(_ style: Style) -> [String] {
        guard let judgement = result.judgement else { return [] }
        var (worst, words): ([String], [String]) = ([], [])
        for property in judgement.properties {
            if property.failed > 0 { worst.append(style.paint("✗ \(property.id) \(property.failed)", .fail)) }
            if property.excused > 0 { words.append(style.paint("~ \(property.id) \(property.excused)", .excused)) }
            if property.inconclusive > 0 { words.append("? \(property.id) \(property.inconclusive)") }
        }
        let held = judgement.properties.filter { $0.verdict == .pass }.count
        words.append(style.paint("✓ \(Figures.plural(held, "property", "properties"))", .pass))
        var lines = ["", "  " + (worst + words).joined(separator: "    ")]
        if !judgement.errorKinds.isEmpty {
            lines[1] += "     errors delivered \(judgement.errorsDelivered.count)/\(judgement.errorKinds.count)"
        }
        return lines
    }
}
