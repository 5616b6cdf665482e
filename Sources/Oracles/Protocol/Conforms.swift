package import Contracts
import Journaling
import Wire

/// C1, as far as no clock is needed to tell: what the server writes is legal, and it takes nothing from a client on which it
/// had to fail the connection.
package struct Conforms: Property {
    package static let id = "C1"
    package static let name = "protocol conformance"
    package static let requirement =
        "the server's frames are legal, and it fails a connection where it must (RFC 6455 5.1, 5.2, 5.5, 7.4, 8.1; RFC 7692 6)"
    package static let hears: ReadingKinds = .conduct

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> [Ruling] {
        guard case .conduct(let conduct) = reading else { return [] }
        let user = conduct.user
        switch conduct.outcome {
        case .kept: return [.pass]
        case .undecided(let why): return [.inconclusive(why)]
        case .wrote(let violation, let evidence):
            return [
                .fail(
                    Violation(
                        edge: "writes \(violation.rawValue)", types: [],
                        sentence: "the server sends \(user) an illegal frame: \(violation.detail)",
                        expected: "frames as \(violation.clause) has them",
                        found: "\(violation.detail) at \(Wording.time(evidence.instant))", evidence: evidence, line: 0))
            ]
        case .took(let violation, let evidence):
            return [
                .fail(
                    Violation(
                        edge: "takes \(violation.rawValue)", types: [],
                        sentence: "the server goes on with \(user)'s messages behind an illegal frame: \(violation.detail)",
                        expected: "the connection failed (\(violation.clause))",
                        found: "what came with that frame, or behind it, is answered at \(Wording.time(evidence.instant))",
                        evidence: evidence, line: 0))
            ]
        }
    }
}
