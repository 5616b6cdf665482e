import Oracles

/// One line of the table of phases.
package struct PhaseRow: Sendable, Equatable {
    package var number: Int
    package var name: String
    package var executions: Int
    package var took: Duration
    /// Nil where the phase looks for none.
    package var newFeatures: Int?
    /// A count, or words: `2 kept, 0 flaky`; empty = none.
    package var findings: String

    package init(number: Int, name: String, executions: Int, took: Duration, newFeatures: Int?, findings: String) {
        self.number = number
        self.name = name
        self.executions = executions
        self.took = took
        self.newFeatures = newFeatures
        self.findings = findings
    }

    package init(number: Int, name: String, executions: Int, took: Duration, newFeatures: Int?, findings: Int) {
        self.init(
            number: number, name: name, executions: executions, took: took, newFeatures: newFeatures,
            findings: findings == 0 ? "" : Figures.count(findings))
    }

    /// The row of the phase that confirms: `2 kept, 0 flaky`.
    package static func kept(_ kept: Int, flaky: Int) -> String { "\(Figures.count(kept)) kept, \(Figures.count(flaky)) flaky" }
}

/// `phase  executions  time  new features  findings`
package struct PhaseTable: Sendable {
    package var rows: [PhaseRow]
    package init(_ rows: [PhaseRow]) { self.rows = rows }

    package func text(_ style: Style) -> String {
        var lines = ["  " + "phase".left(22) + "executions" + "time".right(9) + "new features".right(15) + "findings".right(11)]
        for row in rows {
            let name = "  \(row.number) \(SafeText.show(row.name))"
            let features = row.newFeatures.map(Figures.cell) ?? "–"
            let found = row.findings.isEmpty ? "–" : row.findings
            lines.append(
                name.left(24) + Figures.count(row.executions).right(10) + Clock.short(row.took).right(9)
                    + features.right(15) + "   " + found.right(8))
        }
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }
}

/// `findings  steps users seen attribution`, worst last as everything on a terminal.
package struct FindingsTable: Sendable {
    private struct Line {
        var id: String
        var sentence: String
        var steps: String
        var users: String
        var seen: String
        var attribution: String
        var flaky: Bool
    }
    private var lines: [Line]

    /// - Parameter findings: worst first, as `RunReport` has them.
    package init(_ findings: [ReportedFinding]) {
        lines = findings.reversed().map { item in
            let finding = item.finding
            return Line(
                id: finding.id, sentence: SafeText.show(finding.sentence),
                steps: item.plan.map { Figures.count($0.steps.count) } ?? "–",
                users: Figures.count(item.userCount), seen: Figures.count(finding.repeats) + "×",
                attribution: Attributed.words(finding.attribution), flaky: item.isFlaky)
        }
        // What does not fail the run stands above what does.
        lines = lines.filter(\.flaky) + lines.filter { !$0.flaky }
    }

    package func text(_ style: Style) -> String {
        guard !lines.isEmpty else { return "" }
        // A long attribution takes its room from the sentence, which goes on below itself.
        let over = max(0, (lines.map(\.attribution.count).max() ?? 0) - 17)
        let room = max(20, 47 - over)
        var shown = ["  findings".left(15 + room) + "steps".right(6) + " users" + "  seen" + "   attribution"]
        for line in lines {
            let parts = Columns.broken(line.sentence, to: room - 1)
            let glyph = style.glyph(line.flaky ? .inconclusive : .fail)
            let head = "  \(glyph) " + line.id.left(9) + "  "
            let cells = line.steps.right(6) + line.users.right(6) + line.seen.right(6) + "   " + line.attribution
            let row = style.plainly(head + (parts.first ?? "").left(room) + cells)
            shown.append(line.flaky ? row : style.paint(row, .failName))
            shown += parts.dropFirst().map { style.plainly("".left(15) + $0) }
        }
        return style.plainly(shown[0]) + "\n" + shown.dropFirst().map { $0 + "\n" }.joined()
    }
}

/// Attribution in tables and summaries: `intrinsic 5 of 5`.
enum Attributed {
    static func words(_ attribution: Attribution) -> String {
        FindingBlock.short(attribution).split(separator: ",").joined()
    }
}

extension ReportedFinding {
    /// Of the plan, which is the smallest set that shows it; without one, of the evidence.
    package var userCount: Int { plan?.users.count ?? finding.users.count }
}
