import Contracts
import Journaling
import Wire

/// A profile's rule with its fault made, and what one session knows about it.
struct ArmedRule: Sendable {
    let rule: FaultRule
    let scope: Profile.Scope
    var fault: any Fault
    let selects: [ParcelKind]
    let crosses: Bool
    /// It acts on heads and on messages alike: on what both may bear, a credential.
    let seeksCredentials: Bool
    let joins: [Joining]
    /// It acts on frames with this opcode that belong to no message, and on no message.
    let control: Opcode?
    /// What does not change within a session was tested and holds: who, where, which connection.
    var concerned = false
    /// The event of an `after` or `until` was seen.
    var afterSeen = false
    var untilSeen = false
    /// It took this direction's bytes in hand once, and does not do so again.
    var begunToServer = false
    var begunToClient = false

    init?(_ rule: FaultRule, _ scope: Profile.Scope) {
        guard let fault = try? FaultRegistry.make(rule.kind, rule.settings) else { return nil }
        self.rule = rule
        self.scope = rule.scope ?? scope
        self.fault = fault
        selects = fault.selects.filter { kind in
            switch rule.when.to {
            case nil: true
            case .server: kind.tap == .serverOut || kind == .accept
            case .client: kind.tap == .clientOut
            }
        }
        crosses = fault.crosses
        joins = fault.joins
        control = fault.control ?? rule.when.opcode.flatMap { $0.isOfMessage ? nil : $0 }
        seeksCredentials = type(of: fault).acts.contains(.requestHead)
    }

    /// Needs to know the user or path, which nobody does at accept.
    var needsHead: Bool {
        rule.when.user != nil || rule.when.path != nil || !scope.users.isEmpty || !scope.paths.isEmpty
    }

    /// Runs are counted for it.
    var countsRuns: Bool { rule.when.duringRun || joins.contains(.runs) }

    /// Must see messages of both directions to know whether it holds.
    var watches: Bool {
        if rule.when.duringRun { return true }
        if case .event? = rule.when.after { return true }
        if case .event? = rule.when.until { return true }
        return false
    }

    /// Its entry, as far as the rule alone tells.
    func record(_ tap: Tap, on ref: EntryRef?, _ detail: String = "", applied: Bool = true) -> FaultRecord {
        FaultRecord(
            id: rule.id, kind: rule.kind, influence: fault.influence, tap: tap, on: ref, detail: detail, applied: applied,
            expect: rule.expect)
    }

    /// The same fault under the same conditions. What is expected of others is no matter of what it does.
    func actsLike(_ other: ArmedRule) -> Bool { hasFault(of: other) && rule.when == other.rule.when }

    func hasFault(of other: ArmedRule) -> Bool {
        rule.id == other.rule.id && rule.kind == other.rule.kind && rule.settings == other.rule.settings
    }

    /// What its predecessor of the same id knew, as far as that still means the same.
    mutating func succeed(_ other: ArmedRule) {
        guard hasFault(of: other) else { return }
        fault = other.fault
        guard rule.when == other.rule.when else { return }
        (afterSeen, untilSeen) = (other.afterSeen, other.untilSeen)
        (begunToServer, begunToClient) = (other.begunToServer, other.begunToClient)
    }

    func hasBegun(_ direction: Direction) -> Bool { direction == .toServer ? begunToServer : begunToClient }

    func selects(_ direction: Direction) -> Bool {
        selects.contains(direction == .toServer ? .messageToServer : .messageToClient)
    }
}
