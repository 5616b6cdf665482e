import Journaling
import Oracles
import Peers
import Synchronization

/// Counts of a run, written by every case and read by the board.
final class Score: Sendable {
    struct Counts: Sendable {
        /// Cases begun, and those that ended.
        var begun = 0
        var executions = 0
        var messages = 0
        var sentMessages = 0
        var sessions = 0
        var reconnects = 0
        var restarts = 0
        var floods = 0
        var unbalanced = 0
        var tally = Tally()
        /// Bad requests that were to be refused, and what became of them.
        var mustReject = (sent: 0, answered: 0, missed: 0)
        /// Times from a request to the next word of the server, in nanoseconds, newest last.
        var latencies: [Int64] = []
        /// The 999th in a thousand of the times that steps of clean flows took; nil until they are measured.
        var slowest: Duration?
        /// p99.9 of answers without faults; nil before.
        var calibration: Duration?
        /// What there was at some instants of the last 10 s.
        var marks: [(at: Duration, executions: Int, messages: Int)] = []
        /// Features by the second in which they came.
        var news: [(at: Duration, count: Int)] = []
        var features = 0
        /// Plays that confirmed and shrank, and their time.
        var reruns = 0
        var rerunTime = Duration.zero
        var lastNew = Duration.zero
        var phase = Phase.calibration
        var downSince: Duration?
        var shrinking: (number: Int, of: Int, from: Int, to: Int)?
    }
    private static let mostLatencies = 4_000
    private let counts = Mutex(Counts())

    func change<Value: Sendable>(_ body: (inout Counts) -> Value) -> Value { counts.withLock { body(&$0) } }

    var executions: Int { change { $0.executions } }

    /// A case was played.
    func add(_ run: CaseRun, users: Int, at elapsed: Duration) {
        let latencies = Self.latencies(of: run.entries)
        change { counts in
            counts.executions += 1
            counts.messages += run.sent + run.received
            counts.sentMessages += run.sent
            counts.sessions += run.connections
            if run.flood != nil { counts.floods += 1 }
            counts.reconnects += max(0, run.connections - users)
            counts.tally.add(run.judgement)
            if let errors = run.judgement.properties.first(where: { $0.id == "E3" }) {
                counts.mustReject.sent += errors.checked
                counts.mustReject.answered += errors.passed
                counts.mustReject.missed += errors.failed
            }
            counts.latencies += latencies
            if counts.latencies.count > 2 * Self.mostLatencies {
                counts.latencies.removeFirst(counts.latencies.count - Self.mostLatencies)
            }
            if counts.marks.last.map({ elapsed - $0.at > .milliseconds(250) }) ?? true {
                counts.marks.append((elapsed, counts.executions, counts.messages))
                counts.marks.removeAll { elapsed - $0.at > .seconds(10) }
            }
        }
    }

    func learned(_ count: Int, features: Int, at elapsed: Duration) {
        change { counts in
            counts.features = features
            guard count > 0 else { return }
            counts.lastNew = elapsed
            counts.news.append((elapsed, count))
            counts.news.removeAll { elapsed - $0.at > .seconds(60) }
        }
    }

    /// Fills in what stands here.
    func report(into progress: inout Progress, at elapsed: Duration) {
        let counts = change { $0 }
        progress.elapsed = elapsed
        progress.phase = counts.phase
        progress.executions = counts.executions
        progress.messages = counts.messages
        progress.sessions = counts.sessions
        if let first = counts.marks.first(where: { elapsed - $0.at <= .seconds(10) }) {
            let span = max(0.25, (elapsed - first.at) / .seconds(1))
            progress.executionsPerSecond = Double(counts.executions - first.executions) / span
            progress.messagesPerSecond = Double(counts.messages - first.messages) / span
        }
        progress.targetP99 = Self.percentile(counts.latencies, 0.99)
        progress.features = counts.features
        progress.featuresPerMinute = counts.news.filter { elapsed - $0.at <= .seconds(60) }.reduce(0) { $0 + $1.count }
        progress.reconnects = counts.reconnects
        progress.restarts = counts.restarts
        progress.floods = counts.floods
        progress.downSince = counts.downSince.map { elapsed - $0 }
        progress.sinceNewFeature = elapsed - counts.lastNew
        progress.mustReject = counts.mustReject
        progress.errorsDelivered = counts.tally.judgement.errorsDelivered.count
        progress.errorKinds = counts.tally.judgement.errorKinds.count
        progress.shrinking = counts.shrinking
    }

    static func percentile(_ values: [Int64], _ share: Double) -> Duration? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return .nanoseconds(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
    }

    /// From each message to the server to the first one that comes back on its connection.
    static func latencies(of entries: [Entry]) -> [Int64] {
        var asked: [SessionID: Instant] = [:]
        var times: [Int64] = []
        for entry in entries {
            guard let session = entry.session, case .frame(let frame) = entry.body, let message = frame.message,
                !message.opcode.isControl, let instant = frame.passage.atServer
            else { continue }
            if frame.passage.direction == .toServer {
                if asked[session] == nil { asked[session] = instant }
            } else if let since = asked.removeValue(forKey: session) {
                times.append(since.duration(to: instant).nanoseconds)
            }
        }
        return times
    }
}
