import Journaling
import NIOCore
import Wire

/// How flows begin, are told apart, and are forgotten.
extension Reassembler {
    mutating func begin(_ key: FlowKey, _ state: Flow.State) throws(ImportError) -> Int {
        if free.isEmpty, flows.count >= max(2, limits.importFlows) { try evict() }
        nextGeneration &+= 1
        let flow: Int
        if let place = free.popLast() {
            flow = place
        } else {
            flow = flows.count
            flows.append(Flow(key: key, state: state, generation: nextGeneration))
            halves.append(HalfStream())
            halves.append(HalfStream())
            tails.makeRoom(halves: halves.count)
        }
        flows[flow] = Flow(key: key, state: state, generation: nextGeneration)
        flows[flow].lastPacket = packet
        halves[flow &* 2] = HalfStream()
        halves[flow &* 2 &+ 1] = HalfStream()
        table.insert(key, flow)
        if state == .undecided {
            line.join(
                WaitingLine.Entry(flow: flow, generation: nextGeneration, subject: 2, time: clock, packet: packet))
        }
        return flow
    }

    /// The flow that this SYN belongs to: the one there is, or a new one.
    mutating func synchronize(
        _ found: Int?, _ key: FlowKey, _ fromLow: Bool, _ segment: TCPSegment
    ) throws(ImportError) -> Int {
        let first = segment.sequence &+ 1
        if let found {
            if try adopt(found, fromLow, segment) { return found }
            try retire(found)
            forget(found)
        }
        let flow = try begin(key, .undecided)
        let half = flow &* 2 &+ (fromLow ? 0 : 1)
        anchor(half, first)
        flows[flow].isWhole = true
        flows[flow].clientIsLow = segment.hasAcknowledgement ? !fromLow : fromLow
        if segment.hasAcknowledgement { try answered(flow, half ^ 1, segment.acknowledged) }
        return flow
    }

    /// Whether the SYN is this flow's own: sent again, its answer, or late.
    private mutating func adopt(_ flow: Int, _ fromLow: Bool, _ segment: TCPSegment) throws(ImportError) -> Bool {
        let half = flow &* 2 &+ (fromLow ? 0 : 1)
        let first = segment.sequence &+ 1
        switch flows[flow].state {
        case .free: return false
        case .closed:
            // Ports are taken again, and first numbers too; nobody calls so late for what is over.
            let (since, far) = clock.subtractingReportingOverflow(flows[flow].closedAt)
            guard !far, since <= Flow.afterlife else { return false }
            return halves[half].isAnchored && halves[half].first == first
        case .live:
            if halves[half].isAnchored { return halves[half].first == first }
            anchor(half, first)
            if segment.hasAcknowledgement { _ = try known(flow) }
            return true
        case .undecided:
            let own = flows[flow].held.filter { $0.fromLow == fromLow }
            let fits = own.allSatisfy { (0...limits.importGapBytes).contains(StreamPlace.distance(first, $0.piece.at)) }
            guard fits, !halves[half].isAnchored || halves[half].first == first else { return false }
            anchor(half, first)
            flows[flow].isWhole = true
            flows[flow].clientIsLow = segment.hasAcknowledgement ? !fromLow : fromLow
            if segment.hasAcknowledgement {
                try answered(flow, half ^ 1, segment.acknowledged)
            } else if halves[half ^ 1].isAnchored {
                try decide(flow)
            }
            return true
        }
    }

    /// The call is answered: both sides' first bytes are known.
    private mutating func answered(_ flow: Int, _ caller: Int, _ first: UInt32) throws(ImportError) {
        // An answer may acknowledge data that came with the call (RFC 7413).
        if !halves[caller].isAnchored { anchor(caller, first) }
        try decide(flow)
        _ = try known(flow)
    }

    // MARK: Flows that began before the capture did

    /// Keeps a segment of a flow whose beginning may still turn up.
    mutating func hold(_ flow: Int, _ fromLow: Bool, _ segment: TCPSegment, _ bytes: RawSpan) throws(ImportError) {
        let half = flow &* 2 &+ (fromLow ? 0 : 1)
        if segment.isReset {
            try decide(flow)
            guard flows[flow].state == .live else { return }
            return try reset(flow, half, segment)
        }
        if segment.hasAcknowledgement { holdAcknowledgement(half ^ 1, segment.acknowledged) }
        let at = segment.isSynchronize ? segment.sequence &+ 1 : segment.sequence
        guard segment.count > 0 || segment.missing > 0 || segment.isFinish else { return }
        let piece = piece(at, bytes, segment.start, segment.count, segment.missing)
        flows[flow].held.append(
            HeldSegment(fromLow: fromLow, piece: piece, isFinish: segment.isFinish, time: time, packet: packet))
        flows[flow].heldCost += piece.cost
        waiting += piece.cost
        if flows[flow].heldCost > limits.importGapBytes || flows[flow].held.count >= Flow.mostHeld
            || waiting > limits.importGapBytesTotal
        {
            try decide(flow)
        }
    }

    private mutating func holdAcknowledgement(_ half: Int, _ at: UInt32) {
        if !halves[half].hasAcknowledged || StreamPlace.distance(halves[half].leastAcknowledged, at) < 0 {
            halves[half].leastAcknowledged = at
        }
        if !halves[half].hasAcknowledged || StreamPlace.distance(halves[half].acknowledged, at) > 0 {
            halves[half].acknowledged = at
            halves[half].hasAcknowledged = true
        }
    }

