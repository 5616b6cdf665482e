import Contracts
import Journaling

/// Connecting takes too long (incidents.md I4): more than one in a hundred takes longer than the target, so that its p99 is
/// missed. Counted from the client's request to the server's accept; not what faults of ours had a hand in, nor what a time may
/// explain in which this machine had no processor to spare.
struct ConnectTime: Monitor {
    static let id = "connect-time"
    static let name = "connect time"
    static let severity = Alert.Severity.warning
    static let needsEveryone = true
    static let hears: SignalKinds = .connected

    private static let tick: Duration = .milliseconds(100)
    private let target: Duration
    private var shares = ShareWatch(limit: Share(millionths: 10_000))

    var due: Instant? { shares.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let target = rules.connectTime else { return nil }
        self.target = target
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        guard case .connected(let card, let took, let crowded) = signal else { return }
        // What is crowded between two ticks is known at the second.
        if took >= target, crowded > .zero, crowded + Self.tick >= took - target { return }
        shares.add(bad: took >= target, worst: took, of: card, at: now, &book) { [target] in Self.words($0, target) }
    }

    private static func words(_ totals: StepCounts.Totals, _ target: Duration) -> String {
        "\(Wording.count(totals.bad)) of \(Wording.count(totals.all)) take \(Wording.duration(target)) or more in 5 min, the longest "
            + "\(Wording.duration(totals.worst)), needs p99 < \(Wording.duration(target))"
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        shares.wake(at: now, &book) { [target] in Self.words($0, target) }
    }
}
