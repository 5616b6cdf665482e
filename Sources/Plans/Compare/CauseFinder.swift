import Contracts
import Journaling
import NIOCore
import Wire

/// What an answer belongs to, so that answers are compared in their own order whatever else goes on at the same time.
enum Cause: Hashable {
    /// The request of that number in the talk of that index.
    case request(talk: Int, number: Int)
    /// The n-th run of this talk that nobody is known to have asked for.
    case unasked(talk: Int, run: Int)
    case none
}

/// The request behind each answer, by run key, by link, else by turn (contract.md, semantics 6 and 7, simplified: no
/// verdict hangs on it, and what is linked wrongly on both sides alike is still compared).
struct CauseFinder {
    struct Place {
        var cause = Cause.none
        /// The key of the run it belongs to.
        var run: JSON?
        /// The sub-operation it belongs to; those of one run go side by side.
        var part: JSON?
    }
    private struct Request {
        var talk: Int
        var number: Int
        var value: JSON?
        var recognition: Recognition
        var label: Label
        var isResolved = false
    }
    private struct RunKey: Hashable {
        var user: String
        var key: JSON
    }
    private struct LinkKey: Hashable {
        var user: String
        var link: Int
        var value: String
    }
    private struct Context: LabelContext {
        var seen: Set<String>
        var foreign: (JSON) -> Bool
        func hasSeen(_ name: MessageName) -> Bool {
            seen.contains { name.names(isRequest: $0.hasPrefix(">"), name: String($0.dropFirst()), type: String($0.dropFirst())) }
        }
        func isRunOpen(key: JSON?) -> Bool { false }
        func isForeign(_ path: Path, _ value: JSON) -> Bool { foreign(value) }
    }

    private let contract: Contract?
    private let recognizer: Recognizer?
    private let labeler: Labeler?
    private let ownedPaths: [Path]
    private var requests: [String: [Request]] = [:]
    /// Before it every request of that user has found its answer.
    private var heads: [String: Int] = [:]
    /// Which requests say a value by which an answer is linked.
    private var linked: [LinkKey: [Int]] = [:]
    /// Requests that wait, looked at for one answer.
    private static let window = 4_096
    private var runs: [RunKey: Cause] = [:]
    private var unasked: [Int: Int] = [:]
    private var seen: [Int: Set<String>] = [:]
    /// Users who were told a value that belongs to one of them.
    private var owners: [JSON: String] = [:]

    private init(_ contract: Contract?) {
        self.contract = contract
        recognizer = contract.map { Recognizer($0) }
        labeler = contract.map { Labeler($0) }
        ownedPaths = (contract?.identity.ids ?? []).filter { $0.within == .user }.flatMap(\.at)
    }

    /// For each talk the place of each of its answers.
    static func places(in talks: [Talk], contract: Contract?) -> [[Place]] {
        var finder = CauseFinder(contract)
        var turns: [(talk: Int, isRequest: Bool, index: Int, at: Instant, order: Int)] = []
        for (talk, said) in talks.enumerated() {
            turns += said.requests.enumerated().map { (talk, true, $0, $1.at, $1.order) }
            turns += said.answers.enumerated().map { (talk, false, $0, $1.at, $1.order) }
        }
        turns.sort { ($0.at, $0.order) < ($1.at, $1.order) }
        var places = talks.map { [Place](repeating: Place(), count: $0.answers.count) }
        for turn in turns {
            let talk = talks[turn.talk]
            let user = talk.user ?? "\(talk.session)"
            if turn.isRequest {
                finder.ask(talk.requests[turn.index], turn.talk, user)
            } else {
                places[turn.talk][turn.index] = finder.place(of: talk.answers[turn.index], turn.talk, user)
            }
        }
        return places
    }

    private mutating func ask(_ said: Said, _ talk: Int, _ user: String) {
        var request = Request(
            talk: talk, number: said.number, value: said.value, recognition: Recognition(outcome: .unknown), label: .mayAccept)
        if let recognizer, let payload = said.payload {
            request.recognition = recognizer.recognise(payload, opcode: said.opcode, direction: .toServer)
            let owners = owners
            let context = Context(seen: seen[talk] ?? []) { value in owners[value].map { $0 != user } ?? false }
            request.label = labeler?.label(request.recognition, in: context) ?? .mayAccept
        }
        if let name = said.name { seen[talk, default: []].insert(">" + name) }
        let index = requests[user]?.count ?? 0
        if let value = said.value {
            for (number, link) in (contract?.link ?? []).enumerated() {
                guard let named = link.request.value(in: value) else { continue }
                linked[LinkKey(user: user, link: number, value: named.canonical), default: []].append(index)
            }
        }
        requests[user, default: []].append(request)
    }

