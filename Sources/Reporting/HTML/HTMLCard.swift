import Journaling
import Oracles
import Plans

/// One finding as a card: what happened as lanes, why it counts, and how to see it again.
struct HTMLCard {
    private let item: ReportedFinding

    init(_ item: ReportedFinding) { self.item = item }

    func text(isOpen: Bool) -> String {
        let finding = item.finding
        let chips = ([finding.property] + finding.also).map { "<span class=\"chip fail\">✗ \(HTMLText.escape($0))</span>" }.joined()
        let attribution = "<span class=\"chip\">\(HTMLText.escape(FindingBlock.short(finding.attribution)))</span>"
        let times = finding.repeats > 1 ? "<span class=\"quiet\">\(Figures.count(finding.repeats))×</span>" : ""
        return """
            <details class="card" id="\(HTMLText.escape(finding.id))"\(isOpen ? " open" : "")><summary>\(chips)\
            <h3>\(HTMLText.escape(item.headline))</h3>\(times)\(attribution)</summary>
            <div class="body"><div>\(HTMLDiagram(Sketch(finding), since: .zero).text)</div>
            <dl class="facts">\(facts)</dl></div>\(tabs)\(foot)</details>
            """
    }

    /// One behind the other, by script or without: what passed the taps, the message, the plan.
    private var tabs: String {
        let evidence = HTMLEvidence(item)
        let parts = [("Taps", evidence.taps), ("Message", evidence.message), ("Plan", evidence.plan)].filter { !$0.1.isEmpty }
        guard !parts.isEmpty else { return "" }
        let name = "tabs-" + HTMLText.escape(item.finding.id)
        let heads = parts.enumerated().map { index, part in
            "<input type=\"radio\" name=\"\(name)\" id=\"\(name)-\(index)\"\(index == 0 ? " checked" : "")>"
                + "<label for=\"\(name)-\(index)\">\(part.0)</label>"
        }.joined()
        return "\n<div class=\"tabs\" role=\"group\" aria-label=\"Evidence\">\(heads)"
            + parts.map { "<div class=\"tab\">\($0.1)</div>" }.joined() + "</div>"
    }

    private var facts: String {
        let finding = item.finding
        let faults = FaultLines(finding).lines
        let rows = [
            ("Requirement", HTMLText.escape(finding.requirement)),
            ("Expected", "<code>\(HTMLText.escape(ReportedFinding.short(finding.expected)))</code>"),
            ("Found", "<code class=\"fail\">\(HTMLText.escape(ReportedFinding.short(finding.found)))</code>"),
            ("Faults in the window", faults.isEmpty ? "none" : faults.map { "◆ " + HTMLText.escape($0) }.joined(separator: "<br>")),
            ("Why it is the server", HTMLText.escape(FindingBlock.words(finding.attribution))),
        ]
        return rows.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }.joined()
    }

    private var foot: String {
        guard let replay = item.replay else { return "" }
        return """

            <div class="foot"><code>\(HTMLText.escape(replay))</code><button type="button" data-copy>Copy</button></div>
            """
    }
}

/// The tables of a page.
enum HTMLTables {
    /// Fail first, then inconclusive, excused, pass; what was not asked last.
    static func properties(_ all: [PropertySummary]) -> String {
        let ranked = all.enumerated().sorted { left, right in
            (rank(left.element), left.offset) < (rank(right.element), right.offset)
        }
        let rows = ranked.map { _, summary in
            let (word, role) = verdict(summary)
            let numbers = [summary.checked, summary.passed, summary.excused, summary.failed]
                .map { "<td class=\"n\">\($0 == 0 ? "–" : Figures.count($0))</td>" }.joined()
            return "<tr><td class=\"id\">\(HTMLText.escape(summary.id))</td><td>\(HTMLText.escape(summary.name))</td>\(numbers)"
                + "<td><span class=\"chip \(role)\">\(word)</span></td></tr>"
        }
        return table(["", "property", ".checked", ".pass", ".excused", ".fail", ""], rows)
    }

