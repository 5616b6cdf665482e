import Contracts
import Journaling

/// Anything that began and did not end (incidents.md I5): a run without its end, a part of one without its own. What E1 and E2
/// cannot tell for certain is left out here as well.
struct UnpairedEvents: Monitor {
    static let id = "unpaired-events"
    static let name = "unpaired events"
    static let severity = Alert.Severity.high
    static let hears: SignalKinds = .unpaired

    private var spate = Spate()
    var due: Instant? { spate.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard rules.unpairedEvents, let contract, !contract.runs.isEmpty else { return nil }
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        if case .unpaired(let card, let words) = signal { spate.add(words, of: card, at: now, &book) }
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) { spate.wake(at: now, &book) }
}
