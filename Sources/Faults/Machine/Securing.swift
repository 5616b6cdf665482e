import Journaling
import NIOCore
import Wire

/// What TLS on a hop adds to a session: it may fail before anything was said, and an end may come unannounced.
extension SessionMachine {
    /// The end that this side is to get.
    func finish(_ side: Side) -> SessionCommand {
        ends.unannounced.contains(side) && hops.isTLS(side) ? .truncate(side) : .finish(side)
    }

    mutating func secured(_ side: Side, _ words: String, at now: Instant, _ output: inout SessionOutput) {
        note(.note("\(side.rawValue): \(words)"), at: now, &output)
        guard side == .client else { return }
        hops.clientIsOpen = false
        let headIsDue = now.advanced(by: configuration.limits.requestHeadTime)
        if opening?.head == nil { opening?.stageEnds = headIsDue }
    }

    /// The other side is to learn what this one's end was like, where its hop can say it.
    mutating func truncated(_ side: Side, at now: Instant, _ output: inout SessionOutput) {
        guard !ends.isTold(side) else { return }
        ends.unannounced.insert(side.other)
        ended(side, .finish, cause: "FIN without close_notify, so that something may be missing", at: now, &output)
    }

    mutating func broken(
        _ side: Side, _ why: String, _ limit: String?, at now: Instant, _ output: inout SessionOutput
    ) {
        guard !ends.isTold(side) else { return }
        if let limit { self.limit(limit, why, side.outgoing, at: now, &output) }
        guard phase == .opening, opening?.head == nil, side == .client else {
            return ended(side, .reset, by: limit == nil ? .peer : .tool, cause: why, at: now, &output)
        }
        // Nobody has said anything: there is nothing to relay, and no session came of it.
        loseHeads(at: now, &output)
        let by = limit == nil ? EndRecord.By.peer : .tool
        tell(side, .reset, by, why, at: now, &output)
        ends.told(side)
        overBy(by, cause: why, server: .reset, at: now, &output)
    }
}