    private static func rank(_ summary: PropertySummary) -> Int {
        switch summary.verdict {
        case .fail: 0
        case .inconclusive: 1
        case .excused: 2
        case .pass: 3
        case nil: 4
        }
    }

    private static func verdict(_ summary: PropertySummary) -> (String, String) {
        if summary.notApplicable != nil { return ("not applicable", "inconclusive") }
        switch summary.verdict {
        case .fail: return ("✗ fail", "fail")
        case .inconclusive: return ("? inconclusive", "inconclusive")
        case .excused: return ("~ excused", "excused")
        case .pass: return ("✓ pass", "pass")
        case nil: return ("not asked", "inconclusive")
        }
    }

    static func users(_ lanes: [HTMLTimeline.Lane]) -> String {
        let most = 1_000
        var rows = lanes.prefix(most).enumerated().map { index, lane in
            let letter = HTMLText.escape(String(lane.name.first ?? "?"))
            let badge = "<span class=\"badge c\(index % 6 + 1)\" aria-hidden=\"true\">\(letter)</span>"
            let numbers = [lane.sessions.count, lane.messages, lane.errors, lane.faults, lane.violations]
                .map { "<td class=\"n\">\($0 == 0 ? "–" : Figures.count($0))</td>" }.joined()
            var closes: [(how: String, count: Int)] = []
            for session in lane.sessions {
                let how = session.end == nil ? "open" : session.close.map(String.init) ?? "no close"
                if let place = closes.firstIndex(where: { $0.how == how }) { closes[place].count += 1 } else { closes.append((how, 1)) }
            }
            let words = closes.prefix(6).map { $0.count > 1 ? "\($0.how) \(Figures.count($0.count))×" : $0.how }
            let shown = words.joined(separator: ", ") + (closes.count > 6 ? ", …" : "")
            return "<tr><td>\(badge)\(HTMLText.escape(lane.name))</td>\(numbers)<td class=\"quiet\">\(HTMLText.escape(shown))</td></tr>"
        }
        if lanes.count > most { rows.append("<tr><td colspan=\"7\">\(Figures.count(lanes.count - most)) more</td></tr>") }
        return table(["user", ".connects", ".messages", ".errors", ".faults", ".violations", "ended with"], rows)
    }

    static func faults(_ faults: [HTMLReport.Fault]) -> String {
        let rows = faults.map { fault in
            let users = fault.users.prefix(8).joined(separator: ", ") + (fault.users.count > 8 ? ", …" : "")
            return "<tr><td class=\"id\">\(HTMLText.escape(fault.id))</td><td>\(HTMLText.escape(fault.kind))</td>"
                + "<td class=\"n\">\(Figures.count(fault.acted))</td><td class=\"n\">\(Figures.count(fault.applied))</td>"
                + "<td>\(HTMLText.escape(users))</td><td>\(HTMLText.escape(fault.excuses))</td></tr>"
        }
        return table(["", "kind", ".acted", ".applied", "on", "may excuse"], rows)
    }

    static func run(_ run: [(label: String, text: String)]) -> String {
        "<dl class=\"run\">" + run.map { "<dt>\(HTMLText.escape($0.label))</dt><dd>\(HTMLText.escape($0.text))</dd>" }.joined() + "</dl>"
    }

    /// - Parameter heads: with a dot before those of numbers.
    private static func table(_ heads: [String], _ rows: [String]) -> String {
        let cells = heads.map { $0.hasPrefix(".") ? "<th class=\"n\">\($0.dropFirst())</th>" : "<th>\($0)</th>" }.joined()
        return "<div class=\"scroll\"><table><thead><tr>\(cells)</tr></thead><tbody>\(rows.joined(separator: "\n"))</tbody></table></div>"
    }
}
