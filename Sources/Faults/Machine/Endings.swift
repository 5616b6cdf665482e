import Journaling
import NIOCore
import Wire

/// What is known about the two transports' ends.
struct Ends: Sendable {
    private var lostClient: UInt64 = 0
    private var lostServer: UInt64 = 0
    private var toldClient = false
    private var toldServer = false
    /// Sides that are to end without TLS's close_notify.
    var unannounced: Set<Side> = []
    /// Silenced by a fault: its id, for the entry of the end that comes later.
    var silenced: [(side: Side, fault: String)] = []

    /// Bytes meant for a side that it never got.
    mutating func lost(_ side: Side, _ count: Int) { lost(side, UInt64(clamping: count)) }
    mutating func lost(_ side: Side, _ count: UInt64) {
        if side == .client { lostClient &+= count } else { lostServer &+= count }
    }
    mutating func takeLost(_ side: Side) -> UInt64 {
        defer { if side == .client { lostClient = 0 } else { lostServer = 0 } }
        return side == .client ? lostClient : lostServer
    }
    mutating func told(_ side: Side) {
        if side == .client { toldClient = true } else { toldServer = true }
    }
    func isTold(_ side: Side) -> Bool { side == .client ? toldClient : toldServer }
}

extension SessionMachine {
    // MARK: A peer ends

    mutating func ended(
        _ side: Side, _ style: EndStyle, by: EndRecord.By = .peer, cause: String = "", at now: Instant, _ output: inout SessionOutput
    ) {
        guard !ends.isTold(side) else { return }
        let direction = side.outgoing
        if phase == .opening { endedInOpening(side, at: now, &output) }
        stopFollowing(at: now, &output)
        abandonFrames(direction, at: now, &output)
        if style == .reset {
            shut(direction.other, at: now, &output)
            ends.told(side)
        }
        let fault = ends.silenced.first { $0.side == side }?.fault
        tell(side, style, fault == nil ? by : .fault, fault ?? cause, at: now, &output)
        guard phase != .over else { return }
        if style == .reset, !self[direction].isReady {
            shut(direction, at: now, &output)
            return overBy(.peer, cause: "the \(side.rawValue) ended", server: .reset, at: now, &output)
        }
        if abandoned != nil { return endedAlone(side, at: now, &output) }
        inOrder(.end(style), direction, at: now, &output)
    }

    private mutating func endedInOpening(_ side: Side, at now: Instant, _ output: inout SessionOutput) {
        guard let opening else { return }
        if opening.head == nil {
            becomeOpaque("the \(side.rawValue) ended before a request head was whole", at: now, &output)
        } else if side == .server {
            let held = self.opening?.response.takeHeld() ?? ByteBuffer()
            becomeOpaque("the server ended before it answered", at: now, &output)
            if held.readableBytes > 0 { pass(held, .bytes(.preamble), .toClient, arrived: now, at: now, &output) }
        }
    }

    mutating func tell(
        _ side: Side, _ style: EndStyle, _ by: EndRecord.By, _ cause: String, at now: Instant,
        _ output: inout SessionOutput
    ) {
        let record = EndRecord(side: side, style: style, by: by, cause: cause, undelivered: ends.takeLost(side))
        note(.ended(record), at: now, &output)
    }

    /// The end of a source reaches the other side, behind all its bytes.
    mutating func handOn(_ style: EndStyle, _ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard !self[direction].isShut else { return }
        let side = direction.destination
        closeConduit(direction, at: now, &output)
        let isFlushed = self[direction].gathered.readableBytes == 0
        self[direction].isShut = true
        flush(direction, &output)
        switch style {
        case .finish: output.commands.append(finish(side))
        case .reset:
            // What this event still wrote must not be dropped by the reset.
            output.commands.append(.close(side, isFlushed ? .reset : .half))
            abandonFrames(direction.other, at: now, &output)
            shut(direction.other, at: now, &output)
            guard !ends.isTold(side) else { return phase = .over }
            ends.told(side)
            tell(side, style, .peer, "the \(side.other.rawValue) reset its connection", at: now, &output)
            phase = .over
        }
    }

