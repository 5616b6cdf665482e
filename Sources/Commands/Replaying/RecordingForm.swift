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
    /// The recording was read to its end line, and nothing of it is missing.
    var isComplete: Bool

    // As client

    func print(_ report: RecordingReport) -> ExitReason {
        let reason = reason(report)
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

    func reason(_ report: RecordingReport) -> ExitReason {
        if report.groups.contains(where: { !$0.judgement.toolErrors.isEmpty }) { return .selfCheckFailed }
        if report.unreachable != nil { return .targetUnreachable }
        if report.refusedEverywhere != nil { return .inconclusive }
        if report.differences > 0 || !report.findings.isEmpty { return .violations }
        if report.groups.contains(where: \.isCut) { return .inconclusive }
        if report.sessions.isEmpty { return .nothingExercised }
        return isWhole(report.sessions, left: report.left.count) ? .pass : .inconclusive
    }

    /// What was not there to be compared can never be the ground of a pass (trust.md T53).
    private func isWhole(_ sessions: [SessionComparison], left: Int) -> Bool {
        isComplete && left == 0 && !sessions.contains(where: \.isUndecided)
    }

    /// A line each for what could not be compared.
    private func gaps(_ sessions: [SessionComparison]) -> String {
        var text = isComplete ? "" : "? the recording is not whole: what it lacks was not compared\n"
        for session in sessions where session.isUndecided {
            let count = session.undecided > 0 ? ": " + Figures.plural(session.undecided, "message") + " not compared" : ""
            let why =
                session.isTorn ? "a part of it is missing in the recording" : "the recording does not hold all of its messages"
            text += "? \(session.session): \(why)\(count)\n"
        }
        return text
    }

    func text(_ report: RecordingReport, _ notes: [SessionID: [String]], _ reason: ExitReason) -> String {
        var text = ComparisonBlock(report.sessions, notes: notes).text(console.out)
        for error in report.groups.flatMap(\.judgement.toolErrors).prefix(8) {
            text += console.out.paint("‼ tool error: \(SafeText.show(error.sentence))", .excused) + "\n"
        }
        text += gaps(report.sessions)
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
            .adding("undecided", sum(\.undecided)).adding("complete", .bool(isComplete))
    }

    // As server

    func reason(_ outcome: ServingOutcome, left: [SessionID]) -> ExitReason {
        let isUntouched = outcome.sessions.allSatisfy { $0.nowLength == .zero && $0.same + $0.changed == 0 && $0.missing > 0 }
        if isUntouched { return .nothingExercised }
        if Self.differences(outcome) > 0 { return .violations }
        return isWhole(outcome.sessions, left: left.count) ? .pass : .inconclusive
    }

    private static func differences(_ outcome: ServingOutcome) -> Int {
        outcome.sessions.reduce(0) { $0 + $1.differences.count } + outcome.strangers.count
    }

    /// - Parameter left: sessions that no server can play.
    func print(_ outcome: ServingOutcome, left: [SessionID]) -> ExitReason {
        let differences = Self.differences(outcome)
        let reason = reason(outcome, left: left)
        for session in left {
            console.talk("warning: \(session) is left out: the recording holds no answer to its upgrade\n")
        }
        if json {
            let time = Console.utc()
            for line in ComparisonLines.lines(outcome.sessions, time: time) { console.emit(line) }
            for stranger in outcome.strangers {
                console.emit(JSONLine("difference", time: time).adding("what", "EXTRA").adding("name", "connection").adding("sentence", stranger))
            }
            console.emit(
                summary(outcome.sessions, role: "server", time).adding("differences", differences)
                    .adding("left", left.map { "\($0)" }).adding("exit", reason.code).adding("reason", reason.reason))
            return reason
        }
        var text = ComparisonBlock(outcome.sessions).text(console.out)
        for stranger in outcome.strangers.prefix(20) {
            text += "  " + console.out.paint("EXTRA  ", .failName) + "  connection: \(SafeText.brief(stranger, to: 120))\n"
        }
        text += gaps(outcome.sessions)
        var facts = [
            Figures.plural(outcome.sessions.count, "session"), "as server", Figures.plural(differences, "difference"),
        ]
        if !left.isEmpty { facts.append("\(left.count) left out") }
        console.answer(text + reason.ending("replay  " + facts.joined(separator: ", ")) + "\n")
        return reason
    }
}
