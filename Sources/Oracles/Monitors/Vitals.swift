package import Contracts
package import Journaling

/// How the served application fares (incidents.md I4), in numbers.
package struct Vitals: Sendable, Equatable {
    /// False: the contract names no runs, and nobody counts them.
    package var hasRuns = false
    package var runsBegun = 0
    package var runsCompleted = 0
    /// Ended by an error event.
    package var runsFailed = 0
    /// Gone with their connection, or without their end.
    package var runsLost = 0
    /// Sessions that were up.
    package var sessions = 0
    /// Of these, ended by the server without a clean Close, or by a fault.
    package var lost = 0
    /// Of those, back within a minute: the same user has another session.
    package var resumed = 0
    /// Connections that came about, and those of which nothing came by the server's doing; whoever is refused for what he
    /// brings or asks for has his answer, and what faults of ours had a hand in counts nowhere.
    package var connected = 0
    package var unconnected = 0
    /// From the client's request to the server's accept.
    package var connect = Histogram()

    package init() {}

    /// Runs of which it is known how they ended, by the server's or a fault's doing.
    package var runsDecided: Int { runsCompleted + runsFailed + runsLost }
    package var survivedOrResumed: Int { sessions - lost + resumed }
    /// What both must reach, as connections must (incidents.md I4).
    package static let target = Share(millionths: 990_000)
}

/// Counts them.
struct VitalsTracker: Sendable {
    static let hears: SignalKinds = [.began, .over, .connected, .unanswered, .refused, .moved, .lost]
    private static let comeback: Duration = .seconds(60)
    let hasRuns: Bool
    /// When users lost sessions and did not come back, the latest of each.
    private var gone = Fading<String, [Instant]>(capacity: 16_384)
    private static let mostGone = 16

    init(hasRuns: Bool) { self.hasRuns = hasRuns }

    mutating func hear(_ signal: Signal, at now: Instant, _ vitals: inout Vitals) {
        switch signal {
        case .began: vitals.runsBegun += 1
        case .over(_, _, .completed): vitals.runsCompleted += 1
        case .over(_, _, .failed): vitals.runsFailed += 1
        case .over(_, _, .lost): vitals.runsLost += 1
        case .connected(_, let took, _):
            vitals.connected += 1
            vitals.connect.record(took)
        case .unanswered, .refused(_, status: 500...599): vitals.unconnected += 1
        case .moved(let card, .open):
            vitals.sessions += 1
            guard let user = card.user, let lost = gone[user] else { return }
            // Each comes back once.
            let recent = lost.filter { $0.duration(to: now) <= Self.comeback }
            gone.update(user) { $0 = Array(recent.dropFirst()) }
            if !recent.isEmpty { vitals.resumed += 1 }
        case .lost(let card):
            vitals.lost += 1
            if let user = card.user { gone.set(user, ((gone[user] ?? []) + [now]).suffix(Self.mostGone)) }
        default: return
        }
    }
}
