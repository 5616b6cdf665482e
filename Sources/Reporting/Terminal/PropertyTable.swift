package import Oracles

/// The verdict table of looks.md section 1.
package struct PropertyTable: Sendable {
    package var summaries: [PropertySummary]
    package init(_ summaries: [PropertySummary]) { self.summaries = summaries }

    /// - Parameter verbose: all rows even when some fail.
    package func text(_ style: Style, verbose: Bool = false) -> String {
        let asked = summaries.filter { $0.verdict != nil }
        let failing = asked.filter { $0.verdict == .fail }
        let shown = failing.isEmpty || verbose ? asked : failing
        var lines = [
            "  " + "property".left(41) + "checked".right(9) + "pass".right(10) + "excused".right(10) + "fail".right(10)
        ]
        lines += shown.map { row($0, style) }
        if shown.count < asked.count { lines.append(others(asked.filter { $0.verdict != .fail })) }
        lines += footnotes(style)
        return style.plainly(lines.joined(separator: "\n")) + "\n"
    }

    private func row(_ summary: PropertySummary, _ style: Style) -> String {
        let verdict = summary.verdict ?? .pass
        let figures =
            Figures.count(summary.checked).right(9) + Figures.cell(summary.passed).right(10)
            + Figures.cell(summary.excused).right(10) + Figures.cell(summary.failed).right(10)
        let name = "  " + summary.id.left(4) + summary.name.left(37)
        if verdict == .fail { return style.paint(name + figures + "   ✗ fail", .failName) }
        return name + figures + "   " + Self.mark(verdict, style)
    }

    package static func mark(_ verdict: Verdict, _ style: Style) -> String {
        switch verdict {
        case .pass: style.paint(style.glyph(.pass) + " pass", .pass)
        case .excused: style.paint(style.glyph(.excused) + " excused", .excused)
        case .inconclusive: style.glyph(.inconclusive) + " inconclusive"
        case .fail: style.paint(style.glyph(.fail) + " fail", .fail)
        }
    }

    private func others(_ rest: [PropertySummary]) -> String {
        let excused = rest.filter { $0.verdict == .excused }
        let open = rest.filter { $0.verdict == .inconclusive }
        var line = "  \(Figures.plural(rest.count, "other property", "other properties")) "
        line += rest.count == 1 ? "holds" : "hold"
        for summary in excused { line += ", \(summary.id) with \(Figures.plural(summary.excused, "excuse"))" }
        for summary in open { line += ", \(summary.id) inconclusive" }
        return line + " (--verbose lists them)"
    }

    private func footnotes(_ style: Style) -> [String] {
        var lines: [String] = []
        let idle = summaries.filter { $0.verdict == nil && $0.notApplicable == nil }
        if !idle.isEmpty { lines.append("  not exercised: " + idle.map(\.id).joined(separator: ", ")) }
        let absent = summaries.filter { $0.notApplicable != nil }
        if !absent.isEmpty {
            let words = absent.map { "\($0.id) (\($0.notApplicable ?? ""))" }
            lines.append("  not applicable: " + words.joined(separator: ", "))
        }
        for summary in summaries where summary.excused > 0 {
            let why = summary.excuses.first.map { " " + $0 } ?? ""
            lines.append("  \(Figures.count(summary.excused)) excused: \(summary.id)\(SafeText.show(why))")
        }
        for summary in summaries where summary.inconclusive > 0 {
            let why = summary.reasons.first.map { " " + $0 } ?? ""
            lines.append("  \(Figures.count(summary.inconclusive)) inconclusive: \(summary.id)\(SafeText.show(why))")
        }
        return lines
    }
}
