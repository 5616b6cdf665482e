import Journaling
import Oracles
import ProxyRuntime
import Reporting

/// The tables with which a proxy run ends (looks.md section 2).
struct ProxySummary {
    var result: RunResult
    init(_ result: RunResult) { self.result = result }

    func text(_ style: Style, reason: ExitReason) -> String {
        let numbers = result.statistics
        var lines = [sessions(numbers, style)]
        if let up = numbers.messagesToServer, let down = numbers.messagesToClient {
            var line = "  messages    \(Figures.count(up)) ▸   \(Figures.count(down)) ◂   \(Figures.bytes(numbers.bytes))"
            if !numbers.faults.isEmpty {
                let each = numbers.faults.map { "\($0.id) \(Figures.count($0.acted))" }.joined(separator: ", ")
                line += "   faults acted \(Figures.count(numbers.faultsActed)): \(each)"
            }
            lines.append(line)
        }
        lines += times(numbers)
        lines += verdicts(style)
        if let path = result.recording {
            let state = result.recordingComplete ? "complete" : "INCOMPLETE: \(SafeText.show(result.recordingError ?? ""))"
            lines.append("  record \(SafeText.show(path)), \(Figures.count(numbers.opened)) sessions, \(state)")
        }
        lines.append("")
        let facts = [
            Figures.duration(result.lasted), Figures.plural(Int(clamping: numbers.opened), "session"),
            Figures.plural(result.judgement?.findings.count ?? 0, "violation"),
            Figures.plural(result.ledgerDifferences.count, "tool error"),
        ]
        lines.append(("proxy  " + facts.joined(separator: ", ")).left(82) + "  " + reason.words)
        return lines.joined(separator: "\n") + "\n"
    }

    private func sessions(_ numbers: Statistics, _ style: Style) -> String {
        let tried = Int(clamping: numbers.connected + numbers.failed)
        let share = Figures.percent(Int(clamping: numbers.connected), of: tried)
        let mark = tried == 0 ? "" : numbers.connected * 100 >= UInt64(tried) * 99 ? " " + style.glyph(.pass) : " " + style.glyph(.fail)
        return "  sessions    \(Figures.count(numbers.opened)) opened   \(Figures.count(numbers.connected)) connected \(share)"
            + " (needs 99 %)\(mark)   \(Figures.count(numbers.refused)) refused   \(Figures.count(numbers.failed)) failed"
    }

    private func times(_ numbers: Statistics) -> [String] {
        let rows = [
            ("connect, ms", numbers.connect, "p99 < 200"), ("added, ms", numbers.added, "by the proxy, faults apart"),
            ("answer, ms", numbers.answer, "request to first event"),
        ].filter { $0.1.count > 0 }
        guard !rows.isEmpty else { return [] }
        var lines = [" ".left(20) + ["p50", "p90", "p99", "p99.9", "max"].map { $0.right(10) }.joined()]
        for (name, histogram, note) in rows {
            let shares = [0.5, 0.9, 0.99, 0.999].map { histogram.percentile($0) } + [histogram.maximum]
            let cells = shares.map { cell($0).right(10) }.joined()
            lines.append("  " + name.left(18) + cells + "    " + note)
        }
        if numbers.heldMessages > 0 {
            lines.append("  held by faults      \(Figures.plural(Int(clamping: numbers.heldMessages), "message")), \(Figures.duration(numbers.held)) in all")
        }
        return lines
    }

    private func cell(_ duration: Duration?) -> String {
        duration.map { Figures.fixed(Double($0.nanoseconds) / 1e6, digits: 2) } ?? "–"
    }

    private func verdicts(_ style: Style) -> [String] {
        guard let judgement = result.judgement else { return [] }
        var words: [String] = []
        for property in judgement.properties {
            if property.failed > 0 { words.append(style.paint("✗ \(property.id) \(property.failed)", .fail)) }
            if property.excused > 0 { words.append(style.paint("~ \(property.id) \(property.excused)", .excused)) }
            if property.inconclusive > 0 { words.append("? \(property.id) \(property.inconclusive)") }
        }
        let held = judgement.properties.filter { $0.verdict == .pass }.count
        words.append(style.paint("✓ \(Figures.plural(held, "property", "properties"))", .pass))
        var lines = ["", "  " + words.joined(separator: "    ")]
        if !judgement.errorKinds.isEmpty {
            lines[1] += "     errors delivered \(judgement.errorsDelivered.count)/\(judgement.errorKinds.count)"
        }
        for finding in judgement.findings {
            let block = FindingBlock(finding, stage: "proxy", replay: nil)
            lines.append("\n" + block.text(style))
        }
        for difference in result.ledgerDifferences.prefix(8) {
            lines.append(style.paint("  ‼ tool error: \(SafeText.show(difference.sentence))", .excused))
        }
        return lines
    }
}
