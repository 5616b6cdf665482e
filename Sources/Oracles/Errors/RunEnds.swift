package import Contracts
import Journaling

/// E1: every run that starts ends once, and every request that is owed an answer gets it.
package struct RunEnds: Property {
    package static let id = "E1"
    package static let name = "a run ends once"
    package static let requirement =
        "every started run gets exactly one end or a clean close in time, and nothing after it (contract runs, answer)"
    package static let hears: ReadingKinds = [.run, .answer, .stray]

    package static func missingKey(in contract: Contract?) -> String? {
        guard let contract else { return "runs" }
        let isOwed = contract.requests.contains { !$0.answer.isEmpty || !$0.answerCloses.isEmpty }
        return contract.runs.isEmpty && !isOwed ? "runs" : nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        switch reading {
        case .settled(.run(let name, let key, let state, let expected, let user, let line), let fate):
            // Of the key the evidence speaks: a server makes another in every rerun, and the sentence is shown across them.
            return Self.ruling(
                fate, noun: "runs", type: name, edge: state, whose: "\(user)'s \(name)",
                of: key.map { " of \(name) \(Terminal.plain($0))" } ?? "", expected: expected, line)
        case .settled(.answer(let card, let expected), let fate):
            return Self.ruling(
                fate, noun: "answers", type: card.type, edge: "answer", whose: "\(card.user)'s \(card.phrase)", expected: expected,
                card.line)
        case .stray(let stray): return stray.doubt.map(Ruling.inconclusive) ?? .fail(Self.violation(stray))
        default: return nil
        }
    }

    /// - Parameters whose, key: put together only for a violation.
    private static func ruling(
        _ fate: Fate, noun: String, type: String, edge: String, whose: @autoclosure () -> String,
        of key: @autoclosure () -> String = "", expected: String, _ line: Line
    ) -> Ruling {
        switch fate {
        case .kept: return .pass
        case .cut(let cause): return .excused("\(noun) open when \(cause)")
        case .undecided(let why): return .inconclusive(why)
        case .missed(let bound, let evidence):
            let due = Wording.time(evidence.instant)
            return .fail(
                Violation(
                    edge: edge, types: [type],
                    sentence: "\(whose()) gets no \(expected) within \(Wording.duration(bound))",
                    expected: "\(expected) by \(due), \(Wording.duration(bound)) after it became \(edge)",
                    found: "no \(expected)\(key()) until \(due)", evidence: evidence, line: line))
        case .broken(let how, let kind, let evidence):
            return .fail(
                Violation(
                    edge: "\(edge), \(kind)", types: [type], sentence: "\(whose()) is left open: \(how)",
                    expected: "\(expected)\(key())", found: "\(how) at \(Wording.time(evidence.instant))", evidence: evidence,
                    line: line))
        }
    }

    private static func violation(_ stray: Reading.Stray) -> Violation {
        let whose = "\(stray.user)'s \(stray.run)"
        let key = stray.key.map { " of \(stray.run) \(Terminal.plain($0))" } ?? ""
        let at = Wording.time(stray.evidence.instant)
        let (edge, sentence, expected): (String, String, String)
        switch stray.kind {
        case .nobodyAsked:
            edge = "nobody asked"
            sentence = "\(stray.user) gets \(stray.type) that nobody asked for"
            expected = "events of runs that a request started"
        case .afterDone:
            edge = "after done"
            sentence = "\(whose) goes on with \(stray.type) after its end"
            expected = "nothing after the end of the \(stray.run)"
        case .answeredTwice:
            edge = "answered twice"
            sentence = "\(whose) is answered twice, the second time by \(stray.type)"
            expected = "one answer to each \(stray.run)"
        case .noEdge(let state):
            edge = "state \(state)"
            sentence = "\(whose) is \(state) and gets \(stray.type)"
            expected = "an event that state \(state) has an edge for"
        }
        return Violation(
            edge: edge, types: [stray.type], sentence: sentence, expected: expected, found: "\(stray.type)\(key) at \(at)",
            evidence: stray.evidence, line: stray.line)
    }
}
