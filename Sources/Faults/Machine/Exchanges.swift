import Journaling
import NIOCore
import Wire

/// Requests and answers on a connection that may still be upgraded (RFC 9112 section 9.3): where each begins and ends, and
/// whether everything asked is answered. Nothing of bodies is kept, and of the client only what cannot go on yet: a head that
/// is not whole, and what stands behind a request for another protocol.
struct Exchanges: Sendable {
    enum Step: Sendable {
        /// The next bytes of the client go on as they came.
        case pass(ByteBuffer)
        /// More has to come, from the client or from the server.
        case wait
        /// The client says what must not be passed on.
        case refused(Refusal)
        /// Nothing can be followed here any more; one phrase.
        case lost(String)
    }
    struct Refusal: Sendable {
        var status: Int
        /// `T22` or `L1`
        var id: String
        var detail: String
    }
    private enum Client: Sendable {
        case head
        case body(HTTPBody)
        /// Behind a request for another protocol than WebSocket, which has no answer yet.
        case asking
        /// An upgrade is whole. It waits until everything before it is answered, so that whatever answers it, be it a fault,
        /// does so in its turn.
        case upgrade
        /// As `upgrade`: a refusal of ours is an answer too.
        case refused(Refusal)
    }

    private let heads: HeadLimits
    private let headTime: Duration
    private var client = Client.head
    private var request: HeadParser
    private var response: HeadParser
    /// Bytes of the client that were not read yet; what stands before them is in `request`, or is `ready`.
    private var unread = ByteBuffer()
    /// The upgrade's head.
    private var ready = ByteBuffer()
    private var isAsking = false
    /// The body of the answer under way; nil: its head is next.
    private var answer: HTTPBody?
    /// Methods of the requests without a whole answer, oldest first.
    private var unanswered: [String]
    /// When the head begun must be whole (trust.md L2).
    private(set) var due = Instant.distantFuture
    private static let mostUnanswered = 1_000

    private init(_ limits: Limits, unanswered: [String]) {
        heads = HeadLimits(
            total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes,
            fields: limits.headFields)
        headTime = limits.requestHeadTime
        request = HeadParser(.request, limits: heads)
        response = HeadParser(.response, limits: heads)
        self.unanswered = unanswered
    }

    /// Behind the head of a connection's first request, which is no upgrade. Nil: it goes on with what is no HTTP.
    init?(behind head: RequestHead, _ limits: Limits) {
        guard head.method != "CONNECT" else { return nil }
        self.init(limits, unanswered: [head.method])
        begin(head)
    }

    /// Behind the head of the answer that refused an upgrade.
    init(refused head: ResponseHead, _ limits: Limits) {
        self.init(limits, unanswered: ["GET"])
        answered(head, "GET")
    }

    private var held: Int { request.held.readableBytes + unread.readableBytes + ready.readableBytes }

    /// An upgrade, or a refusal of ours, waits for its turn.
    var hasDecided: Bool {
        switch client {
        case .upgrade, .refused: true
        case .head, .body, .asking: false
        }
    }

    /// More is kept than may wait for the server (trust.md L9).
    func isFull(_ most: Int) -> Bool {
        if case .asking = client { return held > most }
        return hasDecided && held > most
    }

    var refusal: Refusal? { if case .refused(let refusal) = client { refusal } else { nil } }

    /// Everything asked is answered.
    var isIdle: Bool { unanswered.isEmpty }

    /// Of the only request without an answer nothing has come yet, so that one of ours may stand in its place.
    var isUntouched: Bool { unanswered.count <= 1 && answer == nil && response.held.readableBytes == 0 }

    /// All bytes of the client that did not go on.
    mutating func takeHeld() -> ByteBuffer {
        var all = ready
        let parts = [request.takeHeld(), unread]
        for part in parts where part.readableBytes > 0 {
            if all.readableBytes == 0 { all = part } else { all.writeImmutableBuffer(part) }
        }
        ready = ByteBuffer()
        unread = ByteBuffer()
        return all
    }

    // MARK: The client

    mutating func feed(_ bytes: ByteBuffer) {
        if unread.readableBytes == 0 { unread = bytes } else { unread.writeImmutableBuffer(bytes) }
    }

