import Journaling
import Wire

/// The second look: what each type of message holds, which values go from requests to events, and whose identifiers are.
struct InferenceStudy: Sendable {
    let plan: InferenceSurvey.Plan
    let scale: InferenceScale
    private var hearing: Hearing
    private let types: InferredTypes

    private(set) var requests = KindTable()
    private(set) var events = KindTable()
    private(set) var untyped = 0
    private(set) var paths: [PathTally] = []
    private var pathIndex: [String: Int] = [:]
    private(set) var links: [LinkTally] = []
    private var recent: [String: Recent] = [:]
    private(set) var parties: PartyTally
    private var openings: [SessionID: Opening] = [:]

    /// How a session began, until its first event.
    private struct Opening {
        var accepted: Instant
        var hasAsked = false
        var isGreeted = false
    }
    /// What a user sent lately: values that may come back, with the path that each stood at.
    private struct Recent {
        var sent: [(path: String, value: String, isFresh: Bool)] = []
        /// Values that were said to this user.
        var heard: Set<String> = []
    }

    init(_ plan: InferenceSurvey.Plan, _ scale: InferenceScale) {
        self.plan = plan
        self.scale = scale
        types = InferredTypes(plan)
        hearing = Hearing(scale, userPath: plan.userPath.flatMap { try? Path($0) })
        parties = PartyTally()
    }

    /// The next entries are of another recording; its users may be the same.
    mutating func turn() {
        hearing.turn()
        openings = [:]
    }

    mutating func take(_ entry: Entry) {
        switch hearing.take(entry) {
        case .accepted(let party):
            parties.accept(party)
            if openings.count < scale.sessions, let at = party.accepted { openings[party.session] = Opening(accepted: at) }
        case .refused(let party, let status): parties.refuse(party, status)
        case .message(let heard): take(heard)
        case .ended(let session, _):
            if let opening = openings.removeValue(forKey: session), !opening.isGreeted { parties.silent += 1 }
        case nil: break
        }
    }

    private mutating func take(_ heard: Heard) {
        parties.note(user: heard.user, isNamed: heard.isNamed)
        guard let value = heard.value else { return }
        if heard.direction == .toServer {
            openings[heard.session]?.hasAsked = true
            if heard.isOurs { return }
            guard let kind = types.name(of: value, .toServer).flatMap({ requests.place($0, scale) }) else { return untyped += 1 }
            requests.take(value, kind, scale)
            remember(value, heard)
        } else {
            guard let kind = types.name(of: value, .toClient).flatMap({ events.place($0, scale) }) else { return untyped += 1 }
            if let opening = openings[heard.session], !opening.isGreeted {
                openings[heard.session]?.isGreeted = true
                parties.greet(kind, after: opening.accepted.duration(to: heard.at), wasAsked: opening.hasAsked)
            }
            events.take(value, kind, scale)
            follow(value, kind, heard)
        }
    }

    private mutating func remember(_ value: JSON, _ heard: Heard) {
        guard recent[heard.user] != nil || recent.count < scale.sessions else { return }
        var sent = recent[heard.user] ?? Recent()
        for (path, text) in ScalarWalk.scalars(of: value, scale) {
            sent.sent.append((path, text, !sent.heard.contains(text)))
        }
        if sent.sent.count > 4 * scale.recent { sent.sent.removeFirst(sent.sent.count - 4 * scale.recent) }
        recent[heard.user] = sent
    }

    private mutating func follow(_ value: JSON, _ kind: Int, _ heard: Heard) {
        let type = plan.eventType
        let scalars = ScalarWalk.scalars(of: value, scale)
        for (path, text) in scalars where path != type {
            let wasSent = recent[heard.user]?.sent.contains { $0.value == text } ?? false
            if InferredName.isIdentifier(path) || text == heard.user {
                tally(path, text, kind, heard, wasSent)
            }
            if let sent = recent[heard.user]?.sent { link(path, text, sent) }
        }
        guard recent[heard.user] != nil || recent.count < scale.sessions else { return }
        for (_, text) in scalars where (recent[heard.user]?.heard.count ?? 0) < 4_096 {
            recent[heard.user, default: Recent()].heard.insert(text)
        }
    }

    private mutating func tally(_ path: String, _ text: String, _ kind: Int, _ heard: Heard, _ wasSent: Bool) {
        let place: Int
        if let known = pathIndex[path] { place = known } else {
            guard paths.count < scale.paths else { return }
            place = paths.count
            pathIndex[path] = place
            paths.append(PathTally(path: path))
        }
        paths[place].take(text, kind: kind, heard, wasSent: wasSent, scale)
    }

    private mutating func link(_ path: String, _ text: String, _ sent: [(path: String, value: String, isFresh: Bool)]) {
        let isIdentifier = InferredName.isIdentifier(path)
        var seen: Set<String> = []
        // The last that was sent at each path counts first.
        for item in sent.reversed() where item.value == text && seen.insert(item.path).inserted {
            let isSame = item.path == path
            guard isSame || isIdentifier && text.utf8.count >= 4 else { continue }
            var place = links.firstIndex { $0.request == item.path && $0.event == path }
            if place == nil, links.count < scale.paths {
                links.append(LinkTally(request: item.path, event: path))
                place = links.count - 1
            }
            guard let place else { continue }
            links[place].hits += 1
            if item.isFresh { links[place].fresh += 1 }
            if links[place].values.count < 64 { links[place].values.insert(text) }
        }
        for place in links.indices where links[place].event == path && !seen.contains(links[place].request) {
            let request = links[place].request
            if sent.contains(where: { $0.path == request }) { links[place].misses += 1 }
        }
    }
}
