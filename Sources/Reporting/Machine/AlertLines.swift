import Journaling
package import Oracles

/// Alerts as NDJSON: `alert` when one opens and `clear` when it is over, live; one `alert` with both times, later.
package enum AlertLines {
    /// - Parameters:
    ///   - time: UTC of the change.
    ///   - began: UTC of the alert's beginning.
    package static func change(_ change: AlertChange, time: String, began: String) -> JSONLine {
        let line = head(change.isClear ? "clear" : "alert", change.alert, time: time)
            .adding("what", change.alert.clearing ?? change.alert.words)
        return change.isClear ? line.adding("alert", change.alert.words).adding("began", began) : line
    }

    /// Of a recording, in seconds since it began.
    package static func recorded(_ alert: Alert, time: String) -> JSONLine {
        let line = head("alert", alert, time: time).adding("what", alert.words).adding("from", .number(Figures.time(alert.began, since: .zero)))
        guard let cleared = alert.cleared else { return line.adding("until", .null) }
        return line.adding("until", .number(Figures.time(cleared, since: .zero))).adding("clear", alert.clearing ?? "")
    }

    private static func head(_ kind: String, _ alert: Alert, time: String) -> JSONLine {
        var line = JSONLine(kind, time: time).adding("monitor", alert.monitor).adding("name", alert.name)
            .adding("severity", alert.severity.rawValue)
        if let session = alert.session { line = line.adding("session", session.description) }
        if let user = alert.user { line = line.adding("user", user) }
        return line
    }

    /// `event rate: 7/min with 4 runs active, needs 10 (warning)`, and `event rate: 24/min` when it is over.
    package static func words(_ change: AlertChange) -> String {
        let alert = change.alert
        return SafeText.show(alert.clearing.map { "\(alert.name): \($0)" } ?? "\(alert.name): \(alert.words) (\(alert.severity.rawValue))")
    }
}
