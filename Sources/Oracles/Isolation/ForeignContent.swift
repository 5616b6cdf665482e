package import Contracts
import Journaling

/// I1: nobody sees what another user sent.
package struct ForeignContent: Property {
    package static let id = "I1"
    package static let name = "no foreign content"
    package static let requirement =
        "no canary of a user arrives on a connection whose user neither sent nor was given it (oracle I1)"
    package static let hears: ReadingKinds = [.unread, .suspected, .event]

    package static func missingKey(in contract: Contract?) -> String? { contract == nil ? "wire" : nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        if case .sound(let event) = reading { return event.contains(.hasForeignCanaries) ? .pass : nil }
        if case .unread(let why) = reading { return .inconclusive(why) }
        if case .suspected(let why) = reading { return .inconclusive(why) }
        guard case .event(let event) = reading, !event.isJoined else { return nil }
        guard let canary = event.canary, let evidence = event.evidence else {
            return event.hasForeignCanaries ? .pass : nil
        }
        if let doubt = event.doubt { return .inconclusive(doubt) }
        return .fail(
            Violation(
                edge: "canary", types: [event.type],
                sentence: "\(canary.owner)'s words are delivered to \(event.user)",
                expected: "\(canary.value) on connections of \(canary.owner) only",
                found: "\(canary.value) in \(event.type) to \(event.user) at \(Wording.time(evidence.instant))",
                evidence: evidence,
                caret: Finding.Caret(text: canary.value, label: "\(canary.owner)'s canary"), line: canary.line))
    }
}
