package import Journaling
import NIOCore
package import Wire

/// One proxied connection: events in, effects out. It owns no clock, socket or dice; a shell performs its commands in
/// order. Bytes in and out are the same unless a fault acts, and whatever is not the same has an entry that says why.
package struct SessionMachine: Sendable {
    enum Phase: Sendable, Equatable {
        /// Heads are read.
        case opening
        /// Frames, or opaque bytes, go both ways.
        case relaying
        /// A cut, a refusal of ours or an error ended it; nothing is handed on any more.
        case over
    }

    package let id: SessionID
    var configuration: SessionConfiguration
    var nextOrdinal: UInt32 = 1
    var phase = Phase.opening
    /// Dropped once frames flow.
    var opening: Opening?
    var toServer: Lane
    var toClient: Lane
    var trigger: TriggerState
    var user: String?
    var path = ""
    var crossings: [OpenCrossing] = []
    var ends = Ends()
    /// Which hops speak TLS; to be set before the first event.
    package var hops = TLSHops()
    var pauses = Pauses()
    var visits = Visits()
    var meetings = Meetings()
    /// That side is left alone.
    var abandoned: Abandoned?
    /// The client, where a fault opened this session.
    var guest: Guest?
    /// Nil as long as no transport fault concerns the direction. Not in the lanes, which are copied often.
    var conduitToServer: Conduit?
    var conduitToClient: Conduit?
    /// Where no upgrade is under way and one may still come.
    var exchanges: Exchanges?
    var wakeAsked = Instant.distantFuture
    /// As it counts among what all sessions hold.
    var heldTold = 0
    private var scratch: [Int32] = []

    package init(configuration: SessionConfiguration, id: SessionID) {
        self.configuration = configuration
        self.id = id
        toServer = Lane(.toServer, isReady: false)
        toClient = Lane(.toClient, isReady: true)
        trigger = TriggerState(configuration)
        opening = Opening(configuration.limits)
    }

    /// Read by `get`, not by a yield: Swift 6.3.1 optimises copies of what is yielded away though it is changed while they
    /// are used, and the copy of a lane is freed twice.
    subscript(direction: Direction) -> Lane {
        get { direction == .toServer ? toServer : toClient }
        _modify {
            switch direction {
            case .toServer: yield &toServer
            case .toClient: yield &toClient
            }
        }
    }

    package mutating func handle(_ event: SessionEvent, at now: Instant, into output: inout SessionOutput) {
        if guest == nil { react(event, at: now, into: &output) } else { attend(event, at: now, into: &output) }
    }

    mutating func react(_ event: SessionEvent, at now: Instant, into output: inout SessionOutput) {
        if case .received(let side, let bytes) = event {
            if scanned(bytes, side.outgoing, at: now, &output) { return }
        }
        if case .closed(let totals) = event {
            // Nothing leaves behind the totals, be it due or not.
            closed(totals, at: now, &output)
            return settle(at: now, &output)
        }
        release(at: now, &output)
        switch event {
        case .accepted(let opened): accepted(opened, at: now, &output)
        case .resumed(let opened): resumed(opened, at: now, &output)
        case .received(let side, let bytes): received(bytes, side.outgoing, at: now, &output)
        case .ended(let side, let style): ended(side, style, at: now, &output)
        case .truncated(let side): truncated(side, at: now, &output)
        case .broken(let side, let why, let limit): broken(side, why, limit, at: now, &output)
        case .secured(let side, let words): secured(side, words, at: now, &output)
        case .connected: connected(at: now, &output)
        case .connectFailed(let reason): connectFailed(reason, at: now, &output)
        case .writable(let side, let isWritable):
            pause(side.other, .full, !isWritable, at: now, &output)
        case .recorder(let isBehind):
            for side in Side.allCases { pause(side, .recorder, isBehind, at: now, &output) }
        case .undelivered(let side, let count): undelivered(side, count, at: now, &output)
        case .wake: wakeAsked = .distantFuture
        case .crossed(let crossing): crossed(crossing, at: now, &output)
        case .crossingTaken(let crossing): settled(crossing, refused: nil, at: now, &output)
        case .crossingRefused(let crossing, let reason): settled(crossing, refused: reason, at: now, &output)
        case .visited(let number, let session, let reason): visited(number, session, refused: reason, at: now, &output)
        case .roused: roused(at: now, &output)
        case .leave: break
        case .faultsOff: faultsOff(at: now, &output)
        case .reconfigure(let configuration): reconfigure(configuration, at: now, &output)
        case .drain: drain(at: now, &output)
        case .closed: break
        }
        overdue(at: now, &output)
        release(at: now, &output)
        if exchanges != nil { settleExchanges(at: now, &output) }
        settle(at: now, &output)
    }

    // MARK: Scan lane

    /// Bytes of that side would go the short way now, and nothing here would hold on to them. It changes nothing: who asks
    /// a machine that lies in an object would otherwise copy it first, for every read.
    package mutating func keepsNothing(from side: Side) -> Bool {
        phase == .relaying && (side == .client ? toServer.isOnlyScanned : toClient.isOnlyScanned)
    }

    /// The short way: frames that nothing can select and nothing holds up. One write and one entry a read.
    private mutating func scanned(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) -> Bool {
        // Passed on, not read through the subscript: that would copy the lane for every read of a socket.
        guard phase == .relaying, direction == .toServer ? toServer.isOnlyScanned : toClient.isOnlyScanned else { return false }
        scan(bytes, direction, at: now, &output)
        output.commands.append(.write(direction.destination, bytes))
        return true
    }

    /// Follows the frames in `bytes` and writes their entry down as passing at both taps.
    mutating func scan(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        scratch.removeAll(keepingCapacity: true)
        let report =
            direction == .toServer ? toServer.scanner.scan(bytes, ends: &scratch) : toClient.scanner.scan(bytes, ends: &scratch)
        self[direction].messages &+= UInt32(truncatingIfNeeded: report.messagesStarted)
        let first = nextOrdinal
        nextOrdinal &+= UInt32(truncatingIfNeeded: report.framesEnded)
        if configuration.record {
            output.entries.append(
                RawEntry(instant: now, session: id, ordinal: first, body: .read(direction, bytes, ends: scratch)))
        }
    }

    // MARK: Entries

    @discardableResult
    mutating func note(_ body: Entry.Body, at now: Instant, _ output: inout SessionOutput) -> EntryRef {
        let ref = EntryRef(session: id, ordinal: nextOrdinal)
        nextOrdinal &+= 1
        output.entries.append(RawEntry(instant: now, session: id, ordinal: ref.ordinal, body: .value(body)))
        return ref
    }

    @discardableResult
    mutating func piece(
        _ direction: Direction, _ piece: RawEntry.Piece, _ bytes: ByteBuffer, in arrived: Instant?, out: Instant?,
        _ provenance: Provenance = .none, at now: Instant, _ output: inout SessionOutput
    ) -> EntryRef {
        let ref = EntryRef(session: id, ordinal: nextOrdinal)
        nextOrdinal &+= 1
        if configuration.record {
            output.entries.append(
                RawEntry(
                    instant: now, session: id, ordinal: ref.ordinal,
                    body: .piece(direction, piece, bytes, in: arrived, out: out, provenance)))
        }
        return ref
    }

    mutating func limit(
        _ limit: String, _ detail: String, _ direction: Direction?, at now: Instant, _ output: inout SessionOutput
    ) {
        note(.limit(LimitRecord(id: limit, detail: detail, direction: direction)), at: now, &output)
    }
}
