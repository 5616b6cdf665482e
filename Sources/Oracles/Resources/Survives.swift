package import Contracts
import Journaling

/// R2: the target lives through what is done to it, and an honest user, the sentinel, is served all the while.
package struct Survives: Property {
    package static let id = "R2"
    package static let name = "survives and recovers"
    package static let requirement =
        "the target stays up, and a sentinel that does nothing wrong completes its runs during and after a fault (oracle R2)"
    package static let hears: ReadingKinds = [.target, .run]

    package static func missingKey(in contract: Contract?) -> String? { nil }
    package init(_ contract: Contract?) {}

    private var sentinel: String?

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .target(.sentinel(let user)):
            sentinel = user
            return nil
        case .target(.gone(let how, let evidence)):
            return .fail(
                Violation(
                    edge: "gone", types: [], sentence: "the target goes away: \(how)",
                    expected: "the target runs on and takes connections", found: "\(how) at \(Wording.time(evidence.instant))",
                    evidence: evidence, line: 0))
        case .settled(.run(let run, _, _, let expected, let user, let line), let fate) where user == sentinel:
            return ruling(run, expected, user, line, fate)
        default: return nil
        }
    }

    private func ruling(_ run: String, _ expected: String, _ user: String, _ line: Line, _ fate: Fate) -> Ruling? {
        let (found, evidence): (String, Evidence)
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("runs of the sentinel open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let given): (found, evidence) = ("nothing of it within \(Wording.duration(bound))", given)
        case .broken(let how, _, let given): (found, evidence) = (how, given)
        }
        return .fail(
            Violation(
                edge: "sentinel", types: [], sentence: "\(user), who does nothing wrong, is not served: the \(run) has no end",
                expected: expected, found: found, evidence: evidence, line: line))
    }
}
