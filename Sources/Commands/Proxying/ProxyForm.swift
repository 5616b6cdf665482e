import Contracts
import Faults
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
    /// False while a signal keeps them stopped.
    private let faultsMayAct = Mutex(true)
    private let pinned: PinnedLine
    private let webhook = Mutex<Webhook?>(nil)

    init(console: Console, json: Bool, log: Proxy.Log, started: Date) {
        self.console = console
        self.json = json
        self.log = log
        self.started = started
        pinned = PinnedLine(console, isLive: console.out.live && !json)
    }

    func open(_ options: ProxyOptions, _ server: ProxyServer, pid: Int32, watched: [String] = [], metrics: HostPort? = nil) {
        if json {
            let line = JSONLine("start", time: Console.utc()).adding("verb", "proxy").adding("seed", options.seed)
                .adding("listen", server.address.description).adding("upstream", options.target).adding("pid", pid)
                .adding("tls", .bool(options.tls.listener != nil)).adding("upstreamTLS", server.targetSecurity ?? "")
                .adding("upstreamVerified", .bool(options.routes[0].speaksTLSToServer && !options.isUnverified))
                .adding("profile", options.commonProfile?.name ?? "").adding("contract", options.contract?.name ?? "")
                .adding("metrics", metrics.map { .string($0.description) } ?? .null)
                .adding("record", options.record.map { .string($0) } ?? .null)
                .adding("recordMode", options.record == nil ? RecordMode.none.rawValue : options.recordMode.rawValue)
                .adding("recordUsers", options.recordedUsers?.users.map(\.text) ?? [])
            console.emit(options.routes.count == 1 ? line : line.adding("listeners", zip(options.routes, server.addresses).map { Self.words($0, $1) }))
            return
        }
        var lines = ["miswire \(Miswire.number) proxy    seed \(options.seed)    pid \(pid)"]
        for (index, route) in options.routes.enumerated() {
            // As it is written in a client's proxy setting.
            let scheme = route.upstream == nil ? "http" : route.tls.listener == nil ? "ws" : "wss"
            let secured = server.targetsSecurity[index].map { "\($0), " } ?? ""
            let took = server.targetsAnswered[index].map { " (\(secured)answered in \(Figures.duration($0)))" } ?? ""
            let name = route.name.isEmpty ? "" : "\(SafeText.show(route.name))  "
            let opened = route.opensTunnels ? ", TLS inside CONNECT is opened" : ""
            lines.append("  listen    \(name)\(scheme)://\(server.addresses[index]) → \(SafeText.show(route.target))\(took)\(opened)")
        }
        lines += TLSBanner.lines(options, server.authority, at: Int64(started.timeIntervalSince1970))
        if let contract = options.contract {
            lines.append("  contract  \("\(contract.name) \(contract.hash)".left(31))  oracle H E I A, live")
        }
        if let record = options.record { lines.append("  record    \(SafeText.show(record)), \(Self.words(options))") }
        lines += watched
        let banners = banners(options.routes.map { ($0.profile, .zero) }, now: started, pid: pid)
        lines += banners.isEmpty ? ["  no faults: every byte passes unchanged"] : banners
        console.answer(lines.joined(separator: "\n") + "\n\n")
    }

    private static func words(_ route: Route, _ address: HostPort) -> String { "\(route.name) \(address) \(route.target)" }

    /// What is kept, and for how long where that is not what everyone gets.
    private static func words(_ options: ProxyOptions) -> String {
        let words = RecordMode(rawValue: options.recordMode.rawValue)?.words ?? ""
        let users = options.recordedUsers.map { ", \(UsersScope.words($0.users.map(\.text)))" } ?? ""
        return words + users + (options.retention == .standard ? "" : ", kept for \(options.retention.words)")
    }

    /// For as long as a fault can act: the pinned line each second where there is one, else the banner every 60 s; and one
    /// line when it is over.
    func remind(_ server: ProxyServer, pid: Int32) async {
        var told: [Int: FaultClock.End] = [:]
        var seconds = 0
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            seconds += 1
            var on: [ListenerFaults] = []
            if faultsMayAct.withLock({ $0 }) {
                for (place, faults) in server.faults.enumerated() where faults.profile?.faults.isEmpty == false {
                    let end = FaultClock.end(faults.profile, since: faults.age, acted: faults.acted)
                    if let end, told[place] == nil { faultsOver(end, faults, at: server.now) }
                    told[place] = end
                    if end == nil { on.append(faults) }
                }
            }
            if on.isEmpty || console.out.live {
                pinned.pin(json ? "" : FaultClock.pinned(on, pid: pid, console.out))
            } else if seconds % 60 == 0, !json {
                for banner in banners(on.map { ($0.profile, $0.age) }, now: Date(), pid: pid) { pinned.say(banner + "\n") }
            }
        }
        pinned.pin("")
    }

    /// One for each profile, however many listeners have it.
    private func banners(_ faults: [(profile: Profile?, age: Duration)], now: Date, pid: Int32) -> [String] {
        var seen: Set<String> = []
        return faults.filter { seen.insert($0.profile?.hash ?? "").inserted }.compactMap { profile, age in
            let began = now.addingTimeInterval(-Double(age.nanoseconds) / 1e9)
            return FaultBanner(profile, started: began, pid: pid)?.text(console.out)
        }
    }

    // MARK: events

    func event(_ event: RuntimeEvent) {
        hook(event)
        if json { return tellJSON(event) }
        let row = ProxyRow(event)
        if log == .none, !row.isTold { return }
        let text = row.text(console.out, clock: clock(event.instant))
        guard log == .events, !row.isLoud else { return pinned.say(text) }
        // Over 50 lines a second only a count is shown; FAIL and ALERT are never folded.
        let second = event.instant.nanoseconds / 1_000_000_000
        let answer = folding.withLock { $0.take(second: second, word: row.word, text: text) }
        if !answer.isEmpty { pinned.say(answer) }
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
        if case .alert(let change) = event.kind { return console.emit(line(change)) }
        var line = JSONLine("session.\(row.word.lowercased())", time: time)
        if let session = event.session { line = line.adding("session", session.description) }
        if let user = event.user { line = line.adding("user", user) }
        console.emit(line.adding("what", row.what).adding("detail", row.detail))
    }

    private func utc(_ instant: Instant) -> String { Console.utc(started.addingTimeInterval(Double(instant.nanoseconds) / 1e9)) }

    private func line(_ change: AlertChange) -> JSONLine {
        AlertLines.change(change, time: utc(change.instant), began: utc(change.alert.began))
    }

    // MARK: the webhook

    func tell(by webhook: Webhook) { self.webhook.withLock { $0 = webhook } }

    /// Alerts, clears and violations; of these no payload, only what stands in the line.
    private func hook(_ event: RuntimeEvent) {
        guard let webhook = webhook.withLock({ $0 }) else { return }
        switch event.kind {
        case .alert(let change): webhook.post(line(change).text, kind: change.isClear ? "clear" : "alert")
        case .violation(let finding):
            let line = JSONLine("violation", time: utc(event.instant)).adding("property", finding.property).adding("finding", finding.id)
                .adding("also", finding.also).adding("sentence", finding.sentence).adding("requirement", finding.requirement)
                .adding("users", finding.users).adding("sessions", finding.sessions.map(\.description))
                .adding("entries", .array(finding.witness.map { .number("\($0.number)") }))
            webhook.post(line.text, kind: "violation")
        default: return
        }
    }

    /// - Parameter why: nil when it works again.
    func webhookTrouble(_ why: String?) {
        let words = why.map { "webhook: \($0); it is tried again" } ?? "webhook: it takes messages again"
        console.talk("warning: \(SafeText.show(words))\n")
    }

    func draining(_ live: Int, grace: Duration) {
        pinned.pin("")
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
        pinned.pin("")
        tell(.faultsStopped(), "faults.off", at: instant)
    }

    func faultsRestored(_ server: ProxyServer) {
        faultsMayAct.withLock { $0 = true }
        var names: [String] = []
        for profile in server.faults.compactMap(\.profile) where !profile.faults.isEmpty {
            let name = "\(SafeText.show(profile.name)) \(profile.hash)"
            if !names.contains(name) { names.append(name) }
        }
        tell(ProxyRow("faults", "on again: \(names.joined(separator: ", "))"), "faults.on", at: server.now)
    }

    private func faultsOver(_ end: FaultClock.End, _ faults: ListenerFaults, at instant: Instant) {
        let listener = faults.listener.isEmpty ? "" : "\(faults.listener): "
        tell(ProxyRow("faults", listener + FaultClock.words(end, acted: faults.acted)), "faults.over", at: instant)
    }

    /// Another version of the profile holds.
    func profileChanged(_ what: String, at instant: Instant) {
        tell(ProxyRow("profile", what), "profile", at: instant)
    }

    /// What is wrong with the new version, so that the last good one stays on.
    func profileKept(_ what: String, _ why: String, at instant: Instant) {
        tell(ProxyRow("profile", what, detail: why), "profile.kept", at: instant)
    }

    private func tell(_ row: ProxyRow, _ kind: String, at instant: Instant) {
        if json { return console.emit(JSONLine(kind, time: Console.utc()).adding("what", row.what).adding("detail", row.detail)) }
        pinned.say(row.text(console.out, clock: clock(instant)))
    }

    // MARK: the end

    static func reason(_ result: RunResult) -> ExitReason {
        if !result.ledgerDifferences.isEmpty || !result.recordingComplete { return .selfCheckFailed }
        guard let judgement = result.judgement else { return .pass }
        let reason = ExitReason.of(judgement)
        // Nobody came: a proxy that was only started and stopped has not failed.
        return reason == .nothingExercised ? .pass : reason
    }

    func close(_ result: RunResult, _ options: ProxyOptions, reason: ExitReason, webhook: Webhook.Counts? = nil) {
        if json {
            var line = summaryLine(result, reason)
            if let webhook {
                line = line.adding(
                    "webhook",
                    .object([
                        .init(key: "sent", value: .number("\(webhook.sent)")), .init(key: "failed", value: .number("\(webhook.failed + webhook.left)")),
                        .init(key: "dropped", value: .number("\(webhook.dropped)")),
                    ]))
            }
            return console.emit(options.isUnverified ? line.adding("upstreamVerified", .bool(false)) : line)
        }
        let unverified = options.isUnverified ? "  NOT VERIFIED  \(TLSBanner.unverified(options)) (--insecure-upstream)\n" : ""
        console.answer("\n" + unverified + ProxySummary(result, options.contract?.monitors ?? MonitorRules(), webhook).text(console.out, reason: reason))
    }

    private func summaryLine(_ result: RunResult, _ reason: ExitReason) -> JSONLine {
        let numbers = result.statistics
        let line = JSONLine("summary", time: Console.utc()).adding("verb", "proxy").adding("exit", reason.code)
            .adding("reason", reason.reason).adding("sessions", numbers.opened)
            .adding("connected", numbers.connected).adding("refused", numbers.refused)
            .adding("failed", numbers.failed).adding("faults", numbers.faultsActed)
            .adding("findings", (result.judgement?.findings ?? []).map(\.id))
            .adding("toolErrors", result.ledgerDifferences.count).adding("drained", .bool(result.drained))
            .adding("unrecorded", result.unrecorded.map { .number("\($0)") } ?? .null)
        return VitalsLines.summary(result, line)
    }
}
