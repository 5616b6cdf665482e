import Contracts
import Journaling
import Wire

/// What was answered lately, by the values that name one request alone: an answer comes exactly once (contract.md, `answer`).
struct Answered: Sendable {
    struct Key: Hashable, Sendable {
        var session: SessionID
        /// Of the link path.
        var index: Int
        var value: String
    }
    struct Answer: Sendable {
        /// Index into `contract.requests`.
        var rule: Int
        var number: UInt64
        var request: Entry
        var event: Entry
        /// False once another request bore the value, or it was said.
        var isLast = true
    }
    var answers = Fading<Key, Answer>(capacity: 4_096)
    /// Longer values are kept for nobody.
    static let longest = 256
}

extension Reader {
    private func names(_ values: [JSON?], on id: SessionID) -> [Answered.Key] {
        values.enumerated().compactMap { index, value in
            guard let value, isExclusive(index) else { return nil }
            let text = Identifiers.text(value)
            return text.utf8.count <= Answered.longest ? Answered.Key(session: id, index: index, value: text) : nil
        }
    }

    mutating func noteAnswer(_ event: Event, to request: Request) {
        guard case .answer = request.waits, !request.isIndeterminate, request.session == event.session,
            let rule = request.recognition.rule
        else { return }
        for key in names(request.links, on: request.session) {
            // An answer that is not named may be another's.
            guard event.links.indices.contains(key.index), let link = event.links[key.index],
                let asked = request.links[key.index], Self.same(asked, link)
            else { continue }
            answered.answers.set(
                key, Answered.Answer(rule: rule, number: request.number, request: request.entry, event: event.entry))
        }
    }

    /// What comes under these values from now on may be this one's.
    mutating func forgetAnswers(under request: Request) {
        guard answered.answers.count > 0 else { return }
        for key in names(request.links, on: request.session) + names(request.extras, on: request.session) {
            answered.answers.update(key) { $0.isLast = false }
        }
    }

    /// An event that answers nothing which is open, and names what was answered before.
    mutating func isAnsweredTwice(_ event: Event, _ contract: Terms) -> Bool {
        guard answered.answers.count > 0, let session = sessions[event.session], !event.isCopy, session.obscured == nil,
            session.cutBy == nil, !session.spokeEarly, !mayBeDisordered(event.user, at: event.at)
        else { return false }
        for key in names(event.links, on: event.session) {
            guard let answer = answered.answers[key], answer.isLast, contract.requests.indices.contains(answer.rule) else { continue }
            let rule = contract.requests[answer.rule]
            guard rule.answer.contains(where: { $0 == event.recognition.name || $0 == event.recognition.type }) else { continue }
            // What the contract does not understand may have asked for it.
            if session.open.contains(where: { requests[$0]?.isOdd ?? false }) { return false }
            answered.answers.update(key) { $0.isLast = false }
            var evidence = evidence(for: session, entry: event.entry, at: event.at)
            evidence.causes.append(.request(answer.number))
            evidence.witness.insert(contentsOf: [answer.event, answer.request], at: min(1, evidence.witness.count))
            readings.append(
                .stray(
                    .init(
                        kind: .answeredTwice, run: rule.name, key: key.value, type: event.type, user: event.user.label,
                        evidence: evidence, line: rule.line, doubt: mayHaveCome(to: event.user))))
            return true
        }
        return false
    }
}
