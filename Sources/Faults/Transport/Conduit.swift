import Journaling
import NIOCore
import Wire

/// The transport faults of one direction in the profile's order, between what the session sends that way and the socket.
struct Conduit: Sendable {
    /// A rule that acts from an instant to another one.
    struct Span: Sendable {
        var rule: Int
        var from: Instant
        var to: Instant
    }
    struct Stage: Sendable {
        var span: Span
        let fault: String
        var shaper: any Shaper
        /// Bytes that it holds.
        var bytes = 0
        /// Its entry, until it is written.
        var record: FaultRecord?
    }
    /// What came out, in order.
    enum Outcome: Sendable {
        case write(ByteBuffer, apart: Bool)
        case told(Tally.Outcome)
        case lost(Int, fault: String)
        case acted(FaultRecord)
        case deed(Outbox.Item)
    }
    /// Pieces under way behind a shaper at which it makes no more of them.
    private static let mostPieces = 4_096

    private let direction: Direction
    private var spans: [Span]
    private var stages: [Stage] = []
    private var tally = Tally()
    /// Something went out behind which no byte can.
    private var isEnded = false

    init(_ direction: Direction, _ spans: [Span]) {
        self.direction = direction
        self.spans = spans
    }

    var isActive: Bool { !stages.isEmpty || !tally.isEmpty }
    var isOver: Bool { !isActive && spans.isEmpty }
    var holdsNothing: Bool { tally.isEmpty }
    /// What it holds costs so much memory.
    var price: Int { tally.price }
    var isLong: Bool { stages.contains { type(of: $0.shaper).isLong } }

    /// The next instant at which something happens here.
    var due: Instant {
        var next = spans.reduce(.distantFuture) { min($0, $1.from) }
        for (index, stage) in stages.enumerated() {
            next = min(next, stage.span.to)
            if !isCrowded(behind: index) { next = min(next, stage.shaper.due) }
        }
        return next
    }

    // MARK: Rules begin and end

    /// A rule whose time has come.
    mutating func nextSpan(at now: Instant) -> Span? {
        guard let place = spans.firstIndex(where: { $0.from <= now }) else { return nil }
        return spans.remove(at: place)
    }

    mutating func add(_ stage: Stage) {
        let place = stages.firstIndex { $0.span.rule > stage.span.rule } ?? stages.endIndex
        stages.insert(stage, at: place)
    }

    /// The rules are others. Those that are gone end at that instant; of the rest `places` tells where they stand now and
    /// for how long. None begins any more but those that are added.
    mutating func retire(_ gone: [String], _ places: [String: Span], at now: Instant) {
        spans = []
        for index in stages.indices {
            let fault = stages[index].fault
            if let place = places[fault], !gone.contains(fault) {
                stages[index].span.rule = place.rule
                stages[index].span.to = place.to
            } else {
                stages[index].span.to = min(stages[index].span.to, now)
            }
        }
    }

    mutating func add(_ more: [Span]) { spans += more }

    // MARK: Bytes

    mutating func take(_ bytes: ByteBuffer, _ note: Outbox.Note, at now: Instant, into out: inout [Outcome]) {
        tally.append(bytes, note)
        push([.bytes(bytes)], from: 0, at: now, into: &out)
    }

    mutating func take(_ item: Outbox.Item, at now: Instant, into out: inout [Outcome]) {
        push([.deed(Deed(item: item))], from: 0, at: now, into: &out)
    }

    /// Everything whose time has come, the last stage first, so that there is room for what comes from before.
    mutating func advance(at now: Instant, into out: inout [Outcome]) {
        for index in stages.indices.reversed() {
            var flow = Flow(fault: stages[index].fault, direction: direction)
            if stages[index].span.to <= now {
                stages[index].shaper.stop(into: &flow)
                leave(index, flow, into: &out)
                stages.remove(at: index)
                push(flow.pieces, from: index, at: now, into: &out)
            } else if stages[index].shaper.due <= now, !isCrowded(behind: index) {
                stages[index].shaper.wake(at: now, into: &flow)
                leave(index, flow, into: &out)
                push(flow.pieces, from: index + 1, at: now, into: &out)
            }
        }
    }

    /// More is held than may be: the longest line lets go what it took first, as often as that helps.
    mutating func relieve(to most: Int, at now: Instant, into out: inout [Outcome]) {
        while price > most,
            let index = stages.indices.filter({ type(of: stages[$0].shaper).isLong })
                .max(by: { stages[$0].bytes < stages[$1].bytes }), stages[index].bytes > 0
        {
            var flow = Flow(fault: stages[index].fault, direction: direction)
            stages[index].shaper.relieve(into: &flow)
            if flow.pieces.isEmpty { return }
            leave(index, flow, into: &out)
            push(flow.pieces, from: index + 1, at: now, into: &out)
        }
    }

    /// Nothing more leaves here.
    /// - Returns: bytes that were taken and did not leave.
    mutating func close(into out: inout [Outcome]) -> Int {
        tally.close(stages.first?.fault ?? "") { out.append(.told($0)) }
    }

    private mutating func push(_ pieces: [Piece], from first: Int, at now: Instant, into out: inout [Outcome]) {
        var pieces = pieces
        var index = first
        while index < stages.count, !pieces.isEmpty {
            var flow = Flow(fault: stages[index].fault, direction: direction)
            for piece in pieces {
                stages[index].bytes += piece.size
                stages[index].shaper.take(piece, at: now, into: &flow)
            }
            if stages[index].shaper.due <= now, !isCrowded(behind: index) {
                stages[index].shaper.wake(at: now, into: &flow)
            }
            leave(index, flow, into: &out)
            pieces = flow.pieces
            index += 1
        }
        for piece in pieces { exit(piece, at: now, into: &out) }
    }

    /// Accounts for what a stage let go or threw away.
    private mutating func leave(_ index: Int, _ flow: Flow, into out: inout [Outcome]) {
        let passed = flow.pieces.reduce(0) { $0 + $1.size }
        stages[index].bytes -= passed + flow.dropped
        if flow.hasActed, let record = stages[index].record {
            stages[index].record = nil
            out.append(.acted(record))
        }
        guard flow.dropped > 0 else { return }
        let ahead = stages[(index + 1)...].reduce(passed) { $0 + $1.bytes }
        tally.drop(flow.dropped, behind: ahead, fault: stages[index].fault) { out.append(.told($0)) }
        out.append(.lost(flow.dropped, fault: stages[index].fault))
    }

    private mutating func exit(_ piece: Piece, at now: Instant, into out: inout [Outcome]) {
        switch piece {
        case .bytes(let bytes, let apart):
            // What is behind an end stays in the tally and is told when the direction closes.
            if isEnded { return }
            out.append(.write(bytes, apart: apart))
            tally.leave(bytes.readableBytes, at: now) { out.append(.told($0)) }
        case .deed(let deed):
            if isEnded, deed.isEnd { return }
            if deed.item.ends(direction) { isEnded = true }
            out.append(.deed(deed.item))
        }
    }

    private func isCrowded(behind index: Int) -> Bool {
        guard index + 1 < stages.count else { return false }
        return stages[(index + 1)...].reduce(0) { $0 + $1.shaper.count } > Self.mostPieces
    }
}

extension Outbox.Item {
    /// No byte of that direction can go behind it.
    fileprivate func ends(_ direction: Direction) -> Bool {
        switch self {
        case .bytes, .crossing: false
        case .end, .over, .abandon: true
        case .halfClose(let side): side == direction.destination
        case .cut(let cuttings, _): cuttings.contains { $0.style == .reset || $0.side == direction.destination }
        }
    }
}
