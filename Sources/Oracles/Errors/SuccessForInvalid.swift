package import Contracts
import Journaling

/// E4: no success theatre (incidents.md, I2).
package struct SuccessForInvalid: Property {
    package static let id = "E4"
    package static let name = "no success for invalid"
    package static let requirement =
        "no success event follows from a must-reject request (contract reject, success)"
    package static let hears: ReadingKinds = [.success, .rejection]

    package static func missingKey(in contract: Contract?) -> String? { ErrorReaches.missingKey(in: contract) }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .success(let success) where success.byKey:
            let card = success.request
            return .fail(
                Violation(
                    edge: "success", types: [success.event],
                    sentence: "\(card.phrase) is answered with \(success.event)",
                    expected: "an error, or nothing but an orderly refusal, for \(card.user)",
                    found: "\(success.event) at \(Wording.time(success.evidence.instant))",
                    evidence: success.evidence, line: card.line))
        case .settled(.rejection, let fate):
            switch fate {
            // What came, or did not come, was no success; E3 tells the rest.
            case .kept, .missed, .broken: return .pass
            case .cut(let cause): return .excused("requests open when \(cause)")
            case .undecided(let why): return .inconclusive(why)
            }
        default: return nil
        }
    }
}