    /// Where the flow begins is settled with what is there: a SYN, else the first byte seen of each side.
    mutating func decide(_ flow: Int) throws(ImportError) {
        let held = flows[flow].held
        waiting -= flows[flow].heldCost
        flows[flow].held = []
        flows[flow].heldCost = 0
        flows[flow].state = .live
        // An end of something that was never seen is no connection.
        if !flows[flow].isWhole, !held.contains(where: { $0.piece.length > 0 }) { return close(flow) }
        for fromLow in [true, false] {
            let half = flow &* 2 &+ (fromLow ? 0 : 1)
            guard !halves[half].isAnchored else { continue }
            var first = held.first { $0.fromLow == fromLow }?.piece.at
            for segment in held where segment.fromLow == fromLow {
                if let least = first, StreamPlace.distance(least, segment.piece.at) < 0 { first = segment.piece.at }
            }
            // With a SYN of the other side the first ACK is of the first byte; without it nobody knows of how many.
            if halves[half].hasAcknowledged, flows[flow].isWhole || first == nil {
                let least = halves[half].leastAcknowledged
                if let place = first {
                    first = StreamPlace.distance(least, place) < 0 ? place : least
                } else {
                    first = least
                }
            }
            if let first { anchor(half, first) }
        }
        let (now, number) = (time, packet)
        if let first = held.first { (time, packet) = (first.time, first.packet) }
        if !flows[flow].isWhole {
            let guess = ClientGuess.of(flows[flow].key, held)
            flows[flow].clientIsLow = guess.clientIsLow
            let client = guess.clientIsLow ? flows[flow].key.low : flows[flow].key.high
            try note(
                flow,
                "the connection had begun before the capture; \(client) is taken for the client because \(guess.reason)"
            )
        }
        for segment in held where flows[flow].state == .live {
            (time, packet) = (segment.time, segment.packet)
            try replay(flow, segment)
        }
        (time, packet) = (now, number)
        for half in [flow &* 2, flow &* 2 &+ 1] where flows[flow].state == .live && halves[half].isAnchored {
            if unseen(half) > 0 { wait(flow, half) }
        }
    }

    private mutating func replay(_ flow: Int, _ segment: HeldSegment) throws(ImportError) {
        let half = flow &* 2 &+ (segment.fromLow ? 0 : 1)
        let bytes = unsafe segment.piece.bytes.withUnsafeReadableBytes { unsafe Array($0) }
        if segment.piece.length > 0 {
            try unsafe accept(
                flow, half, segment.piece.at, bytes.span.bytes, 0, bytes.count, Int(segment.piece.missing))
        }
        if segment.isFinish, flows[flow].state == .live {
            try finish(flow, half, segment.piece.at &+ UInt32(truncatingIfNeeded: segment.piece.length))
        }
    }

    // MARK: Forgetting

    /// The flow's sides ended, or nothing more of it is wanted; late segments still find it.
    mutating func close(_ flow: Int) {
        guard flows[flow].state != .closed, flows[flow].state != .free else { return }
        for half in [flow &* 2, flow &* 2 &+ 1] {
            waiting -= halves[half].pending.cost
            halves[half].pending = PendingPieces()
            halves[half].isOver = true
        }
        waiting -= flows[flow].heldCost
        flows[flow].held = []
        flows[flow].heldCost = 0
        flows[flow].state = .closed
        flows[flow].closedAt = clock
        closed.append((flow, flows[flow].generation))
        if closedHead > 65_536, closedHead * 2 > closed.count {
            closed.removeFirst(closedHead)
            closedHead = 0
        }
    }

    /// Passes on what waits and says that nothing more comes.
    mutating func retire(_ flow: Int) throws(ImportError) {
        if flows[flow].state == .undecided { try decide(flow) }
        guard flows[flow].state == .live else { return }
        for half in [flow &* 2, flow &* 2 &+ 1] where flows[flow].state == .live { try giveUp(flow, half) }
        guard flows[flow].state == .live else { return }
        if flows[flow].id != 0 {
            try sink.gone(flows[flow].id, at: time)
        } else {
            tally.unanswered += 1
        }
        close(flow)
    }

    /// Frees the flow's place.
    mutating func forget(_ flow: Int) {
        guard flows[flow].state == .closed else { return }
        table.remove(flows[flow].key)
        flows[flow].state = .free
        free.append(flow)
    }

    /// Makes room for one more: a flow that is over, else the one of a few that was silent for longest.
    private mutating func evict() throws(ImportError) {
        while closedHead < closed.count {
            let oldest = closed[closedHead]
            closedHead += 1
            guard flows[oldest.flow].generation == oldest.generation, flows[oldest.flow].state == .closed else {
                continue
            }
            return forget(oldest.flow)
        }
        var stalest = hand % flows.count
        for step in 0..<min(64, flows.count) {
            let candidate = (hand &+ step) % flows.count
            if flows[candidate].lastPacket < flows[stalest].lastPacket { stalest = candidate }
        }
        hand = (hand &+ 64) % flows.count
        tally.evicted += 1
        if flows[stalest].id != 0 {
            try note(
                stalest,
                "more connections are open at once than are kept (L15: \(limits.importFlows)); this one is forgotten")
        }
        try retire(stalest)
        forget(stalest)
    }
}
