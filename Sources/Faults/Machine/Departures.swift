import Journaling
import NIOCore
import Wire

/// The way out of one direction: at once when nothing is before, else through the outbox, in order.
extension SessionMachine {
    /// Bytes that go on as they came. One entry with both taps, unless a fault holds them up: then one for the arrival
    /// and one for the departure.
    mutating func pass(
        _ bytes: ByteBuffer, _ kind: RawEntry.Piece, _ direction: Direction, arrived: Instant, at now: Instant,
        _ output: inout SessionOutput
    ) {
        if self[direction].isShut {
            lose(bytes, kind, direction, arrived: arrived, at: now, &output)
        } else if self[direction].isClear {
            piece(direction, kind, bytes, in: arrived, out: now, at: now, &output)
            write(bytes, direction, &output)
        } else if self[direction].outbox.hasHold || self[direction].isShaped {
            let ref = piece(direction, kind, bytes, in: arrived, out: nil, at: now, &output)
            queue(.bytes(bytes, .departure(kind, Provenance(source: ref))), direction, until: nil, at: now, &output)
        } else {
            queue(.bytes(bytes, .whole(kind, arrived: arrived)), direction, until: nil, at: now, &output)
        }
    }

    /// Bytes of ours, or changed or held by faults; their origin has its entry already.
    mutating func depart(
        _ bytes: ByteBuffer, _ note: Outbox.Note, _ direction: Direction, until release: Instant?, _ holds: [Hold] = [],
        at now: Instant, _ output: inout SessionOutput
    ) {
        if self[direction].isShut { return ends.lost(direction.destination, bytes.readableBytes) }
        if self[direction].isClear, (release ?? now) <= now {
            leave(bytes, note, direction, at: now, &output)
        } else {
            queue(.bytes(bytes, note), direction, until: release, holds, at: now, &output)
        }
    }

    /// The far side is gone: an arrival without departure, explained by the end's entry.
    mutating func lose(
        _ bytes: ByteBuffer, _ kind: RawEntry.Piece, _ direction: Direction, arrived: Instant, at now: Instant,
        _ output: inout SessionOutput
    ) {
        ends.lost(direction.destination, bytes.readableBytes)
        piece(direction, kind, bytes, in: arrived, out: nil, at: now, &output)
    }

    /// A deed that keeps its place in the order of bytes.
    mutating func inOrder(
        _ item: Outbox.Item, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if self[direction].isClear || self[direction].isShut {
            perform(item, direction, at: now, &output)
        } else {
            queue(item, direction, until: nil, at: now, &output)
        }
    }

    mutating func queue(
        _ item: Outbox.Item, _ direction: Direction, until release: Instant?, _ holds: [Hold] = [], wait: Int? = nil, at now: Instant,
        _ output: inout SessionOutput
    ) {
        self[direction].outbox.append(item, release: release ?? now, holds: holds, wait: wait)
        gather(item, direction, at: now)
        if let release, release > now { self[direction].outbox.hasHold = true }
        if !self[direction].isReady {
            if self[direction].outbox.bytes > configuration.limits.pendingHigh {
                pause(direction.source, .dialling, true, at: now, &output)
            }
            return
        }
        var isTold = false
        // What is due leaves at the end of this event anyway.
        while let over = excess(direction), (self[direction].outbox.first?.release ?? now) > now {
            // What another session may have taken by now cannot go on here: more is read when its answer has come.
            if case .crossing = self[direction].outbox.first?.item {
                return pause(direction.source, .crossing, true, at: now, &output)
            }
            if !isTold { limit("L10", "\(over), the oldest go on early", direction, at: now, &output) }
            isTold = true
            guard let held = self[direction].outbox.popFirst() else { return }
            if let wait = held.wait { waited(wait, over, at: now, &output) }
            goOut(held.item, direction, at: now, &output)
        }
    }

    /// More is held than may be, here or in all sessions together: one phrase.
    private func excess(_ direction: Direction) -> String? {
        let limits = configuration.limits
        if self[direction].outbox.bytes > limits.heldBytes { return "more than \(limits.heldBytes) bytes held" }
        let all = configuration.held.now + heldBytes - heldTold
        return all > limits.heldBytesTotal ? "more than \(limits.heldBytesTotal) bytes held in all sessions" : nil
    }

    /// What waits here, whatever for.
    private var heldBytes: Int {
        toServer.outbox.bytes + toClient.outbox.bytes + toServer.laterBytes + toClient.laterBytes
            + (conduitToServer?.price ?? 0) + (conduitToClient?.price ?? 0)
    }

    // MARK: Out

