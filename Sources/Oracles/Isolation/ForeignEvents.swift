package import Contracts
import Journaling

/// I2: events go to the user whose connection caused them; ownership is learnt at Sout, after any crossing.
package struct ForeignEvents: Property {
    package static let id = "I2"
    package static let name = "routing by ownership"
    package static let requirement = "each event of a run goes to the user whose connection caused the run (contract identity, runs)"
    package static let hears: ReadingKinds = [.unread, .event]

    package static func missingKey(in contract: Contract?) -> String? {
        guard let contract else { return "identity.user" }
        return contract.identity.user.isEmpty && contract.runs.isEmpty ? "identity.user" : nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        if case .sound(let event) = reading { return event.contains(.isOwned) ? .pass : nil }
        if case .unread(let why) = reading { return .inconclusive(why) }
        guard case .event(let event) = reading else { return nil }
        guard let foreign = event.identity, let evidence = event.evidence else { return event.isOwned ? .pass : nil }
        if let doubt = event.ownerDoubt { return .inconclusive(doubt) }
        let at = Wording.time(evidence.instant)
        let owner = Terminal.plain(foreign.owner)
        let value = Terminal.plain(foreign.value)
        var violation: Violation
        switch foreign.kind {
        case .within:
            violation = Violation(
                edge: "within", types: [event.type],
                sentence: "\(event.user)'s \(event.type) names \(owner)'s \(foreign.name)",
                expected: "\(foreign.name) \(value) for \(owner) only",
                found: "\(event.type) with \(foreign.name) \(value) to \(event.user) at \(at)", evidence: evidence,
                line: foreign.line)
        case .error, .run, .is, .canary:
            violation = Violation(
                edge: "owner", types: [event.type],
                sentence: "\(owner)'s \(event.type) is delivered to \(event.user)",
                expected: "\(event.type) for \(owner)", found: "\(event.type) to \(event.user) at \(at)",
                evidence: evidence, line: foreign.line)
        }
        if !event.isJoined {
            violation.caret = Finding.Caret(text: value, label: "\(owner)'s \(event.type) on \(event.user)'s connection")
        }
        return .fail(violation)
    }
}
