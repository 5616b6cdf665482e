import Journaling
import Wire

/// The third look: what was answered by what, what began a run, and what closed its parts.
struct InferenceFollow: Sendable {
    let choices: InferredChoices
    private let study: InferenceStudy
    private let scale: InferenceScale
    private var hearing: Hearing
    private let types: InferredTypes
    private let runKey: Path?
    private let links: [(request: Path, event: Path)]
    private let partKeys: [[Path?]]
    private let errors: Set<Int>

    private(set) var answers: [Int: AnswerTally] = [:]
    private(set) var starts: [Int: StartTally] = [:]
    private(set) var pairs: [[PairTally]]
    private(set) var longestRun = Duration.zero
    private var users: [String: Asked] = [:]
    private var sessions: [SessionID: Last] = [:]
    private var runs: [String: Life] = [:]

    /// What became of the requests of one type.
    struct AnswerTally: Sendable {
        /// By a link: types of the one event that answered, and how many got several or none.
        var linked: [Int: Int] = [:]
        var several = 0
        var none = 0
        /// By order: types of the first event behind it on its connection.
        var next: [Int: Int] = [:]
        var overtaken = 0
        var unanswered = 0
        var longest = Duration.zero
    }
    struct StartTally: Sendable {
        var matched = 0
        var longest = Duration.zero
    }
    struct PairTally: Sendable {
        var closed = 0
        var bad = 0
        var longest = Duration.zero
    }
    private struct Asked {
        var waiting: [Int: [Instant]] = [:]
        var sent: [Sent] = []
    }
    private struct Sent {
        var kind: Int
        var session: SessionID
        var at: Instant
        var values: [JSON?]
        var first: Int?
        var count = 0
    }
    private struct Last {
        var kind: Int
        var user: String
        var at: Instant
        var isAnswered = false
    }
    private struct Life {
        var began: Instant
        /// Open parts by pair and way to tell them apart.
        var open: [[[(key: String, at: Instant)]]]
        /// Keys that parts of it bore, with pair and way in front.
        var used: Set<String> = []
    }

    init(_ study: InferenceStudy, _ choices: InferredChoices) {
        self.study = study
        self.choices = choices
        scale = study.scale
        hearing = Hearing(study.scale, userPath: study.plan.userPath.flatMap { try? Path($0) })
        types = InferredTypes(study.plan)
        runKey = choices.run.flatMap { try? Path($0.path) }
        links = choices.links.compactMap { link in
            guard let request = try? Path(link.request), let event = try? Path(link.event) else { return nil }
            return (request, event)
        }
        partKeys = choices.pairs.map { $0.keys.map { key in key.flatMap { try? Path($0) } } }
        errors = Set(choices.errors)
        pairs = choices.pairs.map { $0.keys.map { _ in PairTally() } }
    }

    mutating func turn() {
        finish()
        hearing.turn()
        sessions = [:]
        runs = [:]
    }

    mutating func take(_ entry: Entry) {
        switch hearing.take(entry) {
        case .message(let heard): take(heard)
        case .ended(let session, _): end(session)
        case .accepted, .refused, nil: break
        }
    }

    private mutating func take(_ heard: Heard) {
        guard let value = heard.value, let name = types.name(of: value, heard.direction) else { return }
        if heard.direction == .toServer {
            if let kind = study.requests.place(of: name) { ask(value, kind, heard) }
        } else if let kind = study.events.place(of: name) {
            hear(value, kind, heard)
        }
    }

    // MARK: Requests

    private mutating func ask(_ value: JSON, _ kind: Int, _ heard: Heard) {
        guard users[heard.user] != nil || users.count < scale.sessions else { return }
        if let last = sessions[heard.session], !last.isAnswered { answers[last.kind, default: AnswerTally()].overtaken += 1 }
        if sessions[heard.session] != nil || sessions.count < scale.sessions {
            sessions[heard.session] = Last(kind: kind, user: heard.user, at: heard.at)
        }
        var asked = users[heard.user] ?? Asked()
        asked.waiting[kind, default: []].append(heard.at)
        if asked.waiting[kind].map({ $0.count > scale.recent }) ?? false { asked.waiting[kind]?.removeFirst() }
        let values = links.map { $0.request.value(in: value) }
        if values.contains(where: { $0 != nil }) {
            asked.sent.append(Sent(kind: kind, session: heard.session, at: heard.at, values: values))
            if asked.sent.count > scale.recent { settle(asked.sent.removeFirst()) }
        }
        users[heard.user] = asked
    }

    private mutating func settle(_ sent: Sent) {
        var tally = answers[sent.kind] ?? AnswerTally()
        switch (sent.count, sent.first) {
        case (1, let kind?): tally.linked[kind, default: 0] += 1
        case (0, _): tally.none += 1
        default: tally.several += 1
        }
        answers[sent.kind] = tally
    }

