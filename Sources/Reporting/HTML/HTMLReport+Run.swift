import Journaling
import Oracles

extension HTMLReport {
    /// The page of a judged run: verdict first, then what supports it.
    /// - Parameter timeline: of the run's recording; nil when nothing was recorded, then the evidence of its findings.
    package init(_ report: RunReport, timeline: HTMLTimeline? = nil, began: String = "") {
        var lanes = timeline ?? HTMLTimeline(findings: report.findings.map(\.finding))
        if timeline == nil {
            var seen = Set<EntryRef>()
            let evidence = report.findings.flatMap { item in item.finding.witness.map { ($0, item.finding) } }
            for (entry, finding) in evidence.sorted(by: { $0.0.instant < $1.0.instant }) {
                guard let ref = entry.ref, seen.insert(ref).inserted else { continue }
                let place = finding.sessions.firstIndex(of: ref.session)
                lanes.take(entry, user: place.flatMap { $0 < finding.users.count ? finding.users[$0] : nil })
            }
        }
        let failing = report.findings.filter { !$0.isFlaky }
        self.init(title: Self.verdict(report, failing), mood: Self.mood(report, failing), timeline: lanes, version: report.version)
        cautions = report.warnings
        runLine = [
            "miswire \(report.verb) \(report.target)", "contract \(report.contractName)", "seed \(report.seed)", began,
            Figures.duration(report.took), report.exit.words,
        ].filter { !$0.isEmpty }
        figures = Self.figures(report)
        findings = report.findings
        properties = report.judgement.properties
        faults = Self.faults(report.findings)
        seed = report.seed
        run = [
            ("command", report.again), ("seed", String(report.seed)),
            ("contract", "\(report.contractName) \(report.contractHash)"), ("target", report.target),
            ("miswire", report.version), ("took", Figures.duration(report.took)), ("exit", report.exit.words),
        ]
    }

    /// A recording's page becomes that of its judgement: the verdict is its title, what was found stands first.
    package mutating func judge(_ report: RunReport) {
        let failing = report.findings.filter { !$0.isFlaky }
        let messages = Figures.plural(timeline.messages, "message")
        title = failing.isEmpty && report.exit == .pass ? "No violation in \(messages)" : Self.verdict(report, failing)
        mood = Self.mood(report, failing)
        if report.exit == .nothingExercised { cautions.append("Nothing was exercised: this recording is no ground for a pass.") }
        if report.contractName == "none" { cautions.append("Judged without a contract: nothing but the protocol itself.") }
        cautions += report.warnings
        findings = report.findings
        properties = report.judgement.properties
        runLine.append(report.exit.words)
        let kinds = report.judgement.errorKinds
        let delivered = report.judgement.errorsDelivered
        let missed = report.judgement.properties.contains { $0.id == "E3" && $0.failed > 0 }
        if !kinds.isEmpty {
            figures.insert(
                Figure("\(delivered.count) of \(kinds.count)", "error kinds delivered", isBad: missed), at: 3)
        }
        let foreign = report.judgement.properties.first { $0.id == "I1" }
        if let foreign, foreign.notApplicable == nil {
            figures.append(Figure(Figures.count(foreign.failed), "foreign messages (I1)", isBad: foreign.failed > 0))
        }
        figures = Array(figures.prefix(6))
        if !report.judgement.toolErrors.isEmpty {
            cautions.append("\(Figures.plural(report.judgement.toolErrors.count, "tool error")): the two ledgers differ where no fault explains it.")
        }
        run.append(("judged with", "miswire \(report.version), contract \(report.contractName) \(report.contractHash)"))
        run.append(("command", report.again))
        run.append(("exit", report.exit.words))
    }

    private static func verdict(_ report: RunReport, _ failing: [ReportedFinding]) -> String {
        guard let worst = failing.first else {
            let runs = Figures.plural(report.executions, "execution")
            switch report.exit {
            case .pass: return "No violation in \(runs)"
            case .violations: return "Violations in \(runs)"
            default: return "\(report.exit.reason.prefix(1).uppercased())\(report.exit.reason.dropFirst()) after \(runs)"
            }
        }
        return "\(Figures.plural(failing.count, "violation")): \(SafeText.brief(worst.finding.sentence, to: 120))"
    }

    private static func mood(_ report: RunReport, _ failing: [ReportedFinding]) -> Mood {
        if report.exit == .selfCheckFailed { return .tool }
        if !failing.isEmpty || report.exit == .violations { return .fail }
        return report.exit == .pass ? .pass : .inconclusive
    }

    private static func figures(_ report: RunReport) -> [Figure] {
        let judgement = report.judgement
        let foreign = judgement.properties.first { $0.id == "I1" }?.failed
        let delivered = "\(judgement.errorsDelivered.count) of \(judgement.errorKinds.count)"
        return [
            .init(Figures.count(report.executions), "executions"), .init(Figures.count(report.users), "users at most"),
            .init(
                judgement.errorKinds.isEmpty ? "–" : delivered, "error kinds delivered",
                isBad: judgement.errorsDelivered.count < judgement.errorKinds.count),
            .init(foreign.map { Figures.count($0) } ?? "–", "foreign messages (I1)", isBad: (foreign ?? 0) > 0),
            .init(report.stability.map { Figures.fixed($0, digits: 1) + " %" } ?? "–", "stability"),
            .init(Figures.count(judgement.toolErrors.count), "tool errors", isBad: !judgement.toolErrors.isEmpty),
        ]
    }

    /// Faults that stand in the evidence.
    private static func faults(_ findings: [ReportedFinding]) -> [Fault] {
        var rows: [Fault] = []
        for item in findings {
            for fault in item.finding.faults {
                let index = rows.firstIndex { $0.id == fault.id && $0.kind == fault.kind } ?? rows.count
                if index == rows.count {
                    let excuses = fault.influence.excuses.map(\.words).joined(separator: ", ")
                    rows.append(Fault(id: fault.id, kind: fault.kind, acted: 0, applied: 0, users: [], excuses: excuses))
                }
                rows[index].acted += 1
                if fault.applied { rows[index].applied += 1 }
                for user in item.finding.users where !rows[index].users.contains(user) { rows[index].users.append(user) }
            }
        }
        return rows
    }
}
