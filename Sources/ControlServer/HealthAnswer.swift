import Journaling
import Oracles
package import ProxyRuntime
package import Wire

/// What became of the last synthetic run through the target.
package struct HealthRun: Sendable, Equatable {
    package var flow: String
    package var isOK: Bool
    package var took: Duration
    /// Why it is not well, as one phrase; empty otherwise.
    package var why: String
    /// When it ended: `2026-09-21T14:02:16.014Z`.
    package var at: String
    /// How many there were, this one included.
    package var count: Int

    package init(flow: String, isOK: Bool, took: Duration, why: String, at: String, count: Int) {
        self.flow = flow
        self.isOK = isOK
        self.took = took
        self.why = why
        self.at = at
        self.count = count
    }
}

/// `GET /health`: 200 while no critical or high alert is open and the last synthetic run succeeded, else 503; the body says
/// which. Nobody's name is in it (trust.md T17).
package struct HealthAnswer: Sendable {
    package let status: Int
    package let json: JSON

    /// - Parameter gauges: nil when the recorder does not answer.
    package init(_ gauges: Gauges?, run: HealthRun?) {
        guard let gauges else {
            status = 503
            json = .object([.init(key: "status", value: .string("no answer of the recorder"))])
            return
        }
        let firing = gauges.report.statuses.filter { $0.firing > 0 }
        let isGrave = firing.contains { $0.severity != .warning }
        let isWell = !isGrave && run?.isOK ?? true
        status = isWell ? 200 : 503
        var members: [JSON.Member] = [
            .init(key: "status", value: .string(isWell ? firing.isEmpty ? "ok" : "warning" : isGrave ? "alert" : "run failed")),
            .init(key: "monitors", value: .array(gauges.report.statuses.map(Self.words))),
            .init(
                key: "connections",
                value: .object(gauges.report.connections.map { .init(key: $0.state.rawValue, value: .number("\($0.count)")) })),
            .init(key: "recorderLagMs", value: .number("\(gauges.lag.nanoseconds / 1_000_000)")),
        ]
        if let run {
            members.append(
                .init(
                    key: "run",
                    value: .object([
                        .init(key: "flow", value: .string(run.flow)), .init(key: "ok", value: .bool(run.isOK)),
                        .init(key: "ms", value: .number("\(run.took.nanoseconds / 1_000_000)")), .init(key: "why", value: .string(run.why)),
                        .init(key: "at", value: .string(run.at)), .init(key: "count", value: .number("\(run.count)")),
                    ])))
        }
        json = .object(members)
    }

    private static func words(_ status: MonitorStatus) -> JSON {
        .object([
            .init(key: "id", value: .string(status.id)), .init(key: "severity", value: .string(status.severity.rawValue)),
            .init(key: "state", value: .string(!status.isOn ? "off" : status.firing > 0 ? "firing" : "ok")),
            .init(key: "firing", value: .number("\(status.firing)")), .init(key: "alerts", value: .number("\(status.alerts)")),
        ])
    }
}
