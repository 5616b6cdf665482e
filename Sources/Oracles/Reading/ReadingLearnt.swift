import Contracts
import Journaling
import Wire

/// Words that stand for canaries where there are none (oracle.md, I1, passive).
extension Reader {
    /// A request as it left for the server.
    mutating func learnWords(_ value: JSON?, _ frame: FrameRecord, of id: SessionID) {
        guard isLearning, let value, let user = sessions[id]?.user, user.isLasting else { return }
        let words = privateWords(in: value, besides: [])
        guard !words.isEmpty else { return }
        learnt.said(words, by: user, isOwn: frame.provenance.faults.isEmpty && !namesRoom(value))
    }

    /// What is said in a room is its members'.
    private func namesRoom(_ value: JSON) -> Bool {
        guard let contract, let rooms = contract.sharing?.rooms, !rooms.isEmpty else { return false }
        return contract.identity.ids.contains { rule in rooms.contains { $0.id == rule.name } && rule.at.value(in: value) != nil }
    }

    mutating func hearWords(of event: Event, isShared: Bool) {
        guard isLearning, let contract, event.user.isLasting, let value = event.recognition.value,
            said[event.session]?.isUnknown == false
        else { return }
        let words = privateWords(in: value, besides: contract.volatile)
        guard !words.isEmpty else { return }
        learnt.told(words, to: event.user, isShared: isShared, type: event.type, at: event.at, aliases)
    }

    /// Nothing explained it until the end.
    mutating func concludeLearnt() {
        guard isLearning, mayBeKnown == nil else { return }
        let left = learnt.left(aliases)
        for suspicion in left.suspicions {
            readings.append(
                .suspected(
                    "suspected: \(Self.short(suspicion.word)), which \(suspicion.owner.label) alone had said, came to "
                        + "\(suspicion.user.label) alone in \(suspicion.type) at \(Wording.time(suspicion.at)); no canary proves it"))
        }
        for habit in left.habits {
            note("words of users often reach others in \(habit); say under `sharing` whether they may")
        }
    }

    /// A journal that lacks sessions lacks those who may have said it as well.
    private var isLearning: Bool { learnt.isOn && absence.holdsEverybody && contract != nil }

    /// Names are told to anybody, and what the server makes up each time is nobody's.
    private func privateWords(in value: JSON, besides volatile: [Path]) -> [String] {
        let words = LearntWords.all(in: value)
        guard !words.isEmpty, let contract else { return [] }
        let open = contract.identity.ids.flatMap { $0.at.value(in: value).map { [$0] } ?? [] }
            + volatile.flatMap { $0.values(in: value) }
        let names = open.flatMap { LearntWords.all(in: $0) }
        return words.filter { !names.contains($0) && !identifiers.isName($0) }
    }

    /// So much of it that its user knows it again.
    private static func short(_ word: String) -> String { "\(word.prefix(6))…\(word.suffix(2)) (\(word.utf8.count) bytes)" }
}

extension Principal {
    /// The same however often he connects.
    fileprivate var isLasting: Bool { if case .session = self { false } else { true } }
}
