import Foundation
import Journaling
import Oracles
import ProxyRuntime
import Reporting
import Synchronization

/// What a running proxy says (looks.md section 2): one line a session event, never one a message.
final class ProxyForm: Sendable {
    private let console: Console
    private let json: Bool
    private let log: Proxy.Log
    private let started: Date
    private let folding = Mutex(Folding())

    init(console: Console, json: Bool, log: Proxy.Log, started: Date) {
        self.console = console
        self.json = json
        self.log = log
        self.started = started
    }

    func open(_ options: ProxyOptions, address: HostPort, pid: Int32) {
        if json {
            let line = JSONLine("start", time: Console.utc()).adding("verb", "proxy").adding("seed", options.seed)
                .adding("listen", address.description).adding("upstream", options.upstream.url).adding("pid", pid)
            console.answer(line.text)
            return
        }
        var lines = ["miswire \(Miswire.number) proxy    seed \(options.seed)    pid \(pid)"]
        lines.append("  listen    ws://\(address) → \(SafeText.show(options.upstream.url))")
        if let contract = options.contract {
            lines.append("  contract  \("\(contract.name) \(contract.hash)".left(30)) oracle H E I A, live")
        }
        if let record = options.record { lines.append("  record    \(SafeText.show(record)), secrets redacted") }
        lines.append(banner(options, pid: pid))
        console.answer(console.out.plainly(lines.joined(separator: "\n")) + "\n\n")
    }

    private func banner(_ options: ProxyOptions, pid: Int32) -> String {
        guard let profile = options.profile, !profile.faults.isEmpty else {
            return "  no faults: every byte passes unchanged"
        }
        let share = Figures.fixed(profile.scope.share * 100, digits: 0) + " %"
        let until = profile.scope.expires.map { "for \(Figures.duration($0))" } ?? "until stopped"
        let head = "◆ FAULTS ON  \(profile.name) \(profile.hash): \(Figures.plural(profile.faults.count, "fault"))"
        let text = "  \(head) on \(share) of connections, \(until).\n             Stop all: kill -USR1 \(pid)"
        return console.out.paint(text, .fault)
    }

    // MARK: events

    func event(_ event: RuntimeEvent) {
        if json { return tellJSON(event) }
        let row = ProxyRow(event)
        if log == .none, !row.isLoud { return }
        let text = row.text(console.out, clock: clock(event.instant))
        guard log == .events, !row.isLoud else { return console.answer(text) }
        // Over 50 lines a second only a count is shown; FAIL and ALERT are never folded.
        let second = event.instant.nanoseconds / 1_000_000_000
        let answer = folding.withLock { $0.take(second: second, word: row.word, text: text) }
        if !answer.isEmpty { console.answer(answer) }
    }

    private func clock(_ instant: Instant) -> String {
        let date = started.addingTimeInterval(Double(instant.nanoseconds) / 1e9)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = calendar.dateComponents([.hour, .minute, .second, .nanosecond], from: date)
        func two(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
        let milliseconds = String(1_000 + (parts.nanosecond ?? 0) / 1_000_000).dropFirst()
        return "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)).\(milliseconds)"
    }

    private func tellJSON(_ event: RuntimeEvent) {
        let row = ProxyRow(event)
        let time = Console.utc(started.addingTimeInterval(Double(event.instant.nanoseconds) / 1e9))
        if case .violation(let finding) = event.kind {
            console.answer(JudgementLines.finding(finding, replay: nil, time: time).text)
            return
        }
        var line = JSONLine("session.\(row.word.lowercased())", time: time)
        if let session = event.session { line = line.adding("session", session.description) }
        if let user = event.user { line = line.adding("user", user) }
        console.answer(line.adding("what", row.what).adding("detail", row.detail).text)
    }

    func draining(grace: Int) {
        guard !json else { return }
        console.talk("draining for up to \(grace) s; ^C again cuts what is left\n")
    }

    func faultsStopped() {
        if json { return console.answer(JSONLine("faults.off", time: Console.utc()).text) }
        console.answer("\(clock(Instant(nanoseconds: Int64(Date().timeIntervalSince(started) * 1e9)))).  –    –        faults   off: stopped by signal\n")
    }

    // MARK: the end

    static func reason(_ result: RunResult) -> ExitReason {
        if !result.ledgerDifferences.isEmpty || !result.recordingComplete { return .selfCheckFailed }
        guard let judgement = result.judgement else { return .pass }
        let reason = ExitReason.of(judgement)
        // Nobody came: a proxy that was only started and stopped has not failed.
        return reason == .nothingExercised ? .pass : reason
    }

    func close(_ result: RunResult, reason: ExitReason) {
        if json { return console.answer(summaryLine(result, reason).text) }
        console.answer("\n" + console.out.plainly(ProxySummary(result).text(console.out, reason: reason)))
    }

    private func summaryLine(_ result: RunResult, _ reason: ExitReason) -> JSONLine {
        JSONLine("summary", time: Console.utc()).adding("verb", "proxy").adding("exit", reason.code)
            .adding("reason", reason.reason).adding("sessions", result.statistics.opened)
            .adding("connected", result.statistics.connected).adding("refused", result.statistics.refused)
            .adding("failed", result.statistics.failed).adding("faults", result.statistics.faultsActed)
            .adding("findings", (result.judgement?.findings ?? []).map(\.id))
            .adding("toolErrors", result.ledgerDifferences.count).adding("drained", .bool(result.drained))
    }
}

/// Counts lines of one second and folds what is too much.
private struct Folding {
    private var second: Int64 = -1
    private var shown = 0
    private var folded: [(word: String, count: Int)] = []

    mutating func take(second now: Int64, word: String, text: String) -> String {
        var answer = ""
        if now != second {
            if !folded.isEmpty {
                let words = folded.map { "\(Figures.count($0.count)) \($0.word)" }.joined(separator: ", ")
                answer = "              … \(words) in 1 s (--log all shows each)\n"
            }
            second = now
            shown = 0
            folded = []
        }
        shown += 1
        if shown <= 50 { return answer + text }
        if let index = folded.firstIndex(where: { $0.word == word }) {
            folded[index].count += 1
        } else {
            folded.append((word, 1))
        }
        return answer
    }
}