    private mutating func place(of said: Said, _ talk: Int, _ user: String) -> Place {
        if let name = said.name { seen[talk, default: []].insert("<" + name) }
        guard let value = said.value else { return Place() }
        for path in ownedPaths {
            if let id = path.value(in: value), owners[id] == nil, owners.count < 100_000 { owners[id] = user }
        }
        var place = Place()
        if let (rule, key) = run(in: value) {
            place.run = key
            place.part = rule?.parts.lazy.compactMap { $0.key.value(in: value) }.first
            place.cause = cause(ofRun: key, rule, said, talk, user)
        } else if let index = cause(of: said, value, talk, user) {
            place.cause = resolve(index, user)
        }
        return place
    }

    private func run(in value: JSON) -> (RunRule?, JSON)? {
        guard let contract else { return value["run_id"].flatMap { $0.isNull ? nil : (nil, $0) } }
        for rule in contract.runs {
            if let key = contract.key(of: rule, in: value) { return (rule, key) }
        }
        return nil
    }

    private mutating func resolve(_ index: Int, _ user: String) -> Cause {
        guard var mine = requests[user], mine.indices.contains(index) else { return .none }
        requests[user] = nil
        mine[index].isResolved = true
        var head = heads[user] ?? 0
        while head < mine.count, mine[head].isResolved { head += 1 }
        heads[user] = head
        let cause = Cause.request(talk: mine[index].talk, number: mine[index].number)
        requests[user] = mine
        return cause
    }

    private mutating func cause(
        ofRun key: JSON, _ rule: RunRule?, _ said: Said, _ talk: Int, _ user: String
    ) -> Cause {
        let run = RunKey(user: user, key: key)
        if let known = runs[run] { return known }
        let found = said.value.flatMap { value in
            best(said, value, talk, user) { request in
                guard !request.isResolved else { return false }
                return starts(request, rule)
            }
        }
        let cause: Cause
        if let found {
            cause = resolve(found, user)
        } else {
            let number = (unasked[talk] ?? 0) + 1
            unasked[talk] = number
            cause = .unasked(talk: talk, run: number)
        }
        if runs.count < 200_000 { runs[run] = cause }
        return cause
    }

    private func starts(_ request: Request, _ rule: RunRule?) -> Bool {
        guard let contract, let rule else { return true }
        guard let index = request.recognition.rule, contract.requests.indices.contains(index) else { return false }
        return contract.requests[index].starts == rule.name
    }

    /// An answer that bears no run's key.
    private func cause(of said: Said, _ value: JSON, _ talk: Int, _ user: String) -> Int? {
        guard let contract else { return best(said, value, talk, user) { _ in false } }
        guard let name = said.name, contract.isError(event: name) else {
            return best(said, value, talk, user) { request in
                guard !request.isResolved, let index = request.recognition.rule else { return false }
                return contract.requests.indices.contains(index) && contract.requests[index].answer.contains(said.name ?? "")
            }
        }
        let kind = contract.errorKind(of: value)
        let must = best(said, value, talk, user) { request in
            guard !request.isResolved, case .mustReject(let rule, _) = request.label else { return false }
            return contract.reject[rule].allows(kind: kind)
        }
        return must ?? best(said, value, talk, user) { !$0.isResolved && $0.talk == talk }
    }

    /// The request that says the same where both sides say something; else the oldest for which `fits` holds and that
    /// says nothing else, this connection's first.
    private func best(_ said: Said, _ value: JSON, _ talk: Int, _ user: String, fits: (Request) -> Bool) -> Int? {
        guard let mine = requests[user] else { return nil }
        let links = contract?.link ?? []
        for (number, link) in links.enumerated() {
            guard let named = link.event.value(in: value),
                let equal = linked[LinkKey(user: user, link: number, value: named.canonical)]
            else { continue }
            // Of several that say it the oldest that waits; an answer in between belongs to the newest.
            if let found = equal.first(where: { !mine[$0].isResolved && fits(mine[$0]) }) ?? equal.last(where: { fits(mine[$0]) }) {
                return found
            }
        }
        var other: Int?
        for index in mine.indices.dropFirst(heads[user] ?? 0).prefix(Self.window) where fits(mine[index]) {
            let saysOther = mine[index].value.map { request in
                links.contains { $0.compare(request: request, event: value) == .unequal }
            }
            if saysOther ?? false { continue }
            if mine[index].talk == talk { return index }
            other = other ?? index
        }
        return other
    }
}
