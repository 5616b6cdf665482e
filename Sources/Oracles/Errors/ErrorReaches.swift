package import Contracts
import Journaling

/// E3: who sends what must be refused is told so, in time.
package struct ErrorReaches: Property {
    package static let id = "E3"
    package static let name = "errors reach the requester"
    package static let requirement =
        "a must-reject request gets an error, or a close that its rule allows, on the same user's connection in time (contract reject)"
    package static let hears: ReadingKinds = [.rejection, .success]

    package static func missingKey(in contract: Contract?) -> String? {
        contract?.reject.isEmpty ?? true ? "reject" : nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .settled(.rejection(let card, let expected), let fate):
            return Self.ruling(card, expected, fate)
        case .success(let success) where !success.byKey:
            // Attributed by age only: it counts as a missing error until reruns confirm E4.
            return .fail(Self.violation(success))
        default: return nil
        }
    }

    private static func ruling(_ card: RequestCard, _ expected: String, _ fate: Fate) -> Ruling {
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("requests open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let evidence):
            let isLate = evidence.offending != nil && evidence.users.count == 1
            return .fail(
                Violation(
                    edge: "no answer", types: [card.type],
                    sentence: "\(card.phrase) gets no answer within \(Wording.duration(bound))",
                    expected: "\(expected) for \(card.user) by \(Wording.time(card.at.advanced(by: bound))), "
                        + "\(Wording.duration(bound)) after the request",
                    found: isLate
                        ? "the answer at \(Wording.time(evidence.instant)), late"
                        : "nothing for \(card.user) until \(Wording.time(evidence.instant))",
                    evidence: evidence, line: card.line))
        case .broken(let how, let edge, let evidence):
            return .fail(
                Violation(
                    edge: edge, types: [card.type], sentence: "\(card.phrase) is not answered: \(how)",
                    expected: expected, found: "\(how) at \(Wording.time(evidence.instant))", evidence: evidence,
                    line: card.line))
        }
    }

    private static func violation(_ success: Reading.Success) -> Violation {
        let card = success.request
        return Violation(
            edge: "success by age", types: [card.type, success.event],
            sentence: "\(card.phrase) seems to be answered with \(success.event)",
            expected: "an error for \(card.user)", found: "\(success.event) at \(Wording.time(success.evidence.instant))",
            evidence: success.evidence, line: card.line)
    }
}
