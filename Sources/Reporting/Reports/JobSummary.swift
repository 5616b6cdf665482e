import Oracles

/// Markdown to append to `$GITHUB_STEP_SUMMARY` (looks.md section 5): what matters stands open, the rest unfolds. Nothing
/// from a payload is markup, link, image or mention.
package struct JobSummary: Sendable {
    /// Bytes; the host refuses a step's summary above 1 MiB, and pages above this are slow.
    package static let most = 200_000
    private static let mostRows = 200

    private let report: RunReport
    package init(_ report: RunReport) { self.report = report }

    package var text: String {
        var out = heading + "\n"
        for warning in report.warnings.prefix(20) { out += "\nwarning: \(Markdown.inline(warning))\n" }
        if !report.judgement.toolErrors.isEmpty {
            let first = report.judgement.toolErrors.first?.sentence ?? ""
            out += "\n**Tool error**: \(Markdown.inline(first)) This is a defect of miswire.\n"
        }
        // What makes the figures worth less stands above them, in a paragraph of its own.
        if !report.warnings.isEmpty || !report.judgement.toolErrors.isEmpty { out += "\n" }
        out += figures + "\n" + table + replay
        let end = properties
        var left = 0
        for item in report.findings {
            let section = details(item)
            if left > 0 || out.utf8.count + section.utf8.count + end.utf8.count + 200 > Self.most {
                left += 1
            } else {
                out += section
            }
        }
        if left > 0 { out += "\(Figures.plural(left, "finding")) left out here: this page ends at 200 kB. The plans have them all.\n\n" }
        return out + end
    }

    private var heading: String {
        let count = report.violations
        let found = count == 0 ? "no violation" : Figures.plural(count, "violation")
        return "### miswire \(report.verb): \(found) in \(Figures.plural(report.executions, "execution"))"
    }

    private var figures: String {
        let judgement = report.judgement
        let kinds = judgement.errorKinds.count
        let delivered = kinds == 0 ? "–" : "\(judgement.errorsDelivered.count) of \(kinds)"
        let foreign = judgement.properties.first { $0.id == "I1" && $0.verdict != nil }.map { Figures.count($0.failed) } ?? "–"
        return "Errors delivered **\(delivered)**. Foreign messages \(foreign). Stability \(Figures.share(report.stability)). "
            + "Tool errors \(Figures.count(judgement.toolErrors.count)). Seed \(report.seed). Exit \(report.exit.code).\n"
    }

    private var table: String {
        guard !report.findings.isEmpty else { return "" }
        var out = "| finding | what | property | users | attribution |\n| --- | --- | --- | --- | --- |\n"
        for item in report.findings.prefix(Self.mostRows) {
            let finding = item.finding
            let also = finding.also.isEmpty ? "" : ", also " + finding.also.joined(separator: " ")
            let cells = [
                Markdown.code(finding.id), Markdown.inline(item.headline), Markdown.inline(finding.property + also),
                String(item.userCount), Markdown.inline(Attributed.words(finding.attribution)),
            ]
            out += "| " + cells.joined(separator: " | ") + " |\n"
        }
        let left = report.findings.count - Self.mostRows
        if left > 0 { out += "\n\(Figures.plural(left, "finding")) left out of this table.\n" }
        return out + "\n"
    }

    private var replay: String {
        let worst = report.findings.first { !$0.isFlaky } ?? report.findings.first
        guard let command = worst?.replay else { return "" }
        return Markdown.fenced(SafeText.brief(command, to: 4_000))
    }

    private func details(_ item: ReportedFinding) -> String {
        fold("\(SafeText.show(item.finding.id)): lanes, taps, message", item.block(stage: report.verb))
    }

    private var properties: String {
        let all = report.judgement.properties
        guard !all.isEmpty else { return "" }
        let counts: [(Int, String)] = [
            (all.count { $0.verdict == .fail }, "fail"), (all.count { $0.verdict == .excused }, "excused"),
            (all.count { $0.verdict == .inconclusive }, "inconclusive"), (all.count { $0.verdict == .pass }, "pass"),
            (all.count { $0.verdict == nil && $0.notApplicable == nil }, "not exercised"),
            (all.count { $0.verdict == nil && $0.notApplicable != nil }, "not applicable"),
        ]
        let words = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        let table = PropertyTable(all.map(bounded)).text(Style(), verbose: true)
        return fold("\(Figures.plural(all.count, "property", "properties")): \(words)", table)
    }

    private func bounded(_ summary: PropertySummary) -> PropertySummary {
        var summary = summary
        summary.excuses = summary.excuses.prefix(1).map(ReportedFinding.short)
        summary.reasons = summary.reasons.prefix(1).map(ReportedFinding.short)
        summary.notApplicable = summary.notApplicable.map(ReportedFinding.short)
        return summary
    }

    private func fold(_ summary: String, _ block: String) -> String {
        "<details><summary>\(XMLText.content(summary))</summary>\n\n\(Markdown.fenced(block))</details>\n\n"
    }
}

/// Foreign text in GitHub's Markdown.
enum Markdown {
    /// As it is when no reader can take it for markup, else as code.
    static func inline(_ text: String) -> String {
        let shown = SafeText.brief(text, to: 300)
        return isPlain(shown) ? shown : code(shown)
    }

    /// A code span also inside a table, where a bar or a backslash before one would end the cell.
    static func code(_ text: String) -> String {
        let shown = SafeText.brief(text, to: 300).replacing("|", with: "¦")
        guard !shown.isEmpty else { return "" }
        let fence = String(repeating: "`", count: longestRun(shown) + 1)
        let pad = shown.hasPrefix("`") || shown.hasSuffix("`") ? " " : ""
        return fence + pad + shown + pad + fence
    }

    /// A block of code that its own text cannot end.
    static func fenced(_ text: String) -> String {
        let fence = String(repeating: "`", count: max(3, longestRun(text) + 1))
        return "\(fence)\n\(text.hasSuffix("\n") ? text : text + "\n")\(fence)\n"
    }

    private static func isPlain(_ text: String) -> Bool {
        let lower = text.lowercased()
        guard !text.contains("  "), !lower.contains("www."), text.first != "-", text.first != "+", text.first != "=" else { return false }
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            // `:word` may be a protocol or an emoji.
            if previous == ":", scalar != " " { return false }
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "'", ",", ".", ";", ":", "%", "/", "(", ")", "?", "+", "=", "-": break
            default: if scalar.isASCII { return false }
            }
            previous = scalar
        }
        return true
    }

    private static func longestRun(_ text: String) -> Int {
        var longest = 0
        var run = 0
        for character in text.utf8 {
            run = character == UInt8(ascii: "`") ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}
