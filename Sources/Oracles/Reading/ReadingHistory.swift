import Contracts
import Journaling
import Wire

/// Runs that ended well, of which a history must know (contract.md, semantics 12).
struct Finished: Sendable {
    struct Run: Sendable {
        var rule: Int
        var key: String
        var session: SessionID
        var last: Entry
    }
    /// By the value of the history's `per`, within its user.
    private var runs: Fading<StreamKey, [Run]>
    private static let most = 64

    init(capacity: Int) { runs = Fading(capacity: capacity) }

    mutating func note(_ run: Run, of key: StreamKey) {
        runs.set(key, ((runs[key] ?? []) + [run]).suffix(Self.most))
    }

    func runs(of key: StreamKey) -> [Run] { runs[key] ?? [] }
}

extension Reader {
    /// A run came to its end, and not by an error.
    mutating func noteFinished(_ run: Run, _ event: Event) {
        guard let history = contract?.delivery?.history, case .messages = history.asking, let key = run.key, !run.isIndeterminate,
            !event.isError, let value = event.recognition.value, let name = subject(of: value, history)
        else { return }
        finished.note(
            .init(rule: run.rule, key: key.text, session: event.session, last: event.entry),
            of: StreamKey(user: run.owner, name: name))
    }

    /// The answer of a history: whatever ended well on an earlier connection must be in it.
    mutating func readHistory(_ event: Event, _ value: JSON, _ contract: Terms) {
        guard let history = contract.delivery?.history, case .messages(let asked, let answer) = history.asking,
            answer.names(isRequest: false, name: event.recognition.name, type: event.recognition.type),
            let session = sessions[event.session], session.obscured == nil, !event.isCopy
        else { return }
        // Several questions here, and nobody knows which one this answers.
        let questions = session.open.compactMap { requests[$0] }.filter {
            asked.names(isRequest: true, name: $0.recognition.name, type: $0.recognition.type)
        }
        guard questions.count == 1, let question = questions.first, question.recognition.outcome == .valid,
            let name = subject(of: value, history) ?? question.recognition.value.flatMap({ subject(of: $0, history) })
        else { return }
        let key = StreamKey(user: event.user, name: name)
        let items = history.items.values(in: value)
        let due = finished.runs(of: key).filter { $0.session != event.session && $0.last.instant < question.at }
        guard !due.isEmpty else { return }
        let lacking = due.first { run in
            let paths = history.key.isEmpty ? contract.runs[run.rule].key : history.key
            return !items.contains { item in paths.value(in: item).map { Identifiers.text($0) == run.key } ?? false }
        }
        let line = history.line
        func tell(_ outcome: Reading.Delivered.Outcome) {
            readings.append(
                .delivered(.init(user: key.user.label, type: event.type, stream: history.per ?? "user", outcome: outcome, line: line)))
        }
        guard let lacking else { return tell(.resumed) }
        if let why = mayBeOfUnseen(event.user, at: event.at, isNamed: true) { return tell(.unresumed(why)) }
        var evidence = evidence(for: session, entry: event.entry, at: event.at)
        evidence.witness.insert(contentsOf: [question.entry, lacking.last], at: min(1, evidence.witness.count))
        tell(.absent(run: contract.runs[lacking.rule].name, evidence))
    }

    /// Of what the history is; the whole user's without `per`.
    private func subject(of value: JSON, _ history: DeliveryRules.History) -> String? {
        guard let per = history.per else { return "" }
        return contract?.identity.ids.first { $0.name == per }?.at.value(in: value).map(Identifiers.text)
    }
}
