package import Oracles

/// The lines of `miswire fuzz` around the board: what is derived before anything is sent, what is found on the way, and
/// the end (looks.md section 3).
package enum FuzzLines {
    /// `miswire 0.1.0 fuzz    seed 42    contract agent-chat 3f9c21    8 workers, 50 users, 412 seeds`
    package static func banner(
        version: String, seed: UInt64, contract: String, hash: String, workers: Int, users: Int, seeds: Int, style: Style
    ) -> String {
        let counts = [
            Figures.plural(workers, "worker"), Figures.plural(users, "user"), Figures.plural(seeds, "seed"),
        ]
        let text = "miswire \(version) fuzz    seed \(seed)    contract \(contract) \(hash)    " + counts.joined(separator: ", ")
        return style.plainly(SafeText.show(text.trimmed))
    }

    /// `  ✓ self-check 17 of 17 properties catch a planted defect`
    package static func selfCheck(caught: Int, of: Int, style: Style) -> String {
        let passed = caught == of
        let glyph = style.paint(style.glyph(passed ? .pass : .fail), passed ? .pass : .fail)
        let noun = of == 1 ? "property catches" : "properties catch"
        return "  \(glyph) self-check \(caught) of \(of) \(noun) a planted defect"
    }

    /// `  ✓ calibration: 200 runs without faults, p99.9 91 ms, deadline 1 s stays`
    ///
    /// - Parameter raised: the deadline after calibration, when four times p99.9 is above what the contract gives.
    package static func calibration(
        runs: Int, p999: Duration?, deadline: Duration, raised: Duration? = nil, style: Style
    ) -> String {
        let glyph = style.paint(style.glyph(.pass), .pass)
        let bound = Figures.duration(deadline)
        let end = raised.map { "deadline \(bound) becomes \(Figures.duration($0))" } ?? "deadline \(bound) stays"
        let p999 = p999.map(Figures.duration) ?? "–"
        return "  \(glyph) " + style.plainly("calibration: \(Figures.plural(runs, "run")) without faults, p99.9 \(p999), \(end)")
    }

    /// `✗ 03:23  I2 alice's error is delivered to bob            found after 47,310 executions, confirming`
    package static func found(_ finding: Finding, executions: Int, at: Duration, style: Style) -> String {
        event(finding, "found after \(Figures.plural(executions, "execution")), confirming", at: at, style: style)
    }

    /// The same line when it is confirmed, attributed and shrunk: `intrinsic, 5 of 5, 6 steps, I2-7c1e44`.
    package static func settled(_ item: ReportedFinding, at: Duration, style: Style) -> String {
        let steps = item.plan.map { ", " + Figures.plural($0.steps.count, "step") } ?? ""
        let tail = FindingBlock.short(item.finding.attribution) + steps + ", " + item.finding.id
        return event(item.finding, tail, at: at, flaky: item.isFlaky, style: style)
    }

    /// `  04:40  target …`: anything else that happens once.
    package static func note(_ sentence: String, at: Duration, style: Style) -> String {
        style.plainly("  \(Clock.full(at))  \(SafeText.show(sentence))")
    }

    private static func event(
        _ finding: Finding, _ tail: String, at: Duration, flaky: Bool = false, style: Style
    ) -> String {
        let glyph = style.glyph(flaky ? .inconclusive : .fail)
        let head = "\(glyph) \(Clock.full(at))  \(finding.property) \(SafeText.show(finding.sentence))"
        // What does not fit stands below, under the property.
        let fits = max(55, head.count) + 2 + tail.count <= style.width
        let line = style.plainly(fits ? head.left(55) + "  " + tail : head + "\n         " + tail)
        return flaky ? line : style.paint(line, .fail)
    }
}

/// What stands at the end of a run: phases, findings, how to replay, where the reports are, how to run again, and the
/// last line.
package struct FuzzSummary: Sendable {
    package var report: RunReport
    package var phases: [PhaseRow]
    /// Paths of the reports that were written.
    package var reports: [String]

    package init(_ report: RunReport, phases: [PhaseRow], reports: [String]) {
        self.report = report
        self.phases = phases
        self.reports = reports
    }

    package func text(_ style: Style) -> String {
        var blocks = [PhaseTable(phases).text(style)]
        let findings = FindingsTable(report.findings).text(style)
        let pointers = pointers(style)
        if !(findings + pointers).isEmpty { blocks.append(findings + pointers) }
        blocks.append(style.plainly(last) + "\n")
        return blocks.joined(separator: "\n")
    }

    /// The replay line is that of the worst finding, which stands just above it.
    private func pointers(_ style: Style) -> String {
        let worst = report.findings.first { !$0.isFlaky } ?? report.findings.first
        var lines: [String] = []
        if let replay = worst?.replay { lines.append("  replay with: " + style.paint(shown(replay, style), .paste)) }
        if !reports.isEmpty { lines.append("  reports      " + shown(reports.joined(separator: "  "), style)) }
        if !report.again.isEmpty { lines.append("  again with   " + style.paint(shown(report.again, style), .paste)) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func shown(_ text: String, _ style: Style) -> String { style.plainly(SafeText.show(text)) }

    /// `fuzz  209,806 executions, 50 users, 2 violations, stability 97.1 %, 9:41         exit 1 (violations)`
    package var last: String {
        let words = [
            Figures.plural(report.executions, "execution"), Figures.plural(report.users, "user"),
            Figures.plural(report.violations, "violation"), "stability \(Figures.share(report.stability))",
            Clock.short(report.took),
        ]
        let line = "\(report.verb)  " + words.joined(separator: ", ")
        return line.left(max(line.count + 2, 100 - report.exit.words.count)) + report.exit.words
    }
}

extension RunReport {
    /// Findings that fail the run.
    package var violations: Int { findings.count { !$0.isFlaky } }
}
