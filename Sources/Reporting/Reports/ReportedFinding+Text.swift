import Oracles

/// What every form says about one finding, so that none of them computes anything of its own.
extension ReportedFinding {
    private static let longestBlock = 64 * 1024
    private static let longestSentence = 300

    /// `alice's error is delivered to bob`, on one line and not endless.
    package var headline: String { SafeText.brief(finding.sentence, to: Self.longestSentence) }

    /// The plain block of looks.md section 1, with how the target's process ended when that is the point; at most 64 KiB.
    package func block(stage: String) -> String {
        let style = Style()
        var text = FindingBlock(bounded, stage: SafeText.show(stage), replay: replay.map { SafeText.show($0) }).text(style)
        if let exit { text += "  " + "target".left(13) + SafeText.brief(exit, to: 300) + "\n" }
        for (index, line) in stderr.suffix(40).enumerated() {
            text += "  " + (index == 0 ? "stderr" : "").left(13) + SafeText.brief(line, to: 300) + "\n"
        }
        return Self.cut(text, to: Self.longestBlock)
    }

    /// `expected …, found …`
    var contrast: String { "expected \(Self.short(finding.expected)), found \(Self.short(finding.found))" }

    static func short(_ text: String) -> String { SafeText.brief(text, to: 500) }

    /// Texts that a peer may have made long are cut before they are laid out.
    private var bounded: Finding {
        func cut(_ text: String) -> String { text.utf8.count > 4_096 ? SafeText.cut(text, to: 1_024) : text }
        var finding = finding
        finding.sentence = cut(finding.sentence)
        finding.requirement = cut(finding.requirement)
        finding.expected = cut(finding.expected)
        finding.found = cut(finding.found)
        finding.users = finding.users.map(cut)
        finding.contractFile = cut(finding.contractFile)
        if let caret = finding.caret, caret.text.utf8.count > 4_096 { finding.caret = nil }
        return finding
    }

    /// Whole lines, and how much is missing.
    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var kept = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if kept.utf8.count + line.utf8.count >= limit { break }
            kept += line + "\n"
        }
        return kept + "…(+\(Figures.count(text.utf8.count - kept.utf8.count)) B)\n"
    }
}

extension RunReport {
    /// Of every property that there is, in the order of the table; then what the judgement has beyond them.
    struct Line {
        var id: String
        var name: String
        var requirement: String
        /// Nil = it was not asked in this run.
        var summary: PropertySummary?
    }

    var lines: [Line] {
        let known = PropertyRegistry.all.map { property in
            Line(
                id: property.id, name: property.name, requirement: property.requirement,
                summary: judgement.properties.first { $0.id == property.id })
        }
        let others = judgement.properties.filter { summary in !known.contains { $0.id == summary.id } }
        var lines = known + others.map { Line(id: $0.id, name: $0.name, requirement: $0.name, summary: $0) }
        for item in findings where !lines.contains(where: { $0.id == item.finding.property }) {
            let finding = item.finding
            lines.append(Line(id: finding.property, name: finding.requirement, requirement: finding.requirement, summary: nil))
        }
        return lines
    }

    /// Findings that a property heads.
    func findings(of id: String) -> [ReportedFinding] { findings.filter { $0.finding.property == id } }

    /// Whether a failure of the property is shown by a finding of another: then its own occasions are collateral.
    func collateral(_ id: String) -> [ReportedFinding] {
        findings.filter { $0.finding.property != id && $0.finding.also.contains(id) }
    }
}
