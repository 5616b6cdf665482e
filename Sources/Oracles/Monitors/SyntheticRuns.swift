import Journaling

/// Runs that miswire drives through the target by itself (`--health-run`): no user hears anything by them, and a server that
/// serves nobody else is silent all the same. They are known by what their upgrade says, live and in a recording.
package struct SyntheticRuns: Sendable {
    /// Their `User-Agent`.
    package static let agent = "miswire-health"
    /// What comes late of a run is told long after its connection; later ones than so many ago are forgotten.
    private static let most = 256
    private var sessions: [SessionID] = []

    mutating func observe(_ entry: Entry) {
        guard case .head(let head) = entry.body, head.passage.direction == .toServer, head.passage.in != nil, let id = entry.session,
            !holds(id)
        else { return }
        let view = HeadView(head.bytes)
        guard let agent = view.values(of: "user-agent").first, view.text(agent) == Self.agent else { return }
        if sessions.count >= Self.most { sessions.removeFirst() }
        sessions.append(id)
    }

    func holds(_ session: SessionID?) -> Bool {
        guard let session, !sessions.isEmpty else { return false }
        return sessions.contains(session)
    }
}

extension Signal {
    /// Whose it is; nil = nobody's in particular.
    var session: SessionID? {
        switch self {
        case .moved(let card, _), .connected(let card, _, _), .refused(let card, _), .unanswered(let card, _), .closed(let card, _),
            .invalid(let card, _), .lost(let card), .asked(let card), .event(let card, _), .run(_, let card, _), .touched(let card):
            card.session
        case .unpaired(let card, _): card?.session
        }
    }
}
