import Contracts
import Journaling
import NIOCore
import Wire

/// Whether each message of the server is one that the contract declares (C2), on the server's ledger: what our faults do to
/// it afterwards never stands at Sin.
extension Reader {
    mutating func tellDeclared(_ event: Event, _ payload: ByteBuffer, _ contract: Terms) {
        guard !contract.events.isEmpty else { return }
        let standing = standing(of: event, contract)
        if case .notAsked = standing { return }
        guard case .wrong(let problem) = standing, let session = sessions[event.session] else { return readings.append(.asDeclared) }
        readings.append(
            .declared(
                Reading.DeclaredReading(
                    user: event.user.label, type: event.type, line: event.recognition.rule.map { contract.events[$0].line } ?? 0,
                    problem: problem, evidence: evidence(for: session, entry: event.entry, at: event.at),
                    doubt: doubt(about: event, payload, session))))
    }

    private enum Declared {
        case notAsked, asDeclared
        case wrong(Reading.DeclaredReading.Problem)
    }

    private mutating func standing(of event: Event, _ contract: Terms) -> Declared {
        switch event.recognition.outcome {
        case .ignored, .unreadable: return .notAsked
        case .valid: return .asDeclared
        case .malformed(let why): return .wrong(.malformed(why))
        case .unknown:
            if contract.unknownEventsFail { return .wrong(.undeclared(event.recognition.title)) }
            note("\(event.type) is declared nowhere")
            return .notAsked
        case .invalid(let what):
            // The form of errors is judged as such (semantics 2).
            if event.isError { return .notAsked }
            let violation = recognizer?.violation(of: event.recognition, direction: .toClient)
            return .wrong(.shape(violation ?? ShapeViolation(path: "$", expected: what, value: nil)))
        }
    }

    /// Why nothing is wrong with it all the same.
    private func doubt(about event: Event, _ payload: ByteBuffer, _ session: Session) -> String? {
        if let why = session.obscured { return why }
        if event.recognition.tolerated { return "only some parsers read \(event.type) as it is written" }
        if case .frame(let frame) = event.entry.body,
            frame.redacted || Redactor.mayBeRedacted(String(decoding: payload.readableBytesView, as: UTF8.self))
        {
            return "a secret was cut out of \(event.type)"
        }
        return nil
    }
}
