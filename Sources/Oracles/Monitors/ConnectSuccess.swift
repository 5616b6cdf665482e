import Contracts
import Journaling

/// Too few connections come about (incidents.md I4). Who is refused for a credential, or asks for what is not there, has
/// his answer; no answer, and errors of the server, are failures. What faults of ours had a hand in does not count.
struct ConnectSuccess: Monitor {
    static let id = "connect-success"
    static let name = "connect success"
    static let severity = Alert.Severity.warning
    static let needsEveryone = true
    static let hears: SignalKinds = [.connected, .unanswered, .refused]

    private let target: Share
    private var shares: ShareWatch

    var due: Instant? { shares.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard let target = rules.connectSuccess else { return nil }
        self.target = target
        shares = ShareWatch(limit: Share(millionths: 1_000_000 - target.millionths))
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        switch signal {
        case .connected(let card, _, _): shares.add(bad: false, of: card, at: now, &book) { [target] in Self.words($0, target) }
        case .unanswered(let card, _), .refused(let card, status: 500...599):
            shares.add(bad: true, of: card, at: now, &book) { [target] in Self.words($0, target) }
        default: return
        }
    }

    private static func words(_ totals: StepCounts.Totals, _ target: Share) -> String {
        let good = totals.all - totals.bad
        return "\(Wording.share(good, of: totals.all)), \(Wording.count(good)) of \(Wording.count(totals.all)) in 5 min, needs \(target)"
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) {
        shares.wake(at: now, &book) { [target] in Self.words($0, target) }
    }
}