    /// Everything whose time has come goes.
    mutating func release(at now: Instant, _ output: inout SessionOutput) {
        releaseLater(at: now, &output)
        for direction in Direction.allCases where self[direction].isReady && !self[direction].outbox.isEmpty {
            while let first = self[direction].outbox.first, first.release <= now, self[direction].isReady {
                if trickle(direction, at: now, &output) { break }
                guard let held = self[direction].outbox.popFirst() else { break }
                if let wait = held.wait { waited(wait, nil, at: now, &output) }
                goOut(held.item, direction, at: now, &output)
            }
            if self[direction].outbox.isEmpty { self[direction].gathering = nil }
        }
        advanceConduits(at: now, &output)
    }

    /// To the socket, or into what transport faults put before it.
    private mutating func goOut(
        _ item: Outbox.Item, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if self[direction].isShaped, !self[direction].isShut {
            shape(item, direction, at: now, &output)
        } else {
            perform(item, direction, at: now, &output)
        }
    }

    /// Enough frames wait with a head: all may go.
    private mutating func gather(_ item: Outbox.Item, _ direction: Direction, at now: Instant) {
        guard let left = self[direction].gathering?.frames, left > 0, item.isFrame else { return }
        self[direction].gathering?.frames = left - 1
        if left == 1 { self[direction].outbox.releaseAll(at: now) }
    }

    /// One byte of what is due goes, and the next one has to wait. False: all that is due may go at once.
    private mutating func trickle(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) -> Bool {
        guard let gathering = self[direction].gathering, let gap = gathering.gap, gathering.bytes > 0, !self[direction].isShut,
            !self[direction].isShaped,
            let (byte, whole, note) = self[direction].outbox.popByte(next: now.advanced(by: gap))
        else { return false }
        self[direction].gathering?.bytes -= 1
        tell(whole, note, direction, at: now, &output)
        write(byte, direction, &output)
        return true
    }

    mutating func perform(
        _ item: Outbox.Item, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        switch item {
        case .bytes(let bytes, let note): leave(bytes, note, direction, at: now, &output)
        case .crossing: break
        case .end(let style): handOn(style, direction, at: now, &output)
        case .halfClose(let side): halfClose(side, &output)
        case .cut(let cuttings, let fault): cut(cuttings, fault: fault, at: now, &output)
        case .abandon(let side, let reads, let until, let fault):
            abandon(side, reads: reads, until: until, fault: fault, at: now, &output)
        case .over(let fault):
            if phase != .over { overBy(.fault, cause: fault, server: .half, at: now, &output) }
        }
    }

    private mutating func leave(
        _ bytes: ByteBuffer, _ note: Outbox.Note, _ direction: Direction, at now: Instant,
        _ output: inout SessionOutput
    ) {
        if bytes.readableBytes == 0 { return }
        if self[direction].isShut {
            ends.lost(direction.destination, bytes.readableBytes)
            if case .whole(let kind, let arrived) = note {
                piece(direction, kind, bytes, in: arrived, out: nil, at: now, &output)
            }
            return
        }
        tell(bytes, note, direction, at: now, &output)
        write(bytes, direction, &output)
    }

    /// The entries of what leaves now.
    mutating func tell(
        _ bytes: ByteBuffer, _ note: Outbox.Note, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        switch note {
        case .told: break
        case .whole(let kind, let arrived):
            piece(direction, kind, bytes, in: arrived, out: now, at: now, &output)
        case .departure(.frame, let provenance):
            for frame in Self.frames(bytes) {
                piece(direction, .frame, frame, in: nil, out: now, provenance, at: now, &output)
            }
        case .made(let provenance):
            piece(direction, .frame, bytes, in: nil, out: now, provenance, at: now, &output)
        case .departure(let kind, let provenance):
            piece(direction, kind, bytes, in: nil, out: now, provenance, at: now, &output)
        case .recoded(let provenance, let reason):
            let ref = piece(direction, .frame, bytes, in: nil, out: now, provenance, at: now, &output)
            self.note(.recoded(Recoded(on: ref, reason: reason)), at: now, &output)
        }
    }

    /// A message that a fault had in hand may leave as the fragments it came in: each has its entry.
    static func frames(_ bytes: ByteBuffer) -> [ByteBuffer] {
        var rest = bytes
        var frames: [ByteBuffer] = []
        while let header = FrameHeader(rest), header.declaredLength < UInt64(rest.readableBytes - header.size),
            let frame = rest.readSlice(length: header.size + Int(header.declaredLength))
        {
            frames.append(frame)
        }
        return frames + [rest]
    }

    /// Joined with what else this event sends there; large pieces go by themselves, uncopied.
    mutating func write(_ bytes: ByteBuffer, _ direction: Direction, _ output: inout SessionOutput) {
        if bytes.readableBytes >= 16_384 {
            flush(direction, &output)
            output.commands.append(.write(direction.destination, bytes))
        } else if self[direction].gathered.readableBytes == 0 {
            self[direction].gathered = bytes
        } else {
            self[direction].gathered.writeImmutableBuffer(bytes)
        }
    }

