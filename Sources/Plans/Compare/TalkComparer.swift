package import Contracts
import Journaling
import Wire

/// Compares the answers of a recording with those of its replay: by session, by the request behind them and by their
/// order within a run; what goes on beside a run, and how fast, does not matter.
package struct TalkComparer {
    package struct Options: Sendable {
        package var contract: Contract?
        /// Seconds since 1970 at instant zero of the recording and of its replay.
        package var recordedEpoch: Int64?
        package var nowEpoch: Int64?
        /// Who the recorded principals are now; those that are not here are the same.
        package var principals: [String: String] = [:]
        package init(contract: Contract?) { self.contract = contract }
    }
    struct Lane: Hashable {
        var cause: Cause
    }

    let options: Options
    var messages: MessageComparison
    let recorded: [Talk]
    let now: [Talk?]
    private let oldPlaces: [[CauseFinder.Place]]
    private let newPlaces: [[CauseFinder.Place]]
    /// For each session the number of the request now, by the recorded one.
    private var requests: [[Int: Int]] = []
    /// And the other way round.
    private var origins: [[Int: Int]] = []
    private var codes: [String: Int] = [:]

    /// - Parameter all: every talk of the recording, of which fields are learnt; `pairs` may be some of them.
    package init(_ pairs: [(recorded: Talk, now: Talk?)], all: [Talk]? = nil, _ options: Options) {
        self.options = options
        recorded = pairs.map(\.recorded)
        now = pairs.map(\.now)
        var binding = Rebinding()
        for talk in recorded {
            guard let user = talk.user else { continue }
            _ = binding.bind(.string(user), .string(options.principals[user] ?? user), as: "user")
        }
        messages = MessageComparison(
            knowledge: FieldKnowledge(contract: options.contract, recorded: all ?? recorded), binding: binding,
            recordedEpoch: options.recordedEpoch, nowEpoch: options.nowEpoch)
        oldPlaces = CauseFinder.places(in: recorded, contract: options.contract)
        let present = now.compactMap { $0 }
        let found = CauseFinder.places(in: present, contract: options.contract)
        // Talks that are there, by their place among all.
        let indices = pairs.indices.filter { pairs[$0].now != nil }
        var places = [[CauseFinder.Place]](repeating: [], count: pairs.count)
        for (index, one) in zip(indices, found) {
            places[index] = one.map { place in
                var place = place
                switch place.cause {
                case .request(let talk, let number): place.cause = .request(talk: indices[talk], number: number)
                case .unasked(let talk, let run): place.cause = .unasked(talk: indices[talk], run: run)
                case .none: break
                }
                return place
            }
        }
        newPlaces = places
    }

    package mutating func compare() -> Comparison {
        pairRequests()
        var comparison = Comparison()
        var matched: [[Match]] = []
        for index in recorded.indices { matched.append(match(index)) }
        var outcomes = [[Int: Outcome]](repeating: [:], count: recorded.count)
        let order = matched.indices.flatMap { session in matched[session].map { (session, $0) } }
            .sorted { time($0) < time($1) }
        for (session, match) in order { judge(match, session, &outcomes[session]) }
        for index in recorded.indices {
            comparison.sessions.append(session(index, matched[index], outcomes[index]))
        }
        return comparison
    }

    // Requests

    private mutating func pairRequests() {
        for index in recorded.indices {
            guard let talk = now[index] else {
                requests.append([:])
                origins.append([:])
                continue
            }
            let before = recorded[index].requests
            // The plan's own requests: usually as many as were recorded, one for one.
            let pairs: [(Int, Int)]
            if before.count == talk.requests.count, zip(before, talk.requests).allSatisfy({ $0.name == $1.name }) {
                pairs = before.indices.map { ($0, $0) }
            } else {
                pairs = Alignment.pairs(before.map { code($0.title) }, talk.requests.map { code($0.title) })
            }
            var mine: [Int: Int] = [:]
            for (old, new) in pairs {
                mine[before[old].number] = talk.requests[new].number
                learn(before[old], talk.requests[new])
            }
            requests.append(mine)
            origins.append(Dictionary(mine.map { ($1, $0) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    private mutating func learn(_ old: Said, _ new: Said) {
        guard let before = old.value, let after = new.value else { return }
        let values = Dictionary(JSONPlace.leaves(of: after).map { ($0.place, $0.value) }, uniquingKeysWith: { $1 })
        for leaf in JSONPlace.leaves(of: before) {
            guard let value = values[leaf.place] else { continue }
            messages.binding.learn(leaf.value, value, as: FieldKnowledge.short(leaf.place))
        }
    }

    private mutating func code(_ text: String) -> Int {
        if let known = codes[text] { return known }
        codes[text] = codes.count
        return codes.count - 1
    }

    // Answers

    /// A recorded answer and one of now, or one of them alone.
    struct Match {
        var old: Int?
        var new: Int?
        /// Found in another place of its run than it was.
        var isMoved = false
        /// The recorded answer before it in its run, by index; nil at the beginning.
        var previous: Int?
    }
    struct Outcome {
        var changes: [FieldChange]
        var diff: MessageDiff?
    }

    private func time(_ item: (Int, Match)) -> (Int, Instant, Int) {
        if let old = item.1.old { return (0, recorded[item.0].answers[old].at, old) }
        let at = item.1.new.flatMap { now[item.0]?.answers[$0].at } ?? .zero
        return (1, at, item.1.new ?? 0)
    }

    /// The lane of an answer of now in terms of the recording.
    private func lane(now place: CauseFinder.Place, _ session: Int) -> Lane {
        guard case .request(let talk, let number) = place.cause else { return Lane(cause: place.cause) }
        let old = origins[talk][number]
        return Lane(cause: old.map { .request(talk: talk, number: $0) } ?? .request(talk: talk, number: -number))
    }

    private mutating func match(_ session: Int) -> [Match] {
        let old = recorded[session].answers
        let new = now[session]?.answers ?? []
        var lanes: [Lane] = []
        var left: [Lane: [Int]] = [:]
        var right: [Lane: [Int]] = [:]
        func add(_ lane: Lane) { if left[lane] == nil, right[lane] == nil { lanes.append(lane) } }
        for index in old.indices {
            let lane = Lane(cause: oldPlaces[session][index].cause)
            add(lane)
            left[lane, default: []].append(index)
        }
        for index in new.indices {
            let lane = lane(now: newPlaces[session][index], session)
            add(lane)
            right[lane, default: []].append(index)
        }
        let before = old.map { code(messages.signature($0, isRecorded: true)) }
        let after = new.map { code(messages.signature($0, isRecorded: false)) }
        var matches: [Match] = []
        for lane in lanes {
            matches += match(
                left[lane] ?? [], right[lane] ?? [], before, after, session, isRequest: lane.cause != .none)
        }
        return rejoin(matches, before, after)
    }

    /// One lane: equal ones in order, then equal ones out of order, then what bears the same name between two pairs.
    private func match(
        _ left: [Int], _ right: [Int], _ before: [Int], _ after: [Int], _ session: Int, isRequest: Bool
    ) -> [Match] {
        let pairs = Alignment.pairs(left.map { before[$0] }, right.map { after[$0] })
        var partner: [Int: (new: Int, isMoved: Bool)] = [:]
        var taken: Set<Int> = []
        for (i, j) in pairs {
            partner[left[i]] = (right[j], false)
            taken.insert(right[j])
        }
        var spare: [Int: ArraySlice<Int>] = [:]
        for index in right where !taken.contains(index) { spare[after[index], default: []].append(index) }
        for index in left where partner[index] == nil {
            guard let other = spare[before[index]]?.popFirst() else { continue }
            // Of two sub-operations neither comes first; the same holds for what is said outside of any run.
            let isFree = !isRequest || oldPlaces[session][index].part != nil
            partner[index] = (other, !isFree)
            taken.insert(other)
        }
        // Between two pairs what bears one name is one message that changed.
        var gaps: [(left: [Int], right: [Int])] = []
        var (nextLeft, nextRight) = (0, 0)
        for (i, j) in pairs + [(left.count, right.count)] {
            gaps.append((Array(left[nextLeft..<i]), Array(right[nextRight..<j])))
            (nextLeft, nextRight) = (i + 1, j + 1)
        }
        for (number, gap) in gaps.enumerated() {
            var named: [String?: ArraySlice<Int>] = [:]
            for index in gap.right where !taken.contains(index) {
                named[now[session]?.answers[index].name, default: []].append(index)
            }
            for index in gap.left where partner[index] == nil {
                let name = recorded[session].answers[index].name
                var same = named[name]?.popFirst()
                // The first answer of a lane may be taken under another name.
                while let taking = same, taken.contains(taking) { same = named[name]?.popFirst() }
                // The outcome of a request is its first answer, whatever it is called.
                let first = isRequest && number == 0 && index == left.first ? right.first : nil
                guard let other = same ?? first.flatMap({ taken.contains($0) ? nil : $0 }) else { continue }
                partner[index] = (other, false)
                taken.insert(other)
            }
        }
        var matches: [Match] = []
        var previous: Int?
        for index in left {
            let found = partner[index]
            matches.append(Match(old: index, new: found?.new, isMoved: found?.isMoved ?? false, previous: previous))
            previous = index
        }
        let backwards = Dictionary(partner.map { ($1.new, $0) }, uniquingKeysWith: { $1 })
        var last: Int?
        for index in right {
            if let old = backwards[index] { last = old } else { matches.append(Match(new: index, previous: last)) }
        }
        return matches
    }

    /// What one lane misses and another has too many of was only taken for another's answer.
    private func rejoin(_ matches: [Match], _ before: [Int], _ after: [Int]) -> [Match] {
        var matches = matches
        var dropped: Set<Int> = []
        var spare: [Int: ArraySlice<Int>] = [:]
        for index in matches.indices where matches[index].old == nil {
            if let new = matches[index].new { spare[after[new], default: []].append(index) }
        }
        for index in matches.indices {
            guard let old = matches[index].old, matches[index].new == nil,
                let other = spare[before[old]]?.popFirst()
            else { continue }
            matches[index].new = matches[other].new
            dropped.insert(other)
        }
        return matches.enumerated().filter { !dropped.contains($0.offset) }.map(\.element)
    }

    /// The pair field by field, in the recording's order, so that ids are bound as they appear.
    private mutating func judge(_ match: Match, _ session: Int, _ outcomes: inout [Int: Outcome]) {
        let run: String
        if let old = match.old {
            run = oldPlaces[session][old].run?.canonical ?? ""
        } else {
            run = match.new.map { newPlaces[session][$0].run?.canonical ?? "" } ?? ""
        }
        guard let old = match.old, let new = match.new, let talk = now[session] else {
            return
        }
        let changes = messages.compare(recorded[session].answers[old], talk.answers[new], run: run)
        var outcome = Outcome(changes: changes)
        if !changes.isEmpty {
            outcome.diff = DiffComposer(knowledge: messages.knowledge, binding: messages.binding, run: run)
                .diff(recorded[session].answers[old], talk.answers[new], changes)
        }
        outcomes[old] = outcome
    }

    /// The request behind an answer.
    func request(behind index: Int, _ session: Int, isRecorded: Bool) -> Said? {
        let place = isRecorded ? oldPlaces[session][index] : newPlaces[session][index]
        guard case .request(let talk, let number) = place.cause else { return nil }
        let requests = isRecorded ? recorded[talk].requests : now[talk]?.requests ?? []
        return Self.said(number, in: requests)
    }

    /// Messages of a direction are numbered from 1, in order.
    static func said(_ number: Int, in said: [Said]) -> Said? {
        said.indices.contains(number - 1) && said[number - 1].number == number
            ? said[number - 1] : said.first { $0.number == number }
    }

    /// The request of now that stands for the one behind a recorded answer.
    func causeNow(_ index: Int, _ session: Int) -> Cause {
        guard case .request(let talk, let number) = oldPlaces[session][index].cause, let now = requests[talk][number] else {
            return .none
        }
        return .request(talk: talk, number: now)
    }

    func isUnsent(_ index: Int, _ session: Int) -> Int? {
        guard case .request(let talk, let number) = oldPlaces[session][index].cause else { return nil }
        return requests[talk][number] == nil ? number : nil
    }

    func unsent(_ session: Int) -> [Int] {
        recorded[session].requests.map(\.number).filter { requests[session][$0] == nil }
    }

    func run(of index: Int, _ session: Int, isRecorded: Bool) -> String {
        (isRecorded ? oldPlaces : newPlaces)[session][index].run?.canonical ?? ""
    }
}
