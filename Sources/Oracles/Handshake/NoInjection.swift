package import Contracts
import Journaling

/// H2: a line end that a request bears in encoded form stays what it is, and begins no line of the answer's head.
package struct NoInjection: Property {
    package static let id = "H2"
    package static let name = "no header injection"
    package static let requirement = "no line of a response head comes from CR LF in the request (RFC 9110 5.5; CWE-113)"
    package static let hears: ReadingKinds = .injection

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .injection(let injected) = reading else { return nil }
        switch injected.outcome {
        case .kept: return .pass
        case .undecided(let why): return .inconclusive(why)
        case .injected(let evidence):
            return .fail(
                Violation(
                    edge: "injected", types: [],
                    sentence: "\(injected.user)'s request writes a line of its own into the head of the server's answer",
                    expected: "an answer in which encoded line ends of the request begin no line",
                    found: "the field \(Terminal.plain(injected.line)), which stands encoded in the request, at "
                        + Wording.time(evidence.instant),
                    evidence: evidence, line: 0))
        }
    }
}
