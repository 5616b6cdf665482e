import Journaling
import Oracles
import Peers
import Plans
import Reporting

/// How the replay of a recording reads (looks.md section 4).
struct RecordingForm {
    var console: Console
    var json: Bool
    var verbose: Bool

    // As client

    func print(_ report: RecordingReport) -> ExitReason {
        let reason = Self.reason(report)
        for left in report.left {
            console.talk("warning: \(left.session) is left out: \(SafeText.show(left.reason))\n")
        }
        let notes = notes(report)
        if json {
            printJSON(report, reason)
        } else {
            console.answer(text(report, notes, reason))
        }
        return reason
    }

    static func reason(_ report: RecordingReport) -> ExitReason {
        if report.groups.contains(where: { !$0.judgement.toolErrors.isEmpty }) { return .selfCheckFailed }
        if report.unreachable != nil { return .targetUnreachable }
        if report.refusedEverywhere != nil { return .inconclusive }
        if report.differences > 0 || !report.findings.isEmpty { return .violations }
        if report.groups.contains(where: \.isCut) { return .inconclusive }
        return report.sessions.isEmpty ? .nothingExercised : .pass
    }

    func text(_ report: RecordingReport, _ notes: [SessionID: [String]], _ reason: ExitReason) -> String {
        var text = ComparisonBlock(report.sessions, notes: notes).text(console.out)
        for error in report.groups.flatMap(\.judgement.toolErrors).prefix(8) {
            text += console.out.paint("‼ tool error: \(SafeText.show(error.sentence))", .excused) + "\n"
        }
        if report.groups.contains(where: \.isCut) { text += "? the play was cut: the server sends more than a replay keeps\n" }
        var facts = [
            Figures.plural(report.sessions.count, "session"), Figures.plural(report.findings.count, "violation"),
            Figures.plural(report.differences, "difference"),
        ]
        let faults = report.groups.reduce(0) { $0 + $1.judgement.faultsActed }
        if faults > 0 { facts.append(Figures.plural(faults, "fault")) }
        if !report.left.isEmpty { facts.append("\(report.left.count) left out") }
        return text + reason.ending("replay  " + facts.joined(separator: ", ")) + "\n"
    }

    /// Findings that no difference shows.
    private func notes(_ report: RecordingReport) -> [SessionID: [String]] {
        var notes: [SessionID: [String]] = [:]
        for group in report.groups {
            for index in group.otherFindings {
                let finding = group.judgement.findings[index]
                guard let session = finding.sessions.first ?? group.comparison.sessions.first?.session else { continue }
                let repeats = finding.repeats > 1 ? ", \(finding.repeats)×" : ""
                notes[session, default: []].append("\(finding.property) \(SafeText.brief(finding.sentence, to: 120))\(repeats)")
            }
        }
        return notes
    }

    private func printJSON(_ report: RecordingReport, _ reason: ExitReason) {
        let time = Console.utc()
        for line in ComparisonLines.lines(report.sessions, time: time) { console.emit(line) }
        for finding in report.findings { console.emit(JudgementLines.finding(finding, replay: nil, time: time)) }
        for group in report.groups {
            for line in JudgementLines.toolErrors(group.judgement, time: time) { console.emit(line) }
        }
        var line = summary(report.sessions, role: "client", time)
        line = line.adding("differences", report.differences).adding("violations", report.findings.count)
            .adding("findings", report.findings.map(\.id)).adding("left", report.left.map { "\($0.session)" })
        console.emit(line.adding("exit", reason.code).adding("reason", reason.reason))
    }

    private func summary(_ sessions: [SessionComparison], role: String, _ time: String) -> JSONLine {
        func sum(_ value: (SessionComparison) -> Int) -> Int { sessions.reduce(0) { $0 + value($1) } }
        return JSONLine("summary", time: time).adding("verb", "replay").adding("role", role)
            .adding("sessions", sessions.count).adding("messages", sum(\.messages)).adding("same", sum(\.same))
            .adding("changed", sum(\.changed)).adding("missing", sum(\.missing)).adding("extra", sum(\.extra))
    }

    // As server

    func print(_ outcome: ServingOutcome) -> ExitReason {
        let differences = outcome.sessions.reduce(0) { $0 + $1.differences.count } + outcome.strangers.count
        let isUntouched = outcome.sessions.allSatisfy { $0.nowLength == .zero && $0.same + $0.changed == 0 && $0.missing > 0 }
        let reason: ExitReason = isUntouched ? .nothingExercised : differences > 0 ? .violations : .pass
        if json {
            let time = Console.utc()
            for line in ComparisonLines.lines(outcome.sessions, time: time) { console.emit(line) }
            for stranger in outcome.strangers {
                console.emit(JSONLine("difference", time: time).adding("what", "EXTRA").adding("name", "connection").adding("sentence", stranger))
            }
            console.emit(
                summary(outcome.sessions, role: "server", time).adding("differences", differences)
                    .adding("exit", reason.code).adding("reason", reason.reason))
            return reason
        }
        var text = ComparisonBlock(outcome.sessions).text(console.out)
        for stranger in outcome.strangers.prefix(20) {
            text += "  " + console.out.paint("EXTRA  ", .failName) + "  connection: \(SafeText.brief(stranger, to: 120))\n"
        }
        let facts = [
            Figures.plural(outcome.sessions.count, "session"), "as server", Figures.plural(differences, "difference"),
        ]
        console.answer(text + reason.ending("replay  " + facts.joined(separator: ", ")) + "\n")
        return reason
    }
}
