import Journaling
package import Oracles
import Wire

/// A report as one page (looks.md section 6): opens from disk, asks for nothing, works without script but for the
/// timeline. Sections without content are left out, so that the same page shows a recording and a judged run.
package struct HTMLReport: Sendable {
    package enum Mood: Sendable { case pass, fail, inconclusive, tool, plain }

    /// The verdict, or what was recorded, as a sentence without its glyph.
    package var title: String
    package var mood: Mood
    /// Above the title when a pass is worth less.
    package var cautions: [String] = []
    /// `miswire fuzz ws://… · contract agent-chat · seed 42`
    package var runLine: [String] = []
    package var figures: [Figure] = []
    package var findings: [ReportedFinding] = []
    package var properties: [PropertySummary] = []
    package var timeline: HTMLTimeline
    package var faults: [Fault] = []
    /// Label and text, in order.
    package var run: [(label: String, text: String)] = []
    package var version: String
    package var seed: UInt64?

    package struct Figure: Sendable {
        package var value: String
        package var label: String
        package var isBad: Bool
        package init(_ value: String, _ label: String, isBad: Bool = false) {
            self.value = value
            self.label = label
            self.isBad = isBad
        }
    }

    /// One fault of the profile and what it did.
    package struct Fault: Sendable {
        package var id: String
        package var kind: String
        package var acted: Int
        package var applied: Int
        package var users: [String]
        package var excuses: String
        package init(id: String, kind: String, acted: Int, applied: Int, users: [String], excuses: String) {
            self.id = id
            self.kind = kind
            self.acted = acted
            self.applied = applied
            self.users = users
            self.excuses = excuses
        }
    }

    package init(title: String, mood: Mood, timeline: HTMLTimeline, version: String) {
        self.title = title
        self.mood = mood
        self.timeline = timeline
        self.version = version
    }

    /// The whole file.
    package func text() -> String {
        let style = HTMLStyle.text
        let script = HTMLScript.text
        let policy = "default-src 'none'; script-src \(HTMLText.hash(script)); style-src \(HTMLText.hash(style)); "
            + "base-uri 'none'; form-action 'none'"
        let data = HTMLText.script(JSON.object(timeline.members()).text)
        let parts = sections()
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="\(policy)">
            <meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
            <title>\(glyph.map { $0.glyph + " · " } ?? "")miswire · \(HTMLText.escape(title))</title>
            <style>\(style)</style></head><body><div class="page">
            \(header)
            <div class="columns">
            <nav class="contents" aria-label="Contents">\(contents(parts))</nav>
            <main>
            \(parts.map { "<section id=\"\($0.id)\"><h2>\($0.title)</h2>\($0.body)</section>" }.joined(separator: "\n"))
            </main></div>
            <div class="colophon">\(colophon)</div></div>
            <script type="application/json" id="data">\(data)</script>
            <script>\(script)</script>
            </body></html>

            """
    }

    /// Whether a file holds a whole page.
    static func verify(_ text: String) -> Bool {
        text.hasPrefix("<!doctype html>") && text.hasSuffix("</body></html>\n") && text.contains("id=\"data\">")
    }

    struct Section {
        var id: String
        var title: String
        /// Right in the contents; empty for none.
        var count: String
        var isBad = false
        var body: String
    }

    private func sections() -> [Section] {
        var sections: [Section] = []
        if !findings.isEmpty {
            sections.append(
                Section(id: "violations", title: "Violations", count: Figures.count(findings.count), isBad: true, body: cards))
        }
        sections.append(Section(id: "timeline", title: "Timeline", count: "", body: timelinePanel))
        if !properties.isEmpty {
            sections.append(
                Section(
                    id: "properties", title: "Properties", count: Figures.count(properties.count), body: HTMLTables.properties(properties)))
        }
        sections.append(
            Section(id: "users", title: "Users", count: Figures.count(timeline.lanes.count), body: HTMLTables.users(timeline.lanes)))
        if !faults.isEmpty {
            sections.append(
                Section(id: "faults", title: "Faults", count: Figures.count(faults.count), body: HTMLTables.faults(faults)))
        }
        if !timeline.numbers.isEmpty { sections.append(Section(id: "numbers", title: "Numbers", count: "", body: timeline.numbers.table)) }
        sections.append(Section(id: "run", title: "Run", count: "", body: HTMLTables.run(run)))
        return sections
    }

    private var glyph: (glyph: String, role: String)? {
        switch mood {
        case .pass: ("✓", "pass")
        case .fail: ("✗", "fail")
        case .inconclusive: ("?", "inconclusive")
        case .tool: ("‼", "tool")
        case .plain: nil
        }
    }

    private var header: String {
        let cautions = cautions.map { "<p class=\"caution\">\(HTMLText.escape($0))</p>" }.joined()
        let mark = glyph.map { "<span class=\"glyph \($0.role)\">\($0.glyph)</span>" } ?? ""
        let figures = figures.map {
            "<div><dt>\(HTMLText.escape($0.label))</dt><dd\($0.isBad ? " class=\"fail\"" : "")>\(HTMLText.escape($0.value))</dd></div>"
        }.joined()
        let line = runLine.map { HTMLText.escape($0) }.joined(separator: " · ")
        return """
            <header class="head">\(cautions)<div class="top"><h1>\(mark)\(HTMLText.escape(title))</h1>\
            <button id="theme" type="button" aria-label="Light or dark">◐</button></div>
            <p class="runline">\(line)</p>\(figures.isEmpty ? "" : "<dl class=\"figures\">\(figures)</dl>")</header>
            """
    }

    private func contents(_ sections: [Section]) -> String {
        sections.map { section in
            let count = section.count.isEmpty ? "" : "<span\(section.isBad ? " class=\"fail\"" : "")>\(section.count)</span>"
            return "<a href=\"#\(section.id)\">\(section.title)\(count)</a>"
        }.joined()
    }

    private var colophon: String {
        let ids = findings.map(\.finding.id).joined(separator: " ")
        let parts = [ids, seed.map { "seed \($0)" } ?? "", "miswire \(version)"].filter { !$0.isEmpty }
        return HTMLText.escape(parts.joined(separator: " · "))
    }

    private var cards: String {
        findings.enumerated().map { index, item in HTMLCard(item).text(isOpen: index == 0) }.joined(separator: "\n")
    }

    private var timelinePanel: String {
        let messages = timeline.messages, users = timeline.lanes.count
        let all = "\(Figures.plural(messages, "message")), \(Figures.plural(users, "user"))"
        let marks = timeline.lanes.reduce(0) { $0 + $1.violations }
        let keys = [
            ("j k", "next, previous message"), ("n p", "next, previous violation"), ("f", "next fault"), ("/", "filter"),
            ("w s", "zoom in, out"), ("a d", "earlier, later"), ("0", "all"), ("Enter", "open"), ("Esc", "close"),
            ("t", "theme"), ("?", "keys"),
        ].map { "<span><kbd>\($0.0)</kbd>\($0.1)</span>" }.joined()
        let span = Figures.seconds(Instant.zero.duration(to: timeline.end))
        return """
            <p class="unscripted quiet" id="needs">The timeline is drawn by script. \
            <code>miswire export RECORDING --format ndjson</code> lists the same messages.</p>
            <div class="panel">
            <div class="tools"><input id="filter" type="text" spellcheck="false" autocomplete="off" placeholder="~user alice|bob" aria-label="Filter" aria-describedby="wrong">\
            <button id="tv" type="button" aria-pressed="false"><span class="fail">✗</span> violations \(Figures.count(marks))</button>\
            <button id="tf" type="button" aria-pressed="false"><span class="fault">◆</span> faults \(Figures.count(timeline.faults))</button>\
            <button id="te" type="button" aria-pressed="false">errors \(Figures.count(timeline.errors))</button>\
            <span class="total" id="total" data-all="\(all)">\(all)</span></div>
            <p class="wrong" id="wrong" role="status"></p>
            <div class="strip"><span class="name">\(span)</span><canvas id="mini" role="img" aria-label="Messages over time"></canvas></div>
            <div class="strip"><span class="name"></span><canvas id="ruler" role="presentation"></canvas></div>
            <div class="lanes"><ul id="names"></ul><canvas id="lanes" role="img"></canvas></div>
            <button class="more" id="more" type="button" hidden></button>
            <div class="detail" id="detail" hidden></div>
            <p class="empty" id="none" hidden>0 match. <button id="clear" type="button">Clear filter</button></p>
            <div class="list" id="list" role="grid" aria-label="Messages" tabindex="0"><div class="space" id="space" role="rowgroup"></div></div>
            <div class="keys" id="keylist" hidden>\(keys)</div>
            </div>
            """
    }
}
