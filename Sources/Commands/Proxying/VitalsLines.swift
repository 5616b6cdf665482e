import Contracts
import Journaling
import Oracles
import ProxyRuntime
import Reporting
import Wire

/// How the application behind the proxy fared, against its targets (incidents.md I4), and what the monitors said of it.
enum VitalsLines {
    /// `99.4 % (needs 99 %) ✓`; cut, so that what misses a target is not shown as reaching it.
    static func share(_ part: Int, of whole: Int, _ target: Share?, _ style: Style) -> String {
        guard whole > 0 else { return target.map { "– (needs \(percent($0)))" } ?? "–" }
        let tenths = min(part, .max / 1_000) * 1_000 / whole
        let shown = "\(tenths / 10).\(tenths % 10) %"
        guard let target else { return shown }
        return "\(shown) (needs \(percent(target))) \(style.glyph(target.isMissed(by: part, of: whole) ? .fail : .pass))"
    }

    private static func percent(_ share: Share) -> String { share.description.replacing("%", with: " %") }

    static func lines(_ result: RunResult, _ style: Style) -> [String] {
        let vitals = result.vitals
        var lines: [String] = []
        if vitals.runsBegun > 0 {
            lines.append(
                "  runs        \(Figures.count(vitals.runsBegun)) begun   \(Figures.count(vitals.runsCompleted)) completed "
                    + share(vitals.runsCompleted, of: vitals.runsDecided, Vitals.target, style)
                    + "   \(Figures.count(vitals.runsFailed)) ended by an error   \(Figures.count(vitals.runsLost)) lost")
        }
        if vitals.sessions > 0 {
            lines.append(
                "  survived    \(Figures.count(vitals.survivedOrResumed)) of \(Figures.plural(vitals.sessions, "session")) "
                    + share(vitals.survivedOrResumed, of: vitals.sessions, Vitals.target, style)
                    + "   \(Figures.count(vitals.lost)) lost   \(Figures.count(vitals.resumed)) resumed")
        }
        let fired = result.monitors.filter { $0.alerts > 0 }
        if !fired.isEmpty {
            let each = fired.map { "\($0.name) \(Figures.count($0.alerts))" + ($0.untold > 0 ? " and \(Figures.count($0.untold)) untold" : "") }
            let firing = result.monitors.reduce(0) { $0 + $1.firing }
            lines.append(
                "  alerts      \(Figures.count(fired.reduce(0) { $0 + $1.alerts })): \(each.joined(separator: ", "))"
                    + (firing > 0 ? "   \(Figures.count(firing)) not cleared" : ""))
        }
        return lines
    }

    static func webhook(_ counts: Webhook.Counts) -> String {
        let troubles = [
            counts.failed > 0 ? "\(Figures.count(counts.failed)) failed" : nil,
            counts.dropped > 0 ? "\(Figures.count(counts.dropped)) dropped, its queue was full" : nil,
            counts.left > 0 ? "\(Figures.count(counts.left)) not sent at the end" : nil,
        ].compactMap { $0 }
        return "  webhook     \(Figures.plural(counts.sent, "message")) sent" + troubles.map { "   " + $0 }.joined()
    }

    /// The same in the summary's JSON.
    static func summary(_ result: RunResult, _ line: JSONLine) -> JSONLine {
        let vitals = result.vitals
        func number(_ value: Int) -> JSON { .number("\(value)") }
        func milliseconds(_ duration: Duration?) -> JSON { duration.map { .number(Figures.fixed(Double($0.nanoseconds) / 1e6, digits: 3)) } ?? .null }
        func percentiles(_ values: Histogram) -> JSON {
            let shares = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999)]
            return .object(
                shares.map { .init(key: $0.0, value: milliseconds(values.percentile($0.1))) }
                    + [.init(key: "max", value: milliseconds(values.count > 0 ? values.maximum : nil)), .init(key: "count", value: .number("\(values.count)"))])
        }
        return line.adding("connectMs", percentiles(vitals.connect)).adding("addedMs", percentiles(result.statistics.added))
            .adding("answerMs", percentiles(result.statistics.answer))
            .adding(
                "connections",
                .object([
                    .init(key: "connected", value: number(vitals.connected)), .init(key: "failed", value: number(vitals.unconnected)),
                ])
            )
            .adding(
                "runs",
                .object([
                    .init(key: "begun", value: number(vitals.runsBegun)), .init(key: "completed", value: number(vitals.runsCompleted)),
                    .init(key: "failed", value: number(vitals.runsFailed)), .init(key: "lost", value: number(vitals.runsLost)),
                ])
            )
            .adding(
                "survival",
                .object([
                    .init(key: "sessions", value: number(vitals.sessions)), .init(key: "lost", value: number(vitals.lost)),
                    .init(key: "resumed", value: number(vitals.resumed)),
                ])
            )
            .adding(
                "alerts",
                .object(result.monitors.filter(\.isOn).map { .init(key: $0.id, value: number($0.alerts)) })
            )
            .adding("alertsFiring", result.monitors.reduce(0) { $0 + $1.firing })
    }
}
