import Contracts
import Journaling
import Wire

/// A profile's rule with its fault made, and what one session knows about it.
struct ArmedRule: Sendable {
    let rule: FaultRule
    var fault: any Fault
    let selects: [ParcelKind]
    let crosses: Bool
    /// It acts on heads and on messages alike: on what both may bear, a credential.
    let seeksCredentials: Bool
    /// What does not change within a session was tested and holds: who, where, which connection.
    var concerned = false
    /// The event of an `after` or `until` was seen.
    var afterSeen = false
    var untilSeen = false

    init?(_ rule: FaultRule) {
        guard let fault = try? FaultRegistry.make(rule.kind, rule.settings) else { return nil }
        self.rule = rule
        self.fault = fault
        selects = fault.selects.filter { kind in
            switch rule.when.to {
            case nil: true
            case .server: kind.tap == .serverOut || kind == .accept
            case .client: kind.tap == .clientOut
            }
        }
        crosses = fault.crosses
        seeksCredentials = type(of: fault).acts.contains(.requestHead)
    }

    /// Needs to know the user or path, which nobody does at accept.
    var needsHead: Bool { rule.when.user != nil || rule.when.path != nil }

    /// Must see messages of both directions to know whether it holds.
    var watches: Bool {
        if rule.when.duringRun { return true }
        if case .event? = rule.when.after { return true }
        if case .event? = rule.when.until { return true }
        return false
    }

    func selects(_ direction: Direction) -> Bool {
        selects.contains(direction == .toServer ? .messageToServer : .messageToClient)
    }
}