    private mutating func end(_ session: SessionID) {
        guard let last = sessions.removeValue(forKey: session) else { return }
        if !last.isAnswered { answers[last.kind, default: AnswerTally()].unanswered += 1 }
        guard var asked = users[last.user] else { return }
        // What a client left behind was not refused an answer.
        let left = asked.sent.filter { $0.session == session }
        asked.sent.removeAll { $0.session == session }
        users[last.user] = asked
        for sent in left where sent.count > 0 { settle(sent) }
        for sent in left where sent.count == 0 { answers[sent.kind, default: AnswerTally()].unanswered += 1 }
    }

    /// What is still open when the entries end is settled as far as it went.
    mutating func finish() {
        for user in users.keys.sorted() {
            for sent in users[user]?.sent ?? [] where sent.count > 0 { settle(sent) }
        }
        users = [:]
    }

    // MARK: Events

    private mutating func hear(_ value: JSON, _ kind: Int, _ heard: Heard) {
        let key = runKey?.value(in: value)?.canonical
        if let last = sessions[heard.session], !last.isAnswered {
            sessions[heard.session]?.isAnswered = true
            var tally = answers[last.kind] ?? AnswerTally()
            tally.next[kind, default: 0] += 1
            tally.longest = max(tally.longest, last.at.duration(to: heard.at))
            answers[last.kind] = tally
            // A request that was answered so starts nothing.
            if key == nil, users[heard.user]?.waiting[last.kind]?.isEmpty == false {
                users[heard.user]?.waiting[last.kind]?.removeLast()
            }
        }
        answer(value, kind, heard)
        if let run = choices.run, let key { live(run, key, value, kind, heard) }
    }

    private mutating func answer(_ value: JSON, _ kind: Int, _ heard: Heard) {
        guard !links.isEmpty, let sent = users[heard.user]?.sent else { return }
        for (index, link) in links.enumerated() {
            guard let found = link.event.value(in: value) else { continue }
            let place = sent.lastIndex { $0.values[index].map { $0.isSame(as: found) } ?? false }
            guard let place else { continue }
            users[heard.user]?.sent[place].count += 1
            if sent[place].first == nil { users[heard.user]?.sent[place].first = kind }
            let wait = sent[place].at.duration(to: heard.at)
            answers[sent[place].kind, default: AnswerTally()].longest = max(answers[sent[place].kind]?.longest ?? .zero, wait)
            return
        }
    }

    private mutating func live(_ run: InferredChoices.Run, _ key: String, _ value: JSON, _ kind: Int, _ heard: Heard) {
        if kind == run.first {
            for request in (users[heard.user]?.waiting ?? [:]).keys.sorted() {
                guard let at = users[heard.user]?.waiting[request]?.first else { continue }
                users[heard.user]?.waiting[request]?.removeFirst()
                var tally = starts[request] ?? StartTally()
                tally.matched += 1
                tally.longest = max(tally.longest, at.duration(to: heard.at))
                starts[request] = tally
            }
            guard runs.count < scale.values else { return }
            runs[key] = Life(began: heard.at, open: choices.pairs.map { $0.keys.map { _ in [] } })
            return
        }
        guard runs[key] != nil else { return }
        for (place, pair) in choices.pairs.enumerated() {
            if kind == pair.start { open(place, key, value, heard.at) }
            if kind == pair.end { close(place, key, value, heard.at) }
        }
        if run.ends.contains(kind) {
            guard let life = runs.removeValue(forKey: key) else { return }
            longestRun = max(longestRun, life.began.duration(to: heard.at))
            if errors.contains(kind) { return }
            for (place, ways) in life.open.enumerated() {
                for (way, open) in ways.enumerated() { pairs[place][way].bad += open.count }
            }
        }
    }

    /// What tells this part from others of its pair; nil when it does not carry it.
    private func part(_ place: Int, _ way: Int, _ value: JSON) -> String? {
        guard let path = partKeys[place][way] else { return choices.pairs[place].keys[way] == nil ? "" : nil }
        return path.value(in: value)?.canonical
    }

    private mutating func open(_ place: Int, _ key: String, _ value: JSON, _ at: Instant) {
        for way in pairs[place].indices {
            guard let part = part(place, way, value), let life = runs[key], life.open[place][way].count < scale.recent, life.used.count < scale.values
            else {
                pairs[place][way].bad += 1
                continue
            }
            // A key names one part of its run, and none behind it.
            if !part.isEmpty, runs[key]?.used.insert("\(place) \(way) \(part)").inserted == false { pairs[place][way].bad += 1 }
            runs[key]?.open[place][way].append((part, at))
        }
    }

    private mutating func close(_ place: Int, _ key: String, _ value: JSON, _ at: Instant) {
        for way in pairs[place].indices {
            guard let part = part(place, way, value), let found = runs[key]?.open[place][way].lastIndex(where: { $0.key == part })
            else {
                pairs[place][way].bad += 1
                continue
            }
            guard let opened = runs[key]?.open[place][way].remove(at: found) else { continue }
            pairs[place][way].closed += 1
            pairs[place][way].longest = max(pairs[place][way].longest, opened.at.duration(to: at))
        }
    }
}
