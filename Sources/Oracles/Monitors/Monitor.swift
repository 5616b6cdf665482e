import Contracts
import Journaling

/// One rule that is watched while traffic flows (incidents.md I5). It is told what happens and when its own time has come,
/// and opens and clears alerts; it reads no clock, and the same journal gives the same alerts live and later.
protocol Monitor: Sendable {
    /// Its key in the contract's `monitors`: `event-rate`.
    static var id: String { get }
    /// `event rate`
    static var name: String { get }
    static var severity: Alert.Severity { get }
    /// It can only say something when the journal holds every connection of the server.
    static var needsEveryone: Bool { get }
    /// What it is told of, and nothing else: most of what happens concerns few monitors.
    static var hears: SignalKinds { get }
    /// Nil: the contract turns it off, or says nothing that could be watched. Without a contract its defaults hold, if they
    /// can be watched then.
    init?(_ rules: MonitorRules, _ contract: Contract?)
    /// Of what it hears, that which would change nothing as things stand: it is not told of it until this changes.
    var spared: SignalKinds { get }
    mutating func hear(_ signal: Signal, at now: Instant, _ alerts: inout AlertBook)
    /// When it wants to be woken; nil = not before it hears something.
    var due: Instant? { get }
    /// Its time has come: `due` was before what comes next.
    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ alerts: inout AlertBook)
}

extension Monitor {
    static var needsEveryone: Bool { false }
    var spared: SignalKinds { [] }
    var due: Instant? { nil }
    mutating func wake(at now: Instant, _ scene: ConnectionWatch, _ alerts: inout AlertBook) {}
}

/// Every monitor, in the order in which they are shown. A new one costs its file and its line here.
enum MonitorRegistry {
    static let all: [any Monitor.Type] = [
        SilentFailure.self,
        StuckAuthentication.self,
        EventFlowBreakdown.self,
        EventRate.self,
        AuthFailureRate.self,
        UnpairedEvents.self,
        InvalidTransition.self,
        ConnectSuccess.self,
        ConnectTime.self,
    ]
}
