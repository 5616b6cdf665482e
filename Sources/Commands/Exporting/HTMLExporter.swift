import Captures
import Journaling
import Oracles
import Profiles
import Reporting

/// A recording as a page: lanes, messages, users and faults; verdicts belong to `check` and to runs.
enum HTMLExporter: Exporter {
    static let name = "html"
    static let summary = "a page with the timeline, to be opened from disk"

    static func write(
        _ source: ExportSource, options: ExportOptions, to output: any ExportOutput
    ) throws(RecordingError) -> ExportSummary {
        var people = People()
        _ = try source.read(limits: options.limits) { (entry, _) throws(RecordingError) in people.take(entry) }
        var timeline = HTMLTimeline()
        let read = try source.read(limits: options.limits) { (entry, _) throws(RecordingError) in
            timeline.take(entry, user: entry.session.flatMap { people.users[$0] })
        }
        let page = HTMLExporter.page(source, read.header, timeline, people)
        try output.write(Array(page.text().utf8))
        var summary = ExportSummary()
        summary.sessions = people.sessions.count
        summary.messages = timeline.messages
        if timeline.omitted > 0 { summary.left.append("\(Figures.count(timeline.omitted)) entries far from any fault or error") }
        summary.warnings = read.warnings
        summary.isComplete = read.isComplete
        return summary
    }

    /// The same page with what a judgement found in it.
    static func page(_ recording: String, judged report: RunReport) throws -> String {
        let source = ExportSource(recording, session: nil)
        let options = ExportOptions(frames: false)
        var people = People()
        _ = try source.read(limits: options.limits) { (entry, _) throws(RecordingError) in people.take(entry) }
        var timeline = HTMLTimeline(findings: report.findings.map(\.finding))
        let read = try source.read(limits: options.limits) { (entry, _) throws(RecordingError) in
            timeline.take(entry, user: entry.session.flatMap { people.users[$0] })
        }
        var page = HTMLExporter.page(source, read.header, timeline, people)
        page.judge(report)
        return page.text()
    }

    private static func page(
        _ source: ExportSource, _ header: RecordingHeader, _ timeline: HTMLTimeline, _ people: People
    ) -> HTMLReport {
        let sessions = people.sessions.count
        let title = "\(Figures.plural(timeline.messages, "message")) of \(Figures.plural(timeline.lanes.count, "user"))"
        var page = HTMLReport(title: title, mood: .plain, timeline: timeline, version: Miswire.number)
        let begun = "\(header.started.prefix(10)) \(header.started.dropFirst(11).prefix(5)) UTC"
        page.runLine = ["recording \(source.path)"]
        if !header.upstream.isEmpty { page.runLine.append(header.upstream) }
        if let contract = header.contract { page.runLine.append("contract \(contract.name)") }
        page.runLine += ["seed \(header.seed)", begun, Figures.duration(Instant.zero.duration(to: timeline.end))]
        page.figures = [
            .init(Figures.count(timeline.messages), timeline.messages == 1 ? "message" : "messages"),
            .init(Figures.count(sessions), sessions == 1 ? "session" : "sessions"),
            .init(Figures.count(timeline.lanes.count), timeline.lanes.count == 1 ? "user" : "users"),
            .init(Figures.count(timeline.errors), timeline.errors == 1 ? "error event" : "error events"),
            .init(Figures.count(timeline.faults), "faults acted"), .init(Figures.count(people.refused), "upgrades refused"),
        ]
        if timeline.omitted > 0 {
            page.cautions.append(
                "\(Figures.count(timeline.omitted)) entries are left out: the page keeps the first 1,000 and 500 on either side "
                    + "of each fault and error, up to 50,000, and what its findings show.")
        }
        page.faults = people.faults.values.sorted { ($0.id.count, $0.id) < ($1.id.count, $1.id) }
        page.seed = header.seed
        page.run = run(source, header)
        return page
    }

    private static func run(_ source: ExportSource, _ header: RecordingHeader) -> [(label: String, text: String)] {
        var run: [(label: String, text: String)] = [
            ("recording", source.path + (source.session.map { "/\($0)" } ?? "")), ("began", header.started),
            ("written by", "miswire \(header.program)"), ("seed", String(header.seed)),
            (
                "content",
                header.mode == .redacted
                    ? "redacted, \(Figures.plural(header.redactions, "secret")) before this segment" : header.mode.rawValue
            ),
        ]
        if let profile = header.profile { run.append(("profile", "\(profile.name) \(profile.hash)")) }
        if let contract = header.contract { run.append(("contract", "\(contract.name) \(contract.hash)")) }
        if !header.upstream.isEmpty { run.append(("upstream", header.upstream)) }
        if !header.purpose.isEmpty { run.append(("purpose", header.purpose)) }
        return run
    }
}

/// Who is behind which session, and what faults did: known only when all was read.
private struct People {
    var users: [SessionID: String] = [:]
    var sessions = Set<SessionID>()
    var refused = 0
    var faults: [String: HTMLReport.Fault] = [:]

    mutating func take(_ entry: Entry) {
        guard let id = entry.session else { return }
        sessions.insert(id)
        switch entry.body {
        case .facts(let facts): if let user = facts.user, users[id] == nil { users[id] = user }
        case .became(.refused): refused += 1
        case .fault(let fault):
            var row = faults[fault.id]
                ?? HTMLReport.Fault(
                    id: fault.id, kind: fault.kind, acted: 0, applied: 0, users: [],
                    excuses: fault.influence.excuses.map(\.words).joined(separator: ", "))
            row.acted += 1
            if fault.applied { row.applied += 1 }
            let user = users[id] ?? id.description
            if row.users.count <= 8, !row.users.contains(user) { row.users.append(user) }
            faults[fault.id] = row
        default: break
        }
    }
}
