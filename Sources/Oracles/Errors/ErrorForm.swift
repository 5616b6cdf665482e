package import Contracts
import Journaling

/// E5: an error has its fields, its kind, its turn and its context, and the connection goes on behind it.
package struct ErrorForm: Property {
    package static let id = "E5"
    package static let name = "error shape, order, recovery"
    package static let requirement =
        "an error has its declared fields and kind, comes in request order, repeats the request's context, and the connection goes on (contract errors)"
    package static let hears: ReadingKinds = [.error, .recovery]

    package static func missingKey(in contract: Contract?) -> String? {
        ErrorReaches.missingKey(in: contract) ?? (contract?.errors == nil ? "errors" : nil)
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .error(let error):
            guard let problem = error.problem, let evidence = error.evidence else { return .pass }
            if let doubt = error.doubt { return .inconclusive(doubt) }
            return .fail(Self.violation(problem, error.user, evidence, error.line))
        case .recovery(let recovery):
            switch recovery.outcome {
            case .worked: return .pass
            case .cut(let cause): return .excused("recoveries open when \(cause)")
            case .undecided(let why): return .inconclusive(why)
            case .failed(let failure, let evidence):
                return .fail(
                    Violation(
                        edge: "recovery", types: ["error"],
                        sentence: "\(recovery.user)'s connection does not recover after an error",
                        expected: "a valid request after the error succeeds",
                        found: "\(failure) at \(Wording.time(evidence.instant))", evidence: evidence,
                        line: recovery.line))
            }
        default: return nil
        }
    }

    private static func violation(
        _ problem: Reading.ErrorReading.Problem, _ user: String, _ evidence: Evidence, _ line: Line
    ) -> Violation {
        let at = Wording.time(evidence.instant)
        switch problem {
        case .shape(let what, let caret):
            return Violation(
                edge: "shape", types: ["error"], sentence: "\(user)'s error has no proper shape: \(what)",
                expected: what, found: "an error without it at \(at)", evidence: evidence, caret: caret, line: line)
        case .kind(let found, let expected):
            return Violation(
                edge: "kind", types: ["error"], sentence: "\(user)'s error has the wrong kind \(found)",
                expected: expected, found: "\(found) at \(at)", evidence: evidence,
                caret: Finding.Caret(text: found, label: "the wrong kind"), line: line)
        case .order(let older, let younger):
            return Violation(
                edge: "order", types: ["error"], sentence: "\(user)'s errors come out of order",
                expected: "the error for \(older) before the one for \(younger)",
                found: "the error for \(older) at \(at), after the other", evidence: evidence, line: line)
        case .context(let path, let expected, let found):
            return Violation(
                edge: "context \(path)", types: ["error"],
                sentence: "\(user)'s error does not repeat \(path) of its request",
                expected: "\(path) \(expected)", found: found.map { "\(path) \($0) at \(at)" } ?? "no \(path) at \(at)",
                evidence: evidence, caret: found.map { Finding.Caret(text: $0, label: "the request had \(expected)") },
                line: line)
        }
    }
}
