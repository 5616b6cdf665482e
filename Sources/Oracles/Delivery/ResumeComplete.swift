package import Contracts
import Journaling

/// D2: what a client had before, and what it gets when it goes on at its cursor, are all there is; or the server says that
/// they are not.
package struct ResumeComplete: Property {
    package static let id = "D2"
    package static let name = "resume complete"
    package static let requirement =
        "a connection that resumes begins right behind its cursor, or says that it cannot (contract delivery.resume)"
    package static let hears = ReadingKinds.delivered

    package static func missingKey(in contract: Contract?) -> String? {
        guard let delivery = contract?.delivery else { return "delivery.resume" }
        if case .messages? = delivery.history?.asking { return nil }
        return delivery.resume == nil ? "delivery.resume" : nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .delivered(let event) = reading else { return nil }
        let whose = "\(event.user)'s \(event.stream)"
        switch event.outcome {
        case .resumed: return .pass
        case .unresumed(let why): return .inconclusive(why)
        case .incomplete(let cursor, let first, let evidence):
            return .fail(
                Violation(
                    edge: "resume", types: [event.stream],
                    sentence: "the resume of \(whose) leaves out events, and nothing says so",
                    expected: "number \(cursor + 1), right behind the cursor \(cursor), or word that it is gone",
                    found: "number \(first) (\(event.type)) first at \(Wording.time(evidence.instant))", evidence: evidence,
                    line: event.line))
        case .absent(let run, let evidence):
            return .fail(
                Violation(
                    edge: "history", types: [event.stream], sentence: "the history of \(whose) lacks a \(run) that ended well",
                    expected: "every \(run) that came to its end before",
                    found: "\(event.type) without it at \(Wording.time(evidence.instant))", evidence: evidence, line: event.line))
        case .inOrder, .told, .doubtful, .gap, .again: return nil
        }
    }
}
