package import Contracts
package import Journaling

/// X1: what a profile states about the far side of its faults comes about.
package struct StatedExpectation: Property {
    package static let id = "X1"
    package static let name = "stated expectations are met"
    package static let requirement = "the far side does about a fault what the profile expects of it (profile expect)"
    package static let hears: ReadingKinds = .stated

    package static func missingKey(in contract: Contract?) -> String? { nil }

    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .settled(.stated(let card), let fate) = reading else { return nil }
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("expectations open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let evidence):
            return fail(card, found: "nothing of it within \(Wording.duration(bound))", "missing", evidence)
        case .broken(let how, let edge, let evidence): return fail(card, found: how, edge, evidence)
        }
    }

    private func fail(_ card: StatedCard, found: String, _ edge: String, _ evidence: Evidence) -> Ruling {
        .fail(
            Violation(
                edge: "\(card.fault) \(card.expect.words) \(edge)", types: [card.kind],
                sentence:
                    "missing recovery: \(card.user)'s \(card.side) does not do what \(card.fault) \(card.kind) expects, "
                    + card.expect.words,
                expected: card.expect.words, found: found, evidence: evidence, line: 0))
    }
}

/// An expectation as findings speak of it.
package struct StatedCard: Sendable, Hashable {
    package var fault: String
    package var kind: String
    package var expect: Expectation
    package var user: String
    package var tap: Tap

    var side: String { tap == .clientOut ? "client" : "server" }
}

extension Expectation {
    /// As a profile writes it: `closed 1008 4401 within 2 s`.
    package var words: String {
        let codes = codes.map { " \($0)" }.joined()
        return what.rawValue + codes + (within.map { " within " + Wording.duration($0) } ?? "")
    }
}
