package import Oracles

/// How a running proxy stands, for metrics and health.
package struct Gauges: Sendable {
    package var statistics: Statistics
    package var report: MonitorReport
    /// Properties are judged, and not only connections watched.
    package var isJudging: Bool
    /// How far the journal is behind.
    package var lag: Duration
    /// Bytes that wait for the recorder (trust.md L11).
    package var waitingBytes = 0

    package init(statistics: Statistics, report: MonitorReport, isJudging: Bool, lag: Duration) {
        self.statistics = statistics
        self.report = report
        self.isJudging = isJudging
        self.lag = lag
    }
}
