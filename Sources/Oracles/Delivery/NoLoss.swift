package import Contracts
import Journaling

/// D1: the events of a stream come all, once and in order. Judged at Sin against the numbers that the server itself gives
/// them, or the names: what a fault lost, repeated or mixed up behind that is not the server's.
package struct NoLoss: Property {
    package static let id = "D1"
    package static let name = "no loss, duplicate, reorder"
    package static let requirement = "the events of a stream come on a connection without a gap, once and in order (contract delivery)"
    package static let hears = ReadingKinds.delivered

    package static func missingKey(in contract: Contract?) -> String? {
        guard let delivery = contract?.delivery, delivery.sequence != nil || !delivery.id.isEmpty else { return "delivery.sequence" }
        return nil
    }
    package init(_ contract: Contract?) {}

    package mutating func observe(_ reading: Reading) -> Ruling? {
        guard case .delivered(let event) = reading else { return nil }
        let whose = "\(event.user)'s \(event.stream)"
        switch event.outcome {
        case .inOrder: return .pass
        case .told(let what): return .excused(what)
        case .doubtful(let why): return .inconclusive(why)
        case .gap(let last, let number, let evidence):
            let at = Wording.time(evidence.instant)
            let (missing, isLate) = (number - last - 1, number < last)
            return .fail(
                Violation(
                    edge: isLate ? "order" : "gap", types: [event.stream],
                    sentence: isLate ? "events of \(whose) come out of order" : "events of \(whose) are lost, and nothing says so",
                    expected: "number \(last + 1) behind \(last)",
                    found: "number \(number) (\(event.type)) at \(at)" + (isLate ? "" : ": \(missing) missing"),
                    evidence: evidence, line: event.line))
        case .again(let number, let cursor, let evidence):
            let at = Wording.time(evidence.instant)
            let known = cursor.map { "a resume behind \(Terminal.plain($0))" } ?? "each event once on a connection"
            return .fail(
                Violation(
                    edge: cursor == nil ? "again" : "again behind the cursor", types: [event.stream],
                    sentence: "events of \(whose) are delivered twice", expected: known,
                    found: (number > 0 ? "number \(number) " : "") + "(\(event.type)) again at \(at)", evidence: evidence,
                    line: event.line))
        case .resumed, .incomplete, .unresumed, .absent: return nil
        }
    }
}
