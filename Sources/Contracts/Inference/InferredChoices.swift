import Wire

/// What the second look settles, and the third follows: the links, the key of runs, and what says that something failed.
struct InferredChoices: Sendable {
    struct Run: Sendable {
        var path: String
        /// The type of event that begins each.
        var first: Int
        /// Types that end one, each of which came last wherever it came.
        var ends: [Int]
        /// Types that carry the key, by first appearance.
        var members: [Int]
        var count: Int
        var ended: Int
    }
    struct Pair: Sendable {
        var start: Int
        var end: Int
        /// Where both carry what tells one from another; the last is nothing at all.
        var keys: [String?]
    }
    private(set) var links: [LinkTally] = []
    private(set) var run: Run?
    private(set) var pairs: [Pair] = []
    /// Types of events that report errors.
    private(set) var errors: [Int] = []

    init(_ study: InferenceStudy) {
        let scale = study.scale
        errors = study.events.kinds.indices.filter { InferredName.isError(study.events.kinds[$0].name) }
        links = study.links.filter { Self.isLink($0, scale) }.sorted { left, right in
            (right.hits, left.request, left.event) < (left.hits, right.request, right.event)
        }
        links = Array(links.prefix(8))
        for path in study.paths {
            guard let found = Self.run(path, study) else { continue }
            let best = run.map { best in
                (found.members.count, Self.rank(found.path), best.path) > (best.members.count, Self.rank(best.path), found.path)
            }
            if best ?? true { run = found }
        }
        if let run { pairs = Self.pairs(run, study) }
    }

    /// Mostly the client's own values, several of them, that come back and are not contradicted.
    private static func isLink(_ link: LinkTally, _ scale: InferenceScale) -> Bool {
        guard InferredName.mayLink(link.request), InferredName.mayLink(link.event) else { return false }
        let isSame = link.request == link.event
        let enough = isSame ? scale.kept : scale.required
        guard link.hits >= enough, link.values.count >= min(enough, 3), 10 * link.fresh >= 9 * link.hits else { return false }
        return isSame ? 20 * link.misses <= link.hits : link.misses == 0
    }

    /// Names that people give to what runs, before those that they give to what asks for it.
    private static func rank(_ path: String) -> Int {
        let words = Set(InferredName.words(path))
        if !words.isDisjoint(with: ["run", "response", "operation", "job", "task", "turn"]) { return 2 }
        return words.isDisjoint(with: ["request", "call"]) ? 0 : 1
    }

    private static func run(_ tally: PathTally, _ study: InferenceStudy) -> Run? {
        let scale = study.scale
        let count = tally.order.count
        guard !tally.isFull, !tally.isShared, count >= scale.kept, tally.carried.count >= 2 else { return nil }
        guard tally.first.count == 1, let first = tally.first.keys.first, tally.carried[first] == count else { return nil }
        var last: [Int: Int] = [:]
        for value in tally.order { if let life = tally.lives[value] { last[life.last, default: 0] += 1 } }
        let members = tally.carried.keys.sorted()
        let ends = members.filter { $0 != first && tally.carried[$0] == last[$0] }
        let ended = ends.reduce(0) { $0 + (last[$1] ?? 0) }
        guard ended >= scale.kept, 10 * ended >= 8 * count else { return nil }
        return Run(path: tally.path, first: first, ends: ends, members: members, count: count, ended: ended)
    }

    private static func pairs(_ run: Run, _ study: InferenceStudy) -> [Pair] {
        var pairs: [Pair] = []
        let inside = run.members.filter { $0 != run.first && !run.ends.contains($0) }
        for start in inside {
            for end in inside where InferredName.isPair(study.events.kinds[start].name, study.events.kinds[end].name) {
                guard pairs.count < 16 else { break }
                pairs.append(Pair(start: start, end: end, keys: keys(study.events.kinds[start], study.events.kinds[end], run, study)))
            }
        }
        return pairs
    }

    /// Fields that both always have: identifiers before names.
    private static func keys(_ start: KindTally, _ end: KindTally, _ run: Run, _ study: InferenceStudy) -> [String?] {
        let shared = start.fields.filter { field in
            guard field.path != run.path, field.path != study.plan.eventType, start.isAlways(field) else { return false }
            guard let other = end[field.path], end.isAlways(other), field.word == other.word else { return false }
            return field.instants == 0 && (field.word == "string" || field.word == "number")
        }
        let identifiers = shared.filter { InferredName.isIdentifier($0.path) }
        let names = shared.filter { !InferredName.isIdentifier($0.path) && InferredName.words($0.path).contains("name") }
        return (identifiers + names).prefix(4).map(\.path) + [nil]
    }
}
