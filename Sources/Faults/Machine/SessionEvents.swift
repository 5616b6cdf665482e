package import Journaling
package import NIOCore
package import Wire

/// What a session machine is told. Time comes along as an argument; the machine owns no clock, socket or dice of its own.
package enum SessionEvent: Sendable {
    /// The client's transport was accepted. First event of every session.
    case accepted(Opened)
    /// In its place: the transports of another session, which asked for it by `succeed`, go on with this one. Both are there.
    case resumed(Opened)
    /// Bytes taken from that side's socket.
    case received(Side, ByteBuffer)
    /// That side will send nothing more.
    case ended(Side, EndStyle)
    /// As `ended` by FIN, and TLS's close_notify had not come before it: something may be missing.
    case truncated(Side)
    /// That side's TLS could not be had, or broke: nothing goes either way any more. One sentence, and the limit of ours that
    /// bit when one did.
    case broken(Side, String, limit: String?)
    /// That side's TLS handshake is done: `TLS 1.3, http/1.1`. The server's comes right before `connected`.
    case secured(Side, String)
    /// The upstream transport is there / could not be had (one sentence).
    case connected
    case connectFailed(String)
    /// The socket towards that side takes bytes again, or is over its high water mark (trust.md L9).
    case writable(Side, Bool)
    /// The recorder takes no more of this session for now (trust.md L11), or does again.
    case recorder(isBehind: Bool)
    /// Bytes handed over for this side were lost because it was gone.
    case undelivered(Side, UInt64)
    /// An instant asked for by `wake` has come.
    case wake
    /// Another session's message is to travel here.
    case crossed(Crossing)
    /// The crossing asked for by this session reached its partner, whose label stands in `partner`.
    case crossingTaken(Crossing)
    /// Partner not there: the crossing asked for by this session was not applied; its message goes on here.
    case crossingRefused(Crossing, reason: String)
    /// The connection asked for by `visit` is that session; or why there is none.
    case visited(number: Int, SessionID?, refused: String?)
    /// Another session changed what all share: what waits for that is looked at again.
    case roused
    /// The session that opened this one as a visit is over.
    case leave
    /// Every fault stops now (kill switch), until a `reconfigure`.
    case faultsOff
    /// Other rules hold from now on; everything else of the configuration is as it was.
    case reconfigure(SessionConfiguration)
    /// SIGTERM: end in an orderly way within the grace period, which the shell bounds.
    case drain
    /// Sockets' own byte counts; last event of every session.
    case closed(Totals)
}

/// A message that leaves its session for another. The asker's direction waits until the shell answers each `cross` with
/// `crossingTaken` or `crossingRefused`. The instant given with `crossed` must not lie before the one of the `cross`.
package struct Crossing: Sendable, Equatable {
    package var message: Message
    package var from: SessionID
    package var fromUser: String?
    package var fault: String
    package var kind: String
    package var influence: Influence
    package var selector: SessionSelector
    /// Filled in by the shell when it found the partner.
    package var partner: String?
    package init(
        message: Message, from: SessionID, fromUser: String?, fault: String, kind: String, influence: Influence,
        selector: SessionSelector
    ) {
        self.message = message
        self.from = from
        self.fromUser = fromUser
        self.fault = fault
        self.kind = kind
        self.influence = influence
        self.selector = selector
    }
}

/// What the machine wants done. A shell performs these in order and invents nothing.
package enum SessionCommand: Sendable {
    /// Dial the upstream.
    case connect
    case write(Side, ByteBuffer)
    /// What was written for that side goes to its socket before anything else is written: a segment by itself.
    case flush(Side)
    /// Half-close towards that side once everything written is out.
    case finish(Side)
    /// As `finish`, without TLS's close_notify. Only where that side speaks TLS.
    case truncate(Side)
    /// That side's TLS is to be like this. Comes before its handshake, and only where it speaks TLS.
    case secure(Side, TLSOrders)
    /// End that side's transport: `reset` drops what is queued and sends RST; `half` closes once written.
    case close(Side, CutStyle)
    /// Take bytes from that side, or stop taking them.
    case reads(Side, Bool)
    case cross(Crossing)
    /// What became of a crossing that came in: taken when `refused` is nil. To be passed on to the session it is from,
    /// as `crossingTaken` or `crossingRefused`.
    case answer(Crossing, refused: String?)
    /// Open a session of ours with `SessionMachine.init(configuration:id:visit:)`, on the same loop, counted by L7, and answer
    /// with `visited`; tell it `leave` when this one is over.
    case visit(Visit)
    /// Tell every other session of the proxy `roused`, those of the same loop in this turn of it.
    case rouse
    /// Call `wake` at that instant; a later command replaces an earlier one, `distantFuture` cancels it.
    case wake(at: Instant)
    /// The user label is known; the directory of sessions may list it.
    case label(String)
    /// The session is over, its transports are not: these bytes of the client, which it has taken, begin another session on
    /// them.
    case succeed(ByteBuffer)
}

/// Filled by one call of `SessionMachine.handle`; kept and emptied by the shell so that nothing is allocated per read.
package struct SessionOutput: Sendable {
    package var commands: [SessionCommand] = []
    package var entries: [RawEntry] = []
    package init() {}
    package mutating func removeAll() {
        commands.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