    mutating func flush(_ direction: Direction, _ output: inout SessionOutput) {
        guard self[direction].gathered.readableBytes > 0 else { return }
        output.commands.append(.write(direction.destination, self[direction].gathered))
        self[direction].gathered = ByteBuffer()
    }

    mutating func flushBoth(_ output: inout SessionOutput) {
        flush(.toServer, &output)
        flush(.toClient, &output)
    }

    // MARK: The end of an event

    /// What this event gathered is written, and the next instant that matters is asked for.
    mutating func settle(at now: Instant, _ output: inout SessionOutput) {
        flushBoth(&output)
        let held = heldBytes
        if held != heldTold {
            configuration.held.add(held - heldTold)
            heldTold = held
        }
        if toServer.isReady, toServer.outbox.bytes <= configuration.limits.pendingLow {
            pause(.client, .dialling, false, at: now, &output)
        }
        for direction in Direction.allCases
        where pauses.holds(direction.source, .crossing) && self[direction].outbox.bytes <= configuration.limits.heldBytes {
            pause(direction.source, .crossing, false, at: now, &output)
        }
        var next = opening?.deadline ?? .distantFuture
        if let release = toServer.outbox.first?.release, toServer.isReady { next = min(next, release) }
        if let release = toClient.outbox.first?.release { next = min(next, release) }
        next = min(next, toServer.laterDue, toClient.laterDue)
        if let until = pauses.until { next = min(next, until) }
        if let exchanges { next = min(next, exchanges.due) }
        next = min(next, min(visits.due, min(meetings.due, abandoned?.until ?? .distantFuture)))
        next = min(next, min(conduitToServer?.due ?? .distantFuture, conduitToClient?.due ?? .distantFuture))
        if phase == .over { next = .distantFuture }
        if next != wakeAsked {
            wakeAsked = next
            output.commands.append(.wake(at: next))
        }
    }

    // MARK: Reading

    /// A fault keeps that side from being read, until then or until an earlier one asked for.
    mutating func stall(_ side: Side, _ hold: Hold, at now: Instant, _ output: inout SessionOutput) {
        pauses.stalls.append((side, hold))
        pause(side, .fault, true, at: now, &output)
    }

    mutating func pause(
        _ side: Side, _ reason: Pauses.Reason, _ on: Bool, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let reads = pauses.set(side, reason, on) else { return }
        output.commands.append(.reads(side, reads))
        // Only oracles ask about silence, and only while there is something to be heard.
        guard configuration.record, phase != .over, let cause = reason.cause else { return }
        note(.hold(HoldRecord(side: side, isHeld: !reads, cause: cause)), at: now, &output)
    }
}

/// Why a side is not read from. It is again when no reason is left.
struct Pauses: Sendable {
    struct Reason: OptionSet, Sendable {
        let rawValue: UInt8
        /// The other side takes no more for now.
        static let full = Reason(rawValue: 1)
        /// The upstream is not there yet and enough waits for it.
        static let dialling = Reason(rawValue: 2)
        /// A fault asked for it.
        static let fault = Reason(rawValue: 4)
        /// For good.
        static let silent = Reason(rawValue: 8)
        /// The recorder is behind.
        static let recorder = Reason(rawValue: 16)
        /// What is held for the answer of another session is enough.
        static let crossing = Reason(rawValue: 32)
        /// Transport faults hold enough of what it sent.
        static let shaped = Reason(rawValue: 64)
        /// What it sent waits until the server has answered what it sent before.
        static let asking = Reason(rawValue: 128)

        /// How the journal calls it. Nil: a silence for good is its fault's own entry.
        var cause: HoldRecord.Cause? {
            switch self {
            case .full: .full
            case .dialling: .dialling
            case .fault, .crossing, .shaped: .fault
            case .recorder: .recorder
            default: nil
            }
        }
    }
    private var client: Reason = []
    private var server: Reason = []
    /// Pauses of faults.
    var stalls: [(side: Side, hold: Hold)] = []

    /// The next end of a pause.
    var until: Instant? { stalls.isEmpty ? nil : Side.allCases.compactMap { end($0) }.min() }

    /// When the last pause of that side ends.
    func end(_ side: Side) -> Instant? { stalls.filter { $0.side == side }.map(\.hold.until).max() }

    func reads(_ side: Side) -> Bool { side == .client ? client.isEmpty : server.isEmpty }

    func holds(_ side: Side, _ reason: Reason) -> Bool { (side == .client ? client : server).contains(reason) }

    /// Whether to read from that side, when that changed.
    mutating func set(_ side: Side, _ reason: Reason, _ on: Bool) -> Bool? {
        let before = side == .client ? client : server
        var after = before
        if on { after.insert(reason) } else { after.remove(reason) }
        if side == .client { client = after } else { server = after }
        return before.isEmpty == after.isEmpty ? nil : after.isEmpty
    }
}
