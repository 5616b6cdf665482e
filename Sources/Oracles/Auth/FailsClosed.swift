package import Contracts
import Journaling

/// A1: a bad credential is refused, and soon. Expectations come from what was sent at Sout.
package struct FailsClosed: Property {
    package static let id = "A1"
    package static let name = "authentication fails closed"
    package static let requirement =
        "a bad credential, or a foreign origin, leads to a refusal or a close in time and to no application event (contract auth)"
    package static let hears: ReadingKinds = [.authentication, .expiry, .origin]

    package static func missingKey(in contract: Contract?) -> String? {
        contract?.identity.credential.isEmpty ?? true ? "identity.credential" : nil
    }

    private let rules: AuthRules

    package init(_ contract: Contract?) { rules = contract?.auth ?? AuthRules() }

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .settled(let obligation, let fate) = reading else { return nil }
        if case .expiry(let user, let line) = obligation { return expiry(of: user, line, fate) }
        if case .origin(let origin, let user) = obligation { return refusal(of: origin, user, fate) }
        guard case .authentication(let state, let user, let line) = obligation else { return nil }
        let what = Self.phrase(state)
        let codes = (rules.refuse + rules.close).map(String.init)
        let expected = "\(Wording.list(codes)) within \(Wording.duration(rules.within))"
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("refusals open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let evidence):
            return .fail(
                Violation(
                    edge: "hang", types: [],
                    sentence: "the server neither refuses nor closes \(user)'s connection with \(what) within \(Wording.duration(bound))",
                    expected: expected, found: "hang: nothing until \(Wording.time(evidence.instant))",
                    evidence: evidence, line: line))
        case .broken(let how, let edge, let evidence):
            return .fail(
                Violation(
                    edge: edge, types: [],
                    sentence: edge == "accepted"
                        ? "the server accepts \(user)'s connection with \(what)"
                        : "the server drops \(user)'s connection with \(what) without a proper code",
                    expected: expected, found: how, evidence: evidence, line: line))
        }
    }

    private func expiry(of user: String, _ line: Line, _ fate: Fate) -> Ruling? {
        switch fate {
        case .kept, .missed: return .pass
        case .cut(let cause): return .excused("expiries open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .broken(let how, let edge, let evidence):
            let grace = Wording.duration(rules.revoked ?? .zero)
            return .fail(
                Violation(
                    edge: edge, types: [], sentence: "the server goes on serving \(user) after the credential has expired",
                    expected: "no event of the application later than \(grace) after its end", found: how, evidence: evidence,
                    line: line))
        }
    }

    private func refusal(of origin: String, _ user: String, _ fate: Fate) -> Ruling? {
        let sentence = "the server does not refuse \(user)'s connection from a foreign Origin"
        let (edge, found, evidence): (String, String, Evidence)
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("refusals open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let given):
            (edge, found, evidence) = ("missing", "nothing of it within \(Wording.duration(bound))", given)
        case .broken(let how, let given, let told): (edge, found, evidence) = (given, how, told)
        }
        return .fail(
            Violation(
                edge: "origin \(edge)", types: [], sentence: sentence, expected: "a refusal of Origin \(origin) (RFC 6455 10.2)",
                found: found, evidence: evidence, line: rules.line))
    }

    private static func phrase(_ state: Facts.State) -> String {
        switch state {
        case .absent: "no credential"
        case .corrupt: "a corrupt credential"
        case .forged: "a forged credential"
        case .expired: "an expired credential"
        case .intact, .unknown, .ambiguous: "a spoilt credential"
        }
    }
}
