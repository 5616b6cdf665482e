import ArgumentParser
import Contracts
import Profiles
import Foundation
import Journaling
import Reporting
import Testing

@testable import Commands
@testable import Oracles
@testable import ProxyRuntime

/// How alerts and targets are shown (looks.md section 2).
@Suite struct MonitorFormTests {
    private func alert(_ name: String, _ severity: Alert.Severity, _ words: String, session: UInt32? = nil, user: String? = nil) -> Alert {
        Alert(
            monitor: name.replacing(" ", with: "-"), name: name, severity: severity, session: session.map { SessionID($0) }, user: user,
            began: Instant(nanoseconds: 31_000_000_000), words: words)
    }

    private func row(_ alert: Alert, clock: String) -> String {
        let event = RuntimeEvent(instant: .zero, session: alert.session, user: alert.user, kind: .alert(AlertChange(alert: alert)))
        return ProxyRow(event).text(Style(), clock: clock)
    }

    @Test func linesOfAlerts() {
        var rate = alert("event rate", .warning, "7/min with 4 runs active, needs 10")
        #expect(
            row(rate, clock: "14:02:31.000")
                == "14:02:31.000  –    –        ALERT    event rate: 7/min with 4 runs active, needs 10 (warning)\n")
        (rate.cleared, rate.clearing) = (Instant(nanoseconds: 41_000_000_000), "24/min")
        #expect(row(rate, clock: "14:02:41.000") == "14:02:41.000  –    –        clear    event rate: 24/min\n")
        let stuck = alert("stuck authentication", .high, "no answer to the upgrade for 30 s", session: 19, user: "mall\u{1b}[2Jory")
        #expect(
            row(stuck, clock: "14:02:31.000")
                == "14:02:31.000  s19  mall\\x1… ALERT    stuck authentication: no answer to the upgrade for 30 s (high)\n")
    }

    @Test func neitherIsFolded() {
        var stuck = alert("stuck authentication", .high, "no answer to the upgrade for 30 s")
        let opened = ProxyRow(RuntimeEvent(instant: .zero, session: nil, user: nil, kind: .alert(AlertChange(alert: stuck))))
        stuck.cleared = .zero
        let cleared = ProxyRow(RuntimeEvent(instant: .zero, session: nil, user: nil, kind: .alert(AlertChange(alert: stuck))))
        #expect((opened.isLoud, opened.isTold, cleared.isLoud, cleared.isTold) == (true, true, true, false))
    }

    @Test func linesOfJSON() {
        var stuck = alert("stuck authentication", .high, "no answer to the upgrade for 30 s", session: 19, user: "mallory")
        #expect(
            AlertLines.change(AlertChange(alert: stuck), time: "T1", began: "T0").text
                == #"{"v":1,"kind":"alert","t":"T1","monitor":"stuck-authentication","name":"stuck authentication","severity":"high","session":"s19","#
                + #""user":"mallory","what":"no answer to the upgrade for 30 s"}"# + "\n")
        (stuck.cleared, stuck.clearing) = (Instant(nanoseconds: 41_000_000_000), "open after 41 s")
        #expect(
            AlertLines.change(AlertChange(alert: stuck), time: "T1", began: "T0").text
                == #"{"v":1,"kind":"clear","t":"T1","monitor":"stuck-authentication","name":"stuck authentication","severity":"high","session":"s19","#
                + #""user":"mallory","what":"open after 41 s","alert":"no answer to the upgrade for 30 s","began":"T0"}"# + "\n")
    }

    private func result() -> RunResult {
        var numbers = Statistics()
        (numbers.opened, numbers.connected, numbers.refused, numbers.failed) = (1_204, 1_197, 4, 3)
        // What faults of ours made of it is no connect time of the server's.
        for _ in 1...1_000 { numbers.connect.record(.seconds(9)) }
        var vitals = Vitals()
        (vitals.connected, vitals.unconnected) = (1_190, 8)
        for _ in 1...940 { vitals.connect.record(.milliseconds(38)) }
        for _ in 1...50 { vitals.connect.record(.milliseconds(61)) }
        for _ in 1...10 { vitals.connect.record(.milliseconds(804)) }
        vitals.hasRuns = true
        (vitals.runsBegun, vitals.runsCompleted, vitals.runsFailed, vitals.runsLost) = (840, 829, 6, 4)
        (vitals.sessions, vitals.lost, vitals.resumed) = (1_197, 3, 2)
        let statuses = [
            MonitorStatus(id: "event-rate", name: "event rate", severity: .warning, isOn: true, firing: 1, alerts: 2),
            MonitorStatus(id: "auth-failures", name: "auth failure rate", severity: .warning, isOn: true),
        ]
        return RunResult(
            statistics: numbers, judgement: nil, alerts: [], monitors: statuses, vitals: vitals, ledgerDifferences: [], recording: nil,
            recordingComplete: true, recordingError: nil, deletedSegments: 0, unrecorded: nil, entries: 0, end: .zero,
            lasted: .seconds(641), drained: true)
    }

    @Test func summaryAgainstTargets() {
        var counts = Webhook.Counts()
        (counts.sent, counts.dropped) = (3, 1)
        let text = ProxySummary(result(), MonitorRules(), counts).text(Style(), reason: .pass)
        for line in [
            "  sessions    1,204 opened   1,197 connected 99.3 % (needs 99 %) ✓   4 refused   3 failed",
            "                      p50      p90      p95      p99    p99.9      max",
            "  runs        840 begun   829 completed 98.8 % (needs 99 %) ✗   6 ended by an error   4 lost",
            "  survived    1,196 of 1,197 sessions 99.9 % (needs 99 %) ✓   3 lost   2 resumed",
            "  alerts      2: event rate 2   1 not cleared",
            "  webhook     3 messages sent   1 dropped, its queue was full",
        ] { #expect(text.contains(line + "\n"), "\(line)\n\(text)") }
        #expect(text.contains("    p99 < 200 ✓\n"))
        let row = text.split(separator: "\n").first { $0.contains("connect, ms") }.map(String.init) ?? ""
        #expect(row.split(separator: " ").dropFirst(2).prefix(6).map(String.init).count == 6 && row.contains("  61.") && row.contains("804.0"), "\(row)")
        var strict = MonitorRules()
        (strict.connectSuccess, strict.connectTime) = (nil, .milliseconds(30))
        let other = ProxySummary(result(), strict).text(Style(), reason: .pass)
        #expect(other.contains("1,197 connected 99.3 %   4 refused"))
        #expect(other.contains("p99 < 30 ✗"))
    }

    @Test func optionsOfWebhooks() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-hook-\(UUID().uuidString)")
        try "https://chat.example/hook/secret\n".write(to: folder, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: folder) }
        let given = try MonitorArguments.parse(["--webhook", "@\(folder.path)"])
        let options = try given.webhookOptions(run: "r", allowLinkLocal: false, environment: ["MISWIRE_WEBHOOK_KEY": "k"])
        #expect(options?.address.place == "https://chat.example:443")
        #expect(options?.key == Array("k".utf8))
        let none = try MonitorArguments.parse([]).webhookOptions(run: "r", allowLinkLocal: false)
        #expect(none == nil)
        #expect(throws: Complaint.self) { try MonitorArguments.parse(["--webhook", "@/nowhere"]).webhookOptions(run: "r", allowLinkLocal: false) }
        do {
            _ = try MonitorArguments.parse(["--webhook", "http://u:secret@h/"]).webhookOptions(run: "r", allowLinkLocal: false)
            Issue.record("taken")
        } catch let complaint as Complaint {
            #expect(!"\(complaint)".contains("secret"))
        }
    }

    /// A file is nobody's to read, a command line everybody's.
    @Test(arguments: [
        (["--webhook", "https://chat.example/hook/secret"], 1), (["--webhook", "https://chat.example?key=secret"], 1),
        (["--webhook", "https://chat.example"], 0), (["--webhook", "@/nowhere"], 0), ([], 0),
    ])
    func literalsAreWarnedOf(arguments: [String], count: Int) throws {
        let warnings = try MonitorArguments.parse(arguments).warnings
        #expect(warnings.count == count && !warnings.joined().contains("secret"))
    }

    @Test func literalHealthCredentialsAreWarnedOf() throws {
        var options = ProxyOptions(listen: try HostPort("127.0.0.1:0"), upstream: try Upstream(url: "ws://127.0.0.1:1"))
        options.contract = try ContractLoader().load("agent-chat")
        let given = try HealthRunner(options, every: .seconds(60), credential: "sk-secret")
        #expect(given.warnings.count == 1 && !given.warnings.joined().contains("sk-secret"))
        #expect(try HealthRunner(options, every: .seconds(60), credential: nil).warnings.isEmpty)
    }

    @Test func metricsAreForThisMachineUnlessToldOtherwise() throws {
        #expect(try MonitorArguments.metricsPlace(":9464") == HostPort(host: "127.0.0.1", port: 9_464))
        #expect(try MonitorArguments.metricsPlace("0.0.0.0:9464").host == "0.0.0.0")
    }

    @Test func healthRunsNeedAFlow() throws {
        var options = ProxyOptions(listen: try HostPort("127.0.0.1:0"), upstream: try Upstream(url: "ws://127.0.0.1:1"))
        #expect(throws: Complaint.self) { try HealthRunner(options, every: .seconds(60), credential: nil) }
        options.contract = Contract(name: "empty")
        #expect(throws: Complaint.self) { try HealthRunner(options, every: .seconds(60), credential: nil) }
        options.contract = try ContractLoader().load("agent-chat")
        #expect(try HealthRunner(options, every: .seconds(60), credential: nil).flow == "one-run")
        options.contract?.health = "nothing-like-it"
        #expect(throws: Complaint.self) { try HealthRunner(options, every: .seconds(60), credential: nil) }
    }
}