    /// Nothing more goes this way; what waited is lost, and told as taken without having left.
    mutating func shut(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        flush(direction, &output)
        self[direction].isShut = true
        dropInserts(direction, at: now, &output)
        for later in self[direction].later { ends.lost(direction.destination, later.wire.readableBytes) }
        self[direction].later = []
        while let held = self[direction].outbox.popFirst() {
            switch held.item {
            case .bytes(let bytes, .whole(let kind, let arrived)):
                lose(bytes, kind, direction, arrived: arrived, at: now, &output)
            case .bytes(let bytes, _): ends.lost(direction.destination, bytes.readableBytes)
            case .crossing(_, _, let parts):
                for part in parts where part.isAside { ends.lost(direction.destination, part.bytes.readableBytes) }
            case .end, .halfClose, .cut, .abandon, .over: break
            }
            if let wait = held.wait { waited(wait, "the connection ended", at: now, &output) }
        }
        closeConduit(direction, at: now, &output)
    }

    // MARK: We end

    mutating func halfClose(_ side: Side, _ output: inout SessionOutput) {
        let direction = side.other.outgoing
        guard !self[direction].isShut else { return }
        flush(direction, &output)
        self[direction].isShut = true
        output.commands.append(finish(side))
    }

    mutating func cut(
        _ cuttings: [Outbox.Cutting], fault: String, at now: Instant, _ output: inout SessionOutput
    ) {
        flushBoth(&output)
        for cutting in cuttings {
            switch cutting.style {
            case .reset:
                output.commands.append(.close(cutting.side, .reset))
                shut(cutting.side.other.outgoing, at: now, &output)
                tell(cutting.side, .reset, .fault, fault, at: now, &output)
                ends.told(cutting.side)
            case .half:
                halfClose(cutting.side, &output)
                tell(cutting.side, .finish, .fault, fault, at: now, &output)
            case .silent:
                shut(cutting.side.other.outgoing, at: now, &output)
                pause(cutting.side, .silent, true, at: now, &output)
                ends.silenced.append((cutting.side, fault))
            }
        }
        guard cuttings.contains(where: { $0.style == .reset }) else { return }
        for side in Side.allCases where !ends.isTold(side) {
            shut(side.other.outgoing, at: now, &output)
            output.commands.append(.close(side, .half))
            tell(side, .finish, .fault, fault, at: now, &output)
            ends.told(side)
        }
        phase = .over
    }

    /// We end the session: a limit, a refusal, a fault's own answer, or an end with nobody to hand it to.
    mutating func overBy(
        _ by: EndRecord.By, cause: String, server: CutStyle?, at now: Instant, _ output: inout SessionOutput
    ) {
        flushBoth(&output)
        phase = .over
        for direction in Direction.allCases {
            abandonFrames(direction, at: now, &output)
            shut(direction, at: now, &output)
        }
        if !ends.isTold(.client) {
            output.commands.append(.close(.client, .half))
            tell(.client, .finish, by, cause, at: now, &output)
            ends.told(.client)
        }
        if let server { output.commands.append(.close(.server, server)) }
        if let server, !ends.isTold(.server), opening?.dial != .waiting(until: nil) {
            tell(.server, server == .reset ? .reset : .finish, by, cause, at: now, &output)
        }
        ends.told(.server)
    }

    // MARK: The whole proxy's doing

    mutating func drain(at now: Instant, _ output: inout SessionOutput) {
        guard phase == .opening, opening?.head == nil else { return }
        overBy(.tool, cause: "the proxy is shutting down", server: .reset, at: now, &output)
    }

    // MARK: Afterwards

    mutating func undelivered(_ side: Side, _ count: UInt64, at now: Instant, _ output: inout SessionOutput) {
        ends.lost(side, count)
    }

    /// Every byte taken has an entry, every byte lost is told of, and nothing follows the totals.
    mutating func closed(_ totals: Totals, at now: Instant, _ output: inout SessionOutput) {
        phase = .over
        if !configuration.borrows.isEmpty { configuration.lender.withdraw(id) }
        loseHeads(at: now, &output)
        opening = nil
        for direction in Direction.allCases {
            abandonFrames(direction, at: now, &output)
            shut(direction, at: now, &output)
            self[direction].gathered = ByteBuffer()
        }
        endVisits("the session ended before", at: now, &output)
        for asked in visits.asked { note(.fault(asked.record), at: now, &output) }
        leaveMeetings()
        for crossing in crossings { note(.fault(crossing.record), at: now, &output) }
        crossings = []
        for side in Side.allCases {
            let lost = ends.takeLost(side)
            guard lost > 0 else { continue }
            let fault = ends.silenced.first { $0.side == side }?.fault
            note(
                .ended(
                    EndRecord(
                        side: side, style: .reset, by: fault == nil ? .peer : .fault, cause: fault ?? "bytes it never took",
                        undelivered: lost)), at: now, &output)
        }
        note(.closed(totals), at: now, &output)
    }
}
