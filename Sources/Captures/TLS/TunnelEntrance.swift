import NIOCore
import Wire

/// The way into a tunnel: CONNECT and its answer, again where that refuses (RFC 9110 section 9.3.6). All of it is plain and is
/// passed on as it comes; behind a 2xx everything begins anew.
///
/// What the client says behind a CONNECT waits for the answer, which alone tells what it is. What the server says before
/// there is a CONNECT waits too: captures tell the two directions in any order.
final class TunnelEntrance {
    typealias Piece = (item: TLSDirection.Item, time: WallTime, number: UInt64)

    enum Verdict {
        case more
        /// No tunnel comes of it: what waited, and whatever follows, is plain.
        case plain
        /// The rest is the beginning of what the tunnel holds.
        case open
    }

    private enum Answer {
        /// Nothing is asked.
        case idle
        case head
        /// Of a refusal.
        case body(HTTPBody)
    }

    let connection: Connection
    /// Tunnels around this one.
    let depth: Int
    private var request = HeadParser(.request)
    private var response = HeadParser(.response)
    /// The client's CONNECT has no answer yet.
    private var isAsked = false
    private var answer = Answer.idle
    private var waiting: [Side: CircularBuffer<Piece>] = [.client: [], .server: []]
    private(set) var waitingCost = 0
    private var ended: Set<Side> = []
    private var count: UInt64 = 0
    /// What is plain for sure, until it is taken.
    private var passed: [(side: Side, piece: Piece)] = []

    init(_ connection: Connection, depth: Int) {
        self.connection = connection
        self.depth = depth
    }

    /// Bytes that wait in memory.
    var cost: Int { waitingCost + request.held.readableBytes + response.held.readableBytes }

    /// Both sides have, so that nothing more comes.
    var hasEnded: Bool { ended.count == 2 }

    func receive(_ item: TLSDirection.Item, from side: Side, at time: WallTime) -> Verdict {
        if case .ended = item { ended.insert(side) }
        count += 1
        push((item.own, time, count), side)
        while true {
            // The client waits while it asks, the server while nothing is asked.
            if !isAsked, let piece = pop(.client) {
                if let verdict = fromClient(piece) { return verdict }
            } else if !isIdle, let piece = pop(.server) {
                if let verdict = fromServer(piece) { return verdict }
            } else {
                return .more
            }
        }
    }

    /// What is plain and was not taken before.
    func takePassed() -> [(side: Side, piece: Piece)] {
        defer { passed = [] }
        return passed
    }

    /// What still waits, in the order in which it came.
    func takeRest() -> [(side: Side, piece: Piece)] {
        let rest = waiting.flatMap { side, pieces in pieces.map { (side: side, piece: $0) } }
        waiting = [:]
        waitingCost = 0
        (request, response) = (HeadParser(.request), HeadParser(.response))
        return rest.sorted { $0.piece.number < $1.piece.number }
    }

    private var isIdle: Bool { if case .idle = answer { true } else { false } }

    // MARK: Both sides

    /// Nil: go on.
    private func fromClient(_ piece: Piece) -> Verdict? {
        guard case .bytes(var bytes) = piece.item else {
            passed.append((.client, piece))
            return .plain
        }
        // Empty lines between requests are allowed (RFC 9112 section 2.2).
        while request.held.readableBytes == 0, let byte = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self), byte == 0x0d || byte == 0x0a {
            bytes.moveReaderIndex(forwardBy: 1)
        }
        request.feed(bytes)
        switch request.next() {
        case .partial: passed.append((.client, piece))
        case .request(let head):
            split(piece, .client, before: request.takeHeld().readableBytes)
            guard head.method == "CONNECT" else { return .plain }
            isAsked = true
            if isIdle { answer = .head }
        case .notHTTP, .refused, .response:
            passed.append((.client, piece))
            return .plain
        }
        return nil
    }

    private func fromServer(_ piece: Piece) -> Verdict? {
        switch (piece.item, answer) {
        case (.bytes(let bytes), .body(var body)):
            var rest = bytes
            body.skip(&rest)
            split(piece, .server, before: rest.readableBytes)
            return adopt(body)
        case (.bytes(let bytes), _):
            response.feed(bytes)
            switch response.next() {
            case .partial: passed.append((.server, piece))
            case .response(let head):
                split(piece, .server, before: response.takeHeld().readableBytes)
                return answered(head)
            case .notHTTP, .refused, .request:
                passed.append((.server, piece))
                return .plain
            }
            return nil
        case (.gap(let count), .body(var body)):
            passed.append((.server, piece))
            return body.pass(missing: count) ? adopt(body) : .plain
        case (.gap, _):
            // Whatever the answer was: what the client says next shows it.
            push(piece, .server, atFront: true)
            return .open
        case (.ended, _):
            passed.append((.server, piece))
            return .plain
        }
    }

    private func answered(_ head: ResponseHead) -> Verdict? {
        if head.isInterim { return nil }
        guard head.status != 101 else { return .plain }
        if (200...299).contains(head.status) { return .open }
        isAsked = false
        return adopt(HTTPBody(of: head, to: "CONNECT"))
    }

    private func adopt(_ body: HTTPBody) -> Verdict? {
        guard !body.isUnknown, body != .untilEnd else { return .plain }
        answer = !body.isOver ? .body(body) : isAsked ? .head : .idle
        return nil
    }

    // MARK: What waits

    /// Passes on what stands before the last `rest` bytes; these come next.
    private func split(_ piece: Piece, _ side: Side, before rest: Int) {
        guard case .bytes(var bytes) = piece.item, let first = bytes.readSlice(length: bytes.readableBytes - rest) else { return }
        if first.readableBytes > 0 { passed.append((side, (.bytes(first), piece.time, piece.number))) }
        if rest > 0 { push((.bytes(bytes), piece.time, piece.number), side, atFront: true) }
    }

    private func push(_ piece: Piece, _ side: Side, atFront: Bool = false) {
        waitingCost += piece.item.cost
        if atFront { waiting[side]?.prepend(piece) } else { waiting[side]?.append(piece) }
    }

    private func pop(_ side: Side) -> Piece? {
        guard let piece = waiting[side]?.popFirst() else { return nil }
        waitingCost -= piece.item.cost
        return piece
    }
}
