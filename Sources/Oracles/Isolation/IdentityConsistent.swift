package import Contracts
import Journaling

/// I3: identifiers that belong together stay together, and look as declared (incidents.md, I4).
package struct IdentityConsistent: Property {
    package static let id = "I3"
    package static let name = "identity consistent"
    package static let requirement =
        "identifiers stay bound to each other for ever and have their declared forms (contract identity.ids)"

    package static let hears: ReadingKinds = [.unread, .event]

    package static func missingKey(in contract: Contract?) -> String? {
        guard let ids = contract?.identity.ids, !Bindings(ids, capacity: 1).isEmpty else { return "identity.ids" }
        return nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        if case .unread(let why) = reading { return .inconclusive(why) }
        if case .sound(let event) = reading { return event.contains(.bondsKept) ? .pass : nil }
        guard case .event(let event) = reading, !event.isJoined else { return nil }
        switch event.bonds {
        case .none: return nil
        case .kept: return .pass
        case .doubtful(let why): return .inconclusive(why)
        case .broken(let breach):
            guard let evidence = event.evidence else { return nil }
            return .fail(Self.violation(breach, event, evidence))
        }
    }

    private static func violation(_ breach: Bindings.Breach, _ event: Reading.EventReading, _ evidence: Evidence) -> Violation {
        let value = Terminal.plain(breach.value)
        let (edge, sentence, expected): (String, String, String)
        switch breach.kind {
        case .form(let form):
            edge = "form of \(breach.name)"
            sentence = "\(event.user)'s \(event.type) has a \(breach.name) that is not of its form"
            expected = "\(breach.name) of the form \(Terminal.plain(form, limit: 96))"
        case .group(let group, let other, let otherValue, let found, let wanted):
            edge = "\(group) of \(breach.name) and \(other)"
            sentence = "\(event.user)'s \(event.type) has a \(breach.name) and a \(other) of different \(group)s"
            expected = "\(group) \(Terminal.plain(wanted)) as in \(other) \(Terminal.plain(otherValue)), not \(Terminal.plain(found))"
        case .within(let outer, let known, _):
            edge = "\(breach.name) within \(outer)"
            sentence = "\(event.user)'s \(breach.name) changes its \(outer) with \(event.type)"
            expected = "\(breach.name) \(value) within \(outer) \(Terminal.plain(known)) for ever"
        case .connection(let known):
            edge = "\(breach.name) of a connection"
            sentence = "\(event.user)'s \(event.type) has a \(breach.name) that is not its connection's"
            expected = "one connection for each \(breach.name), as for \(Terminal.plain(known))"
        }
        var found = "\(event.type) with \(breach.name) \(value) to \(event.user) at \(Wording.time(evidence.instant))"
        if case .within(let outer, _, let other) = breach.kind { found += " in \(outer) \(Terminal.plain(other))" }
        return Violation(
            edge: edge, types: [event.type], sentence: sentence, expected: expected, found: found, evidence: evidence,
            caret: Finding.Caret(text: breach.value, label: breach.name), line: breach.line)
    }
}
