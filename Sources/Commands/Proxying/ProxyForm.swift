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
    /// When faults stop by themselves; nil = never. False once a signal stopped them.
    private let faultsMayAct = Mutex(true)

    init(console: Console, json: Bool, log: Proxy.Log, started: Date) {
        self.console = console
        self.json = json
        self.log = log
        self.started = started
    }

    func open(_ options: ProxyOptions, _ server: ProxyServer, pid: Int32) {
        let address = server.address
        if json {
            let line = JSONLine("start", time: Console.utc()).adding("verb", "proxy").adding("seed", options.seed)
                .adding("listen", address.description).adding("upstream", options.upstream.url).adding("pid", pid).adding("tls", .bool(options.tls.listener != nil))
                .adding("upstreamTLS", server.targetSecurity ?? "").adding("upstreamVerified", .bool(options.upstream.isSecure && !options.isUnverified))
                .adding("profile", options.profile?.name ?? "").adding("contract", options.contract?.name ?? "")
                .adding("record", options.record.map { .string($0) } ?? .null)
                .adding("recordMode", options.record == nil ? RecordMode.none.rawValue : options.recordMode.rawValue)
                .adding("recordUsers", options.recordedUsers?.users.map(\.text) ?? [])
            console.emit(line)
            return
        }
        var lines = ["miswire \(Miswire.number) proxy    seed \(options.seed)    pid \(pid)"]
        let scheme = options.tls.listener == nil ? "ws" : "wss"
        let secured = server.targetSecurity.map { "\($0), " } ?? ""
        let took = server.targetAnswered.map { " (\(secured)answered in \(Figures.duration($0)))" } ?? ""
        lines.append("  listen    \(scheme)://\(address) → \(SafeText.show(options.upstream.url))\(took)")
        lines += TLSBanner.lines(options, server.authority, at: Int64(started.timeIntervalSince1970))
        if let contract = options.contract {
            lines.append("  contract  \("\(contract.name) \(contract.hash)".left(31))  oracle H E I A, live")
        }
        if let record = options.record { lines.append("  record    \(SafeText.show(record)), \(Self.words(options))") }
        lines.append(FaultBanner(options, started: started, pid: pid)?.text(console.out) ?? "  no faults: every byte passes unchanged")
        console.answer(lines.joined(separator: "\n") + "\n\n")
    }

    /// What is kept, and for how long where that is not what everyone gets.
    private static func words(_ options: ProxyOptions) -> String {
        let words = RecordMode(rawValue: options.recordMode.rawValue)?.words ?? ""
        let users = options.recordedUsers.map { ", \(UsersScope.words($0.users.map(\.text)))" } ?? ""
        return words + users + (options.retention == .standard ? "" : ", kept for \(options.retention.words)")
    }

    /// The banner again every 60 s for as long as a fault can act.
    func remind(_ options: ProxyOptions, pid: Int32) async {
        guard !json, let banner = FaultBanner(options, started: started, pid: pid) else { return }
        while (try? await Task.sleep(for: .seconds(60))) != nil {
            guard faultsMayAct.withLock({ $0 }), banner.isOn(Date()) else { return }
            console.answer(banner.text(console.out) + "\n")
        }
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
        let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .second, .nanosecond], from: date)
        func two(_ value: Int?) -> String { (value ?? 0) < 10 ? "0\(value ?? 0)" : "\(value ?? 0)" }
        let milliseconds = String(1_000 + (parts.nanosecond ?? 0) / 1_000_000).dropFirst()
        let time = "\(two(parts.hour)):\(two(parts.minute)):\(two(parts.second)).\(milliseconds)"
        // Plain lines may be read days later: they carry the date.
        return console.out.live ? time : "\(parts.year ?? 0)-\(two(parts.month))-\(two(parts.day)) \(time)"
    }

    private func tellJSON(_ event: RuntimeEvent) {
        let row = ProxyRow(event)
        let time = Console.utc(started.addingTimeInterval(Double(event.instant.nanoseconds) / 1e9))
        if case .violation(let finding) = event.kind {
            console.emit(JudgementLines.finding(finding, replay: nil, time: time))
            return
        }
        var line = JSONLine("session.\(row.word.lowercased())", time: time)
        if let session = event.session { line = line.adding("session", session.description) }
        if let user = event.user { line = line.adding("user", user) }
        console.emit(line.adding("what", row.what).adding("detail", row.detail))
    }

    func draining(_ live: Int, grace: Duration) {
        guard !json else { return }
        let text = "draining \(Figures.plural(live, "session")) for up to \(Figures.duration(grace)); ^C again cuts them"
        console.talk(console.err.live ? "  \(text) … " : text + "\n")
    }

    func drained(in time: Duration, whole: Bool) {
        guard !json else { return }
        console.talk("\(whole ? "drained" : "cut") in \(Figures.duration(time))\n")
    }

    func faultsStopped(at instant: Instant) {
        faultsMayAct.withLock { $0 = false }
        if json { return console.emit(JSONLine("faults.off", time: Console.utc())) }
        console.answer(ProxyRow.faultsStopped().text(console.out, clock: clock(instant)))
    }

    // MARK: the end

    static func reason(_ result: RunResult) -> ExitReason {
        if !result.ledgerDifferences.isEmpty || !result.recordingComplete { return .selfCheckFailed }
        guard let judgement = result.judgement else { return .pass }
        let reason = ExitReason.of(judgement)
        // Nobody came: a proxy that was only started and stopped has not failed.
        return reason == .nothingExercised ? .pass : reason
    }

    func close(_ result: RunResult, _ options: ProxyOptions, reason: ExitReason) {
        if json {
            let line = summaryLine(result, reason)
            return console.emit(options.isUnverified ? line.adding("upstreamVerified", .bool(false)) : line)
        }
        let unverified = options.isUnverified ? "  NOT VERIFIED  the target's certificate (--insecure-upstream)\n" : ""
        console.answer("\n" + unverified + ProxySummary(result).text(console.out, reason: reason))
    }

    private func summaryLine(_ result: RunResult, _ reason: ExitReason) -> JSONLine {
        JSONLine("summary", time: Console.utc()).adding("verb", "proxy").adding("exit", reason.code)
            .adding("reason", reason.reason).adding("sessions", result.statistics.opened)
            .adding("connected", result.statistics.connected).adding("refused", result.statistics.refused)
            .adding("failed", result.statistics.failed).adding("faults", result.statistics.faultsActed)
            .adding("findings", (result.judgement?.findings ?? []).map(\.id))
            .adding("toolErrors", result.ledgerDifferences.count).adding("drained", .bool(result.drained))
            .adding("unrecorded", result.unrecorded.map { .number("\($0)") } ?? .null)
    }
}
