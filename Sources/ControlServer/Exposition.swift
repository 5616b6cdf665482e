import Journaling
import Oracles
package import ProxyRuntime

/// A running proxy's numbers in the text format of Prometheus (version 0.0.4). Labels are words of this program alone: never a
/// user, a path, a session or anything else that came by the wire (trust.md T17).
package struct Exposition: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    /// Seconds at which histograms are cut.
    private static let bounds: [(label: String, duration: Duration)] = [
        ("0.005", .milliseconds(5)), ("0.01", .milliseconds(10)), ("0.025", .milliseconds(25)), ("0.05", .milliseconds(50)),
        ("0.1", .milliseconds(100)), ("0.2", .milliseconds(200)), ("0.5", .milliseconds(500)), ("1", .seconds(1)),
        ("2.5", .milliseconds(2_500)), ("5", .seconds(5)), ("10", .seconds(10)), ("30", .seconds(30)),
    ]
    package private(set) var text = ""

    package init(_ gauges: Gauges, webhook: Webhook.Counts?, run: HealthRun?, program: String) {
        family("miswire_info", "gauge", "The program.", [([("version", program)], "1")])
        traffic(gauges.statistics)
        connections(gauges)
        verdicts(gauges)
        alerts(gauges.report)
        application(gauges.report.vitals)
        family("miswire_recorder_lag_seconds", "gauge", "How far the journal is behind.", [([], Self.seconds(gauges.lag))])
        family("miswire_recorder_waiting_bytes", "gauge", "What waits for the recorder.", [([], "\(gauges.waitingBytes)")])
        if let webhook {
            family(
                "miswire_webhook_messages_total", "counter", "What became of messages to the webhook.",
                [([("result", "sent")], "\(webhook.sent)"), ([("result", "failed")], "\(webhook.failed)"), ([("result", "dropped")], "\(webhook.dropped)")])
        }
        if let run {
            family("miswire_health_run_ok", "gauge", "Whether the last synthetic run through the target succeeded.", [([], run.isOK ? "1" : "0")])
            family("miswire_health_run_seconds", "gauge", "How long the last synthetic run took.", [([], Self.seconds(run.took))])
            family("miswire_health_runs_total", "counter", "Synthetic runs so far.", [([], "\(run.count)")])
        }
    }

    private mutating func traffic(_ numbers: Statistics) {
        if let up = numbers.messagesToServer, let down = numbers.messagesToClient {
            family(
                "miswire_messages_total", "counter", "Data messages taken, by where they go.",
                [([("direction", "to_server")], "\(up)"), ([("direction", "to_client")], "\(down)")])
        }
        family(
            "miswire_bytes_total", "counter", "Bytes taken, by where they go.",
            [([("direction", "to_server")], "\(numbers.bytesToServer)"), ([("direction", "to_client")], "\(numbers.bytesToClient)")])
        var kinds: [(kind: String, acted: UInt64)] = []
        for fault in numbers.faults {
            if let index = kinds.firstIndex(where: { $0.kind == fault.kind }) { kinds[index].acted += fault.acted } else { kinds.append((fault.kind, fault.acted)) }
        }
        family("miswire_faults_acted_total", "counter", "Times that faults acted, by their kind.", kinds.map { ([("kind", $0.kind)], "\($0.acted)") })
        family("miswire_limits_total", "counter", "Times that a limit of this program bit.", [([], "\(numbers.limits)")])
    }

    private mutating func connections(_ gauges: Gauges) {
        let numbers = gauges.statistics
        family(
            "miswire_connections", "gauge", "Live connections by their state.",
            gauges.report.connections.map { ([("state", $0.state.rawValue)], "\($0.count)") })
        family("miswire_sessions_total", "counter", "Sessions that began.", [([], "\(numbers.opened)")])
        family(
            "miswire_connects_total", "counter", "What became of sessions.",
            [
                ([("outcome", "connected")], "\(numbers.connected)"), ([("outcome", "refused")], "\(numbers.refused)"),
                ([("outcome", "failed")], "\(numbers.failed)"), ([("outcome", "opaque")], "\(numbers.opaque)"),
            ])
        histogram("miswire_connect_seconds", "From the client's connect to the accept handed to it.", numbers.connect)
        histogram("miswire_answer_seconds", "From a request at the server to the first message back.", numbers.answer)
        histogram("miswire_added_seconds", "Added by the proxy, faults apart; a sample.", numbers.added)
    }

    private mutating func verdicts(_ gauges: Gauges) {
        guard gauges.isJudging else { return }
        var rows: [Row] = []
        for property in gauges.report.properties where property.notApplicable == nil {
            let counts = [
                ("pass", property.passed), ("excused", property.excused), ("inconclusive", property.inconclusive), ("fail", property.failed),
            ]
            for (verdict, count) in counts { rows.append(([("property", property.id), ("verdict", verdict)], "\(count)")) }
        }
        family("miswire_verdicts_total", "counter", "Verdicts by property.", rows)
        guard gauges.report.errorKinds > 0 else { return }
        family("miswire_error_kinds", "gauge", "Error kinds that the contract knows.", [([], "\(gauges.report.errorKinds)")])
        family(
            "miswire_error_kinds_delivered", "gauge", "Error kinds that reached who had to get them.",
            [([], "\(gauges.report.errorsDelivered)")])
    }

    private mutating func alerts(_ report: MonitorReport) {
        let watched = report.statuses.filter(\.isOn)
        func labels(_ status: MonitorStatus) -> Labels { [("monitor", status.id), ("severity", status.severity.rawValue)] }
        family("miswire_alerts_firing", "gauge", "Alerts that are open, by monitor.", watched.map { (labels($0), "\($0.firing)") })
        family("miswire_alerts_total", "counter", "Alerts that ever opened, by monitor.", watched.map { (labels($0), "\($0.alerts)") })
    }

    private mutating func application(_ vitals: Vitals) {
        family("miswire_sessions_lost_total", "counter", "Sessions ended by the server or a fault without a clean Close.", [([], "\(vitals.lost)")])
        family("miswire_sessions_resumed_total", "counter", "Of these, back within a minute.", [([], "\(vitals.resumed)")])
        guard vitals.hasRuns else { return }
        family("miswire_runs_begun_total", "counter", "Runs that were asked for.", [([], "\(vitals.runsBegun)")])
        family(
            "miswire_runs_total", "counter", "Runs by how they ended.",
            [([("end", "completed")], "\(vitals.runsCompleted)"), ([("end", "failed")], "\(vitals.runsFailed)"), ([("end", "lost")], "\(vitals.runsLost)")])
    }

    // MARK: The format

    private typealias Labels = [(String, String)]
    private typealias Row = (Labels, String)

    private mutating func family(_ name: String, _ type: String, _ help: String, _ rows: [Row]) {
        guard !rows.isEmpty else { return }
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for (labels, value) in rows { line(name, labels, value) }
    }

    private mutating func line(_ name: String, _ labels: Labels, _ value: String) {
        let shown = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        text += shown.isEmpty ? "\(name) \(value)\n" : "\(name){\(shown)} \(value)\n"
    }

    private mutating func histogram(_ name: String, _ help: String, _ values: Histogram) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        for (label, bound) in Self.bounds { line("\(name)_bucket", [("le", label)], "\(values.count(upTo: bound))") }
        line("\(name)_bucket", [("le", "+Inf")], "\(values.count)")
        line("\(name)_sum", [], Self.seconds(values.sum))
        line("\(name)_count", [], "\(values.count)")
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    private static func seconds(_ duration: Duration) -> String {
        let nanoseconds = max(0, duration.nanoseconds)
        let digits = String(1_000_000_000 + nanoseconds % 1_000_000_000).dropFirst()
        return "\(nanoseconds / 1_000_000_000).\(digits)"
    }
}
