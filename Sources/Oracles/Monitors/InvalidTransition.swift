import Contracts
import Journaling

/// A connection that does not keep to its states (incidents.md I5): connecting, upgrading, authenticating, open, closing,
/// closed. Data before the accept, data of a run before the connection is ready, data behind a Close, an end without one.
struct InvalidTransition: Monitor {
    static let id = "invalid-transition"
    static let name = "invalid transition"
    static let severity = Alert.Severity.high
    static let hears: SignalKinds = .invalid

    private var spate = Spate()
    var due: Instant? { spate.due }

    init?(_ rules: MonitorRules, _ contract: Contract?) {
        guard rules.invalidTransition else { return nil }
    }

    mutating func hear(_ signal: Signal, at now: Instant, _ book: inout AlertBook) {
        if case .invalid(let card, let words) = signal { spate.add(words, of: card, at: now, &book) }
    }

    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ book: inout AlertBook) { spate.wake(at: now, &book) }
}
