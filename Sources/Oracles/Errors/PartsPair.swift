package import Contracts
import Journaling

/// E2: parts of a run, such as its tools, begin once and end once while it is under way.
package struct PartsPair: Property {
    package static let id = "E2"
    package static let name = "tools pair and nest"
    package static let requirement =
        "each part of a run begins once, and ends once, in time and before the run does (contract runs, parts)"

    package static let hears: ReadingKinds = [.part, .misplaced]

    package static func missingKey(in contract: Contract?) -> String? {
        guard let contract, !contract.runs.isEmpty else { return "runs" }
        return contract.runs.allSatisfy(\.parts.isEmpty) ? "runs.\(contract.runs.first?.name ?? "N").parts" : nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .settled(.part(let card), let fate): return Self.ruling(card, fate)
        case .misplaced(let misplaced): return misplaced.doubt.map(Ruling.inconclusive) ?? .fail(Self.violation(misplaced))
        default: return nil
        }
    }

    private static func ruling(_ card: PartCard, _ fate: Fate) -> Ruling {
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("\(card.name)s open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let evidence):
            let due = Wording.time(evidence.instant)
            return .fail(
                Violation(
                    edge: "\(card.name) open", types: [card.end],
                    sentence: "\(card.user)'s \(card.name) gets no \(card.end) within \(Wording.duration(bound))",
                    expected: "\(card.end) by \(due), \(Wording.duration(bound)) after it began",
                    found: "no \(card.end)\(key(of: card)) until \(due)", evidence: evidence, line: card.line))
        case .broken(let how, let edge, let evidence):
            return .fail(
                Violation(
                    edge: "\(card.name) open \(edge)", types: [card.end],
                    sentence: "\(card.user)'s \(card.name) gets no \(card.end) \(how)",
                    expected: "\(card.end)\(key(of: card)) \(how)", found: "none until \(Wording.time(evidence.instant))",
                    evidence: evidence, line: card.line))
        }
    }

    private static func key(of card: PartCard) -> String { key(card.key, of: card.name) }

    private static func key(_ key: String?, of name: String) -> String {
        key.map { " of \(name) \(Terminal.plain($0))" } ?? ""
    }

    private static func violation(_ misplaced: Reading.Misplaced) -> Violation {
        let (part, type) = (misplaced.part, misplaced.type)
        let whose = "\(misplaced.user)'s \(part)"
        let (edge, sentence, expected): (String, String, String)
        switch misplaced.kind {
        case .notIn(let state):
            edge = "\(part) in \(state)"
            sentence = "\(whose) begins with \(type) while the \(misplaced.run) is \(state)"
            expected = "\(type) in the states that the contract names"
        case .beginsAgain:
            edge = "\(part) begins again"
            sentence = "\(whose) begins a second time with \(type)"
            expected = "a key of its own for each \(part)"
        case .endsAgain:
            edge = "\(part) ends again"
            sentence = "\(whose) ends a second time with \(type)"
            expected = "one end of each \(part)"
        case .neverBegan:
            edge = "\(part) never began"
            sentence = "\(whose) ends with \(type) and never began"
            expected = "the end of a \(part) that is open"
        case .outside:
            edge = "outside of \(part)"
            sentence = "\(misplaced.user) gets \(type) outside of any open \(part)"
            expected = "\(type) while its \(part) is open"
        }
        return Violation(
            edge: edge, types: [type], sentence: sentence, expected: expected,
            found: "\(type)\(Self.key(misplaced.key, of: part)) at \(Wording.time(misplaced.evidence.instant))",
            evidence: misplaced.evidence, line: misplaced.line)
    }
}