    /// What becomes of the client's bytes; to be asked until it says `wait`.
    mutating func next(at now: Instant) -> Step {
        switch client {
        case .asking, .upgrade, .refused: return .wait
        case .body(let body): return pass(body)
        case .head: return nextHead(at: now)
        }
    }

    private mutating func pass(_ body: HTTPBody) -> Step {
        guard unread.readableBytes > 0 else { return .wait }
        var body = body
        var rest = unread
        body.skip(&rest)
        guard !body.isUnknown, let passed = unread.readSlice(length: unread.readableBytes - rest.readableBytes) else {
            return .refused(Refusal(status: 400, id: "T22", detail: "request body: its chunks are malformed"))
        }
        client = body.isOver ? (isAsking ? .asking : .head) : .body(body)
        return .pass(passed)
    }

    private mutating func nextHead(at now: Instant) -> Step {
        if request.held.readableBytes == 0 {
            guard unread.readableBytes > 0 else { return .wait }
            if let empty = takeEmptyLines() { return .pass(empty) }
            if unread.readableBytes == 1, unread.getInteger(at: unread.readerIndex, as: UInt8.self) == 0x0d { return .wait }
        }
        if unread.readableBytes > 0 { request.feed(unread) }
        unread = ByteBuffer()
        switch request.next() {
        case .partial, .response:
            if due == .distantFuture { due = now.advanced(by: headTime) }
            return .wait
        case .notHTTP(let reason): return .lost(reason)
        case .refused(let refusal):
            due = .distantFuture
            client = .refused(
                Refusal(status: refusal.status, id: refusal.isLimit ? "L1" : "T22", detail: "request head: \(refusal.detail)"))
            return .wait
        case .request(let head):
            due = .distantFuture
            unread = request.takeHeld()
            return took(head)
        }
    }

    /// Empty lines between requests are allowed (RFC 9112 section 2.2).
    private mutating func takeEmptyLines() -> ByteBuffer? {
        var count = 0
        while unread.getInteger(at: unread.readerIndex + count, as: UInt16.self) == 0x0d0a { count += 2 }
        return count > 0 ? unread.readSlice(length: count) : nil
    }

    private mutating func took(_ head: RequestHead) -> Step {
        if head.isWebSocketUpgrade {
            ready = head.bytes
            client = .upgrade
            return .wait
        }
        if head.method == "CONNECT" || unanswered.count >= Self.mostUnanswered {
            ready = head.bytes
            return .lost(
                head.method == "CONNECT" ? "the method is CONNECT" : "\(unanswered.count) requests have no answer")
        }
        unanswered.append(head.method)
        begin(head)
        return .pass(head.bytes)
    }

    private mutating func begin(_ head: RequestHead) {
        // What follows is no HTTP if the server says so, and that is known with its answer.
        isAsking = head.first("upgrade") != nil
        let body = HTTPBody(of: head, isStrict: true)
        client = body.isOver ? (isAsking ? .asking : .head) : .body(body)
    }

    // MARK: The server

    /// Follows bytes of the server that went on.
    /// - Returns: why nothing can be followed any more; one phrase.
    mutating func answered(_ bytes: ByteBuffer) -> String? {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            guard let method = unanswered.first else { return "the server spoke unasked" }
            if var body = answer {
                body.skip(&bytes)
                if body.isUnknown { return "the end of an answer cannot be told" }
                answer = body
                if body.isOver { finishAnswer() }
                continue
            }
            response.feed(bytes)
            switch response.next() {
            case .partial, .request: return nil
            case .notHTTP(let reason): return "the server's answer: \(reason)"
            case .refused(let refusal): return "response head: \(refusal.detail)"
            case .response(let head):
                bytes = response.takeHeld()
                if head.isInterim { continue }
                if head.status == 101 { return "it goes on with another protocol" }
                answered(head, method)
            }
        }
        return nil
    }

    private mutating func answered(_ head: ResponseHead, _ method: String) {
        let body = HTTPBody(of: head, to: method)
        answer = body
        if body.isOver { finishAnswer() }
    }

    private mutating func finishAnswer() {
        answer = nil
        unanswered.removeFirst()
        if case .asking = client, unanswered.isEmpty { client = .head }
    }
}

