import Journaling
import NIOCore
import NIOHTTP1
import Oracles
import ProxyRuntime
import Testing

@testable import ControlServer

@Suite struct ExpositionTests {
    private func gauges() -> Gauges {
        var numbers = Statistics()
        (numbers.opened, numbers.connected, numbers.refused, numbers.failed) = (12, 9, 2, 1)
        (numbers.messagesToServer, numbers.messagesToClient) = (40, 160)
        (numbers.bytesToServer, numbers.bytesToClient) = (4_000, 16_000)
        numbers.faults = [.init(id: "f1", kind: "delay", acted: 3), .init(id: "f2", kind: "drop", acted: 1), .init(id: "f3", kind: "delay", acted: 4)]
        for milliseconds in [3, 40, 40, 900] { numbers.connect.record(.milliseconds(milliseconds)) }
        var report = MonitorReport()
        report.statuses = [
            MonitorStatus(id: "event-rate", name: "event rate", severity: .warning, isOn: true, firing: 1, alerts: 2),
            MonitorStatus(id: "silent-failure", name: "silent failure", severity: .critical, isOn: false),
        ]
        report.connections = [(.open, 5), (.closing, 1)]
        var errors = PropertySummary(id: "E3", name: "errors reach the requester")
        (errors.checked, errors.passed, errors.failed) = (7, 6, 1)
        var leak = PropertySummary(id: "D1", name: "")
        leak.notApplicable = "delivery"
        report.properties = [errors, leak]
        (report.errorsDelivered, report.errorKinds) = (4, 5)
        report.vitals.hasRuns = true
        (report.vitals.runsBegun, report.vitals.runsCompleted, report.vitals.runsLost) = (9, 8, 1)
        var gauges = Gauges(statistics: numbers, report: report, isJudging: true, lag: .milliseconds(120))
        gauges.waitingBytes = 77
        return gauges
    }

    @Test func everyNumberStandsUnderItsName() {
        var counts = Webhook.Counts()
        counts.sent = 3
        let text = Exposition(gauges(), webhook: counts, run: nil, program: "0.1.0").text
        for line in [
            #"miswire_info{version="0.1.0"} 1"#, #"miswire_connections{state="open"} 5"#, #"miswire_connects_total{outcome="refused"} 2"#,
            #"miswire_messages_total{direction="to_client"} 160"#, #"miswire_bytes_total{direction="to_server"} 4000"#,
            #"miswire_faults_acted_total{kind="delay"} 7"#, #"miswire_faults_acted_total{kind="drop"} 1"#,
            #"miswire_verdicts_total{property="E3",verdict="fail"} 1"#, "miswire_error_kinds_delivered 4",
            #"miswire_alerts_firing{monitor="event-rate",severity="warning"} 1"#,
            #"miswire_alerts_total{monitor="event-rate",severity="warning"} 2"#, #"miswire_runs_total{end="lost"} 1"#,
            #"miswire_connect_seconds_bucket{le="0.005"} 1"#, #"miswire_connect_seconds_bucket{le="0.05"} 3"#,
            #"miswire_connect_seconds_bucket{le="1"} 4"#, #"miswire_connect_seconds_bucket{le="+Inf"} 4"#,
            "miswire_connect_seconds_sum 0.983000000", "miswire_connect_seconds_count 4", "miswire_recorder_lag_seconds 0.120000000",
            "miswire_recorder_waiting_bytes 77", #"miswire_webhook_messages_total{result="sent"} 3"#,
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(!text.contains("silent-failure"))
        #expect(!text.contains("D1"))
    }

    /// Version 0.0.4: HELP and TYPE once a family, in front of its samples; each sample is a name, labels and a number.
    @Test func theFormatHolds() throws {
        let sample = try Regex(#"^[a-z_]+(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? [0-9.]+$"#)
        var known: Set<String> = []
        var family = ""
        for line in Exposition(gauges(), webhook: nil, run: nil, program: "0.1.0").text.split(separator: "\n") {
            if line.hasPrefix("# TYPE ") {
                family = String(line.split(separator: " ")[2])
                #expect(known.insert(family).inserted)
            } else if !line.hasPrefix("# HELP ") {
                #expect(line.hasPrefix(family))
                #expect(line.firstMatch(of: sample) != nil, "\(line)")
            }
        }
        #expect(known.count > 15)
    }

    @Test func healthFollowsWhatIsGraveAndTheRun() {
        var gauges = gauges()
        #expect(HealthAnswer(gauges, run: nil).status == 200)
        let well = HealthRun(flow: "one-run", isOK: true, took: .milliseconds(12), why: "", at: "t", count: 1)
        #expect(HealthAnswer(gauges, run: well).status == 200)
        var ill = well
        (ill.isOK, ill.why) = (false, "no agent_completed within 30 s")
        let answer = HealthAnswer(gauges, run: ill)
        #expect(answer.status == 503)
        #expect(answer.json["status"] == "run failed")
        #expect(answer.json["run"]?["why"] == "no agent_completed within 30 s")
        gauges.report.statuses[1] = MonitorStatus(id: "silent-failure", name: "silent failure", severity: .critical, isOn: true, firing: 1, alerts: 1)
        #expect(HealthAnswer(gauges, run: well).status == 503)
        #expect(HealthAnswer(nil, run: well).status == 503)
    }

    static let refused: [(String, [(String, String)], HTTPMethod, Int)] = [
        ("/metrics", [("Host", "evil.example:9464")], .GET, 421), ("/metrics", [], .GET, 421),
        ("/metrics", [("Host", "localhost"), ("Host", "localhost")], .GET, 421), ("/metrics", [("Host", "localhost.")], .GET, 421),
        ("/metrics", [("Host", "localhost.evil.example")], .GET, 421), ("/metrics", [("Host", "user@localhost")], .GET, 421),
        ("/metrics", [("Host", "localhost"), ("Origin", "http://localhost")], .GET, 403),
        ("/metrics", [("Host", "localhost"), ("Sec-Fetch-Site", "cross-site")], .GET, 403),
        ("/", [("Host", "localhost")], .GET, 404), ("/metrics/x", [("Host", "localhost")], .GET, 404),
        ("/metrics", [("Host", "localhost")], .POST, 405),
    ]

    @Test(arguments: refused.indices)
    func whoMayNotReadIsRefused(index: Int) {
        let (uri, headers, method, status) = Self.refused[index]
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: uri, headers: HTTPHeaders(headers))
        #expect(MetricsHandler.refusal(of: head, name: "127.0.0.1")?.status == status)
    }

    /// Also where others reach it: of names only the one that it was given.
    @Test(arguments: [("monitor.internal", 200), ("MONITOR.internal:9464", 200), ("evil.example:9464", 421)])
    func theNameGiven(host: String, status: Int) {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/metrics", headers: HTTPHeaders([("Host", host)]))
        #expect((MetricsHandler.refusal(of: head, name: "monitor.internal")?.status ?? 200) == status)
        #expect(MetricsHandler.refusal(of: head, name: "0.0.0.0")?.status == 421)
    }

    @Test(arguments: ["localhost", "LOCALHOST:9464", "127.0.0.1:9464", "[::1]:9464", "10.0.4.17"])
    func whoMayIsNot(host: String) {
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/metrics?x=1", headers: HTTPHeaders([("Host", host)]))
        #expect(MetricsHandler.refusal(of: head, name: "127.0.0.1") == nil)
    }
}

