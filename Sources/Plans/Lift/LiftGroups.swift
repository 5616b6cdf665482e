import Contracts
import Journaling
import NIOCore
import Wire

/// Which sessions belong into one plan.
enum LiftGroups {
    private static let mostValues = 500_000
    /// Who said a value first.
    private enum Origin {
        case client
        /// Sessions to which the server brought it, newest last.
        case server([Int])
    }

    /// In the order in which the first session of each began, sessions likewise.
    static func split(_ sessions: [LiftSession], contract: Contract?) -> [[LiftSession]] {
        let sessions = sessions.enumerated().sorted { ($0.element.began, $0.offset) < ($1.element.began, $1.offset) }
            .map(\.element)
        var sets = Sets(count: sessions.count)
        var last: (index: Int, ends: Instant)?
        for (index, session) in sessions.enumerated() {
            let ends = session.ended ?? .distantFuture
            if let running = last, session.began < running.ends {
                sets.join(running.index, index)
                last = (index, max(running.ends, ends))
            } else {
                last = (index, ends)
            }
        }
        link(sessions, &sets)
        var groups: [[LiftSession]] = []
        var places: [Int: Int] = [:]
        for (index, session) in sessions.enumerated() {
            let root = sets.root(index)
            if let place = places[root] {
                groups[place].append(session)
            } else {
                places[root] = groups.count
                groups.append([session])
            }
        }
        return groups
    }

    /// Joins those of which one says what the server told another, and no client before.
    private static func link(_ sessions: [LiftSession], _ sets: inout Sets) {
        var moments: [(session: Int, moment: LiftSession.Moment)] = []
        for (index, session) in sessions.enumerated() { moments += session.moments.map { (index, $0) } }
        moments.sort { ($0.moment.at, $0.moment.order) < ($1.moment.at, $1.moment.order) }
        var origins: [JSON: Origin] = [:]
        for (session, moment) in moments {
            switch moment.action {
            case .event(let payload, _):
                for leaf in LiftLeaf.all(in: payload) {
                    switch origins[leaf.value] {
                    case .client: break
                    case .server(let known) where known.contains(session): break
                    case .server(let known): origins[leaf.value] = .server(known.suffix(7) + [session])
                    case nil: if origins.count < mostValues { origins[leaf.value] = .server([session]) }
                    }
                }
            case .text(let payload):
                for leaf in LiftLeaf.all(in: payload) {
                    if case .server(let known) = origins[leaf.value] {
                        if !known.contains(session), let source = known.last { sets.join(source, session) }
                    } else if origins[leaf.value] == nil, origins.count < mostValues {
                        origins[leaf.value] = .client
                    }
                }
            default: break
            }
        }
    }

    /// Disjoint sets; the root of each is its smallest member.
    private struct Sets {
        private var parents: [Int]
        init(count: Int) { parents = Array(0..<count) }

        mutating func root(_ index: Int) -> Int {
            var root = index
            while parents[root] != root { root = parents[root] }
            var next = index
            while parents[next] != root { (next, parents[next]) = (parents[next], root) }
            return root
        }

        mutating func join(_ one: Int, _ other: Int) {
            let (a, b) = (root(one), root(other))
            parents[max(a, b)] = min(a, b)
        }
    }
}