extension SessionMachine {
    /// Bytes of a connection that may still be upgraded.
    mutating func exchange(
        _ bytes: ByteBuffer, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        if direction == .toServer {
            exchanges?.feed(bytes)
        } else {
            pass(bytes, .bytes(.opaque), .toClient, arrived: now, at: now, &output)
            if exchanges?.answered(bytes) != nil { return stopFollowing(at: now, &output) }
        }
        advanceExchanges(at: now, &output)
    }

    private mutating func advanceExchanges(at now: Instant, _ output: inout SessionOutput) {
        while phase != .over, let step = exchanges?.next(at: now) {
            switch step {
            case .pass(let bytes): pass(bytes, .bytes(.opaque), .toServer, arrived: now, at: now, &output)
            case .lost: return stopFollowing(at: now, &output)
            case .refused(let refusal): return refuse(refusal, at: now, &output)
            case .wait:
                let isFull = exchanges?.isFull(configuration.limits.pendingHigh) ?? false
                return pause(.client, .asking, isFull, at: now, &output)
            }
        }
    }

    /// From here on bytes pass as they come, and nobody looks for an upgrade among them.
    mutating func stopFollowing(at now: Instant, _ output: inout SessionOutput) {
        guard var last = exchanges else { return }
        exchanges = nil
        pause(.client, .asking, false, at: now, &output)
        let held = last.takeHeld()
        if held.readableBytes > 0 { pass(held, .bytes(.opaque), .toServer, arrived: now, at: now, &output) }
    }

    /// A further head that is not whole in time (trust.md L2): whatever it becomes, it passes.
    mutating func exchangesOverdue(at now: Instant, _ output: inout SessionOutput) {
        guard let due = exchanges?.due, due <= now else { return }
        limit("L2", "a further request head was not whole in time, no upgrade is looked for any more", .toServer, at: now, &output)
        stopFollowing(at: now, &output)
    }

    /// An upgrade that follows other exchanges is a session of its own, as an import makes of it: the one before ends when all
    /// of it has left.
    mutating func settleExchanges(at now: Instant, _ output: inout SessionOutput) {
        guard exchanges?.hasDecided == true, exchanges?.isIdle == true, phase == .relaying, isQuiet else { return }
        if let refusal = exchanges?.refusal { return refuse(refusal, at: now, &output) }
        pause(.client, .asking, false, at: now, &output)
        guard var last = exchanges, pauses.reads(.client), pauses.reads(.server) else { return }
        exchanges = nil
        flushBoth(&output)
        note(.note("the connection goes on with an upgrade, which is another session"), at: now, &output)
        phase = .over
        output.commands.append(.succeed(last.takeHeld()))
    }

    /// Nothing waits anywhere to go on.
    private var isQuiet: Bool {
        toServer.isReady && !toServer.isShut && !toClient.isShut && toServer.outbox.isEmpty && toClient.outbox.isEmpty
            && conduitToServer?.holdsNothing ?? true && conduitToClient?.holdsNothing ?? true && crossings.isEmpty
            && !ends.isTold(.client) && !ends.isTold(.server)
    }

    private mutating func refuse(_ refusal: Exchanges.Refusal, at now: Instant, _ output: inout SessionOutput) {
        if exchanges?.isUntouched == true, toClient.outbox.isEmpty, conduitToClient?.holdsNothing ?? true {
            let reason = refusal.id == "L1" ? "Request Header Fields Too Large" : "Bad Request"
            return refuse(refusal.status, reason, refusal.id, refusal.detail, at: now, &output)
        }
        // In the middle of another answer ours would be taken for a part of it.
        loseHeads(at: now, &output)
        limit(refusal.id, refusal.detail, .toServer, at: now, &output)
        overBy(.tool, cause: refusal.detail, server: .reset, at: now, &output)
    }

    /// The transports of a session that ended go on with this one.
    mutating func resumed(_ opened: Opened, at now: Instant, _ output: inout SessionOutput) {
        note(.opened(opened), at: now, &output)
        trigger.accepted(at: now)
        hops.clientIsOpen = false
        let headIsDue = now.advanced(by: configuration.limits.requestHeadTime)
        opening?.stageEnds = headIsDue
        opening?.dial = .connected
        toServer.isReady = true
    }
}
