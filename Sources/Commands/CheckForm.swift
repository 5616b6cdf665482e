import Journaling
import Oracles
import Reporting

/// How `check` reads: findings as in the demo, the table with `--verbose`, one summary line.
struct CheckForm {
    var console: Console
    var recording: String
    var verbose: Bool

    func print(_ read: OfflineJudge.Result, took: Duration, reason: ExitReason, json: Bool) {
        if json { return printJSON(read.judgement, users: read.users, reason: reason) }
        console.answer(text(read, took: took, reason: reason))
    }

    func text(_ read: OfflineJudge.Result, took: Duration, reason: ExitReason) -> String {
        let judgement = read.judgement
        var text = ""
        for finding in judgement.findings {
            text += FindingBlock(finding, stage: recording, replay: nil).text(console.out)
        }
        if verbose || reason == .inconclusive {
            text += PropertyTable(judgement.properties).text(console.out, verbose: true)
        }
        for error in judgement.toolErrors.prefix(8) {
            text += console.out.paint("‼ tool error: \(SafeText.show(error.sentence))", .excused) + "\n"
        }
        text += alerts(judgement)
        if let limited = UsersScope.line(read.users) { text += limited + "\n" }
        return text + summary(judgement, took, reason) + "\n"
    }

    /// What the live monitors said, or would have said: seconds since the recording began, and how long it lasted.
    private func alerts(_ judgement: Judgement) -> String {
        var text = ""
        for alert in judgement.alerts.prefix(Self.mostAlerts) {
            let open = AlertLines.words(AlertChange(alert: { var open = alert; open.clearing = nil; return open }()))
            let whose = [alert.session?.description, alert.user.map(SafeText.show)].compactMap { $0 }.joined(separator: " ")
            let until = alert.cleared.map { ", until \(Figures.time($0, since: .zero)): \(SafeText.show(alert.clearing ?? ""))" } ?? ""
            let head = "  \(Figures.time(alert.began, since: .zero).right(9))  \((whose.isEmpty ? "–" : whose).left(14)) "
            text += console.out.plainly(head + console.out.paint("ALERT", .fail) + "    " + open + until) + "\n"
        }
        let more = judgement.monitors.reduce(0) { $0 + $1.alerts + $1.untold } - min(judgement.alerts.count, Self.mostAlerts)
        if more > 0 { text += "  \(Figures.plural(more, "more alert")) (--json lists \(Figures.count(judgement.alerts.count)))\n" }
        return text
    }
    private static let mostAlerts = 50

    private func summary(_ judgement: Judgement, _ took: Duration, _ reason: ExitReason) -> String {
        let all = judgement.properties
        let words =
            all.filter { $0.failed > 0 }.map { "\($0.id) \($0.failed)" }
            + all.filter { $0.excused > 0 }.map { "\($0.id) \($0.excused) excused" }
            + all.filter { $0.inconclusive > 0 }.map { "\($0.id) \($0.inconclusive) inconclusive" }
        let passed = judgement.properties.filter { $0.verdict == .pass }.count
        let shown = words.isEmpty ? Figures.plural(passed, "property", "properties") + " hold" : words.joined(separator: ", ")
        let facts =
            "check  \(Figures.plural(judgement.sessions, "session")), "
            + "\(Self.entries(judgement.entries)), \(Figures.seconds(took))"
        return reason.ending(facts.left(46) + "  " + shown)
    }

    /// `1 entry`, `48,210 entries`, `3.2 M entries`.
    static func entries(_ count: UInt64) -> String {
        count < 1_000_000
            ? Figures.plural(Int(clamping: count), "entry", "entries") : Figures.fixed(Double(count) / 1e6, digits: 1) + " M entries"
    }

    private func printJSON(_ judgement: Judgement, users: [String], reason: ExitReason) {
        let time = Console.utc()
        for line in JudgementLines.properties(judgement, time: time) { console.emit(line) }
        for finding in judgement.findings {
            console.emit(JudgementLines.finding(finding, replay: nil, time: time))
        }
        for line in JudgementLines.toolErrors(judgement, time: time) { console.emit(line) }
        for alert in judgement.alerts { console.emit(AlertLines.recorded(alert, time: time)) }
        let line = JSONLine("summary", time: time).adding("verb", "check").adding("sessions", judgement.sessions)
            .adding("runs", judgement.runs).adding("entries", judgement.entries)
            .adding("violations", judgement.findings.count).adding("toolErrors", judgement.toolErrors.count)
            .adding("findings", judgement.findings.map(\.id)).adding("alerts", judgement.alerts.count).adding("users", users).adding("exit", reason.code).adding("reason", reason.reason)
        console.emit(line)
    }
}

/// Talk for anything over two seconds: a redrawn line on a terminal, one line every 10 s elsewhere (looks.md section 0).
struct Ticker {
    var console: Console
    var verb: String
    private let clock = ContinuousClock()
    private let begun = ContinuousClock.now
    private var last = ContinuousClock.now
    private var drawn = false

    init(console: Console, verb: String) {
        self.console = console
        self.verb = verb
    }

    mutating func tell(_ text: @autoclosure () -> String) {
        let now = clock.now
        let gap: Duration = console.err.live ? .milliseconds(100) : .seconds(10)
        guard begun.duration(to: now) > .seconds(2), last.duration(to: now) >= gap else { return }
        last = now
        drawn = console.err.live
        console.talk(console.err.live ? "\r\u{1b}[K" + text() : text() + "\n")
    }

    mutating func end() {
        if drawn { console.talk("\r\u{1b}[K") }
        drawn = false
    }
}
