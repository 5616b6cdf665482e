import Journaling
import NIOCore
import Wire

/// Runs that miswire drives through the target by itself (`--health-run`): no user hears anything by them, and a server that
/// serves nobody else is silent all the same. They are known by what their upgrade says, live and in a recording.
package struct SyntheticRuns: Sendable {
    /// Their `User-Agent`.
    package static let agent = "miswire-health"
    /// What comes late of a run is told long after its connection; later ones than so many ago are forgotten.
    private static let most = 256
    private var sessions: [SessionID] = []

    var isEmpty: Bool { sessions.isEmpty }

    mutating func observe(_ entry: Entry) {
        guard case .head(let head) = entry.body, head.passage.direction == .toServer, head.passage.in != nil, let id = entry.session,
            !holds(id), Self.isNamed(in: head.bytes)
        else { return }
        let view = HeadView(head.bytes)
        guard let agent = view.values(of: "user-agent").first, view.text(agent) == Self.agent else { return }
        if sessions.count >= Self.most { sessions.removeFirst() }
        sessions.append(id)
    }

    /// Whether that name stands anywhere in it. Next to no head has it, and to take one apart costs a hundred times as much.
    private static func isNamed(in head: ByteBuffer) -> Bool {
        let bytes = head.readableBytesUInt8Span
        let name = Array(agent.utf8)
        guard let first = name.first else { return true }
        var start = 0
        while let found = ByteScan.first(first, in: bytes, from: start), name.count <= bytes.count - found {
            var length = 1
            while length < name.count, bytes[found + length] == name[length] { length += 1 }
            if length == name.count { return true }
            start = found + 1
        }
        return false
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
            .invalid(let card, _), .lost(let card), .underWay(_, let card), .touched(let card):
            card.session
        case .asked(let session), .event(let session, _), .began(_, let session), .rests(_, let session), .heard(_, let session, _),
            .over(_, let session, _):
            session
        case .unpaired(let card, _): card?.session
        }
    }
}
