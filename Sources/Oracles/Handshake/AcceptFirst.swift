package import Contracts
import Journaling

/// H1: nothing but an HTTP status line before the server's accept, and the promised greeting in time behind it.
package struct AcceptFirst: Property {
    package static let id = "H1"
    package static let name = "accept first, first frame kept"
    package static let requirement =
        "the server accepts before it sends data, and its greeting follows in time (RFC 6455 4.2.2; contract session)"
    package static let hears: ReadingKinds = [.early, .greeting]

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .early(let early):
            return .fail(Self.violation(early))
        case .settled(.greeting(let name, let user, let line), let fate):
            switch fate {
            case .kept: return .pass
            case .cut(let cause): return .excused("greetings open when \(cause)")
            case .undecided(let why): return .inconclusive(why)
            case .missed(let bound, let evidence):
                return .fail(Self.violation(missing: name, user: user, bound: bound, evidence, line))
            case .broken(let how, _, let evidence):
                var violation = Self.violation(missing: name, user: user, bound: .zero, evidence, line)
                violation.found = how
                return .fail(violation)
            }
        default: return nil
        }
    }

    private static func violation(
        missing name: String, user: String, bound: Duration, _ evidence: Evidence, _ line: Line
    ) -> Violation {
        Violation(
            edge: "greeting", types: [name],
            sentence: "\(user) gets no \(name) within \(Wording.duration(bound)) of the 101",
            expected: "\(name) by \(Wording.time(evidence.instant)), \(Wording.duration(bound)) after the server's 101",
            found: "no \(name) until \(Wording.time(evidence.instant))", evidence: evidence, line: line)
    }

    private static func violation(_ early: Reading.Early) -> Violation {
        Violation(
            edge: "before the 101", types: [early.type], sentence: "the server sends \(early.what) before its 101",
            expected: "an HTTP status line first", found: "\(early.what) at \(Wording.time(early.evidence.instant))",
            evidence: early.evidence, line: 0)
    }
}
