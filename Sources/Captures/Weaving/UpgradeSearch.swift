import Journaling
import NIOCore
import Wire

/// Looks for the WebSocket upgrade on one connection: behind other requests and their answers, pipelined or not, and inside
/// a tunnel that CONNECT opened. It keeps heads that are not whole and what cannot be read yet; nothing of bodies.
///
/// Where it is not known what came before (the capture began later, or lacks a part), an upgrade counts only when the
/// server's 101 answers its very key, and both stand at the beginning of a read: that is proof and no guess.
struct UpgradeSearch: Sendable {
    /// What one read brought.
    enum Find: Sendable {
        case nothing
        /// An upgrade is asked for, and these client bytes stand behind its head.
        case request(RequestHead, rest: ByteBuffer)
        /// The bytes of the server from the answer to the upgrade on.
        case answer(ByteBuffer)
        /// On a connection with an unknown past: the upgrade, its answer, and what each side sent behind it.
        case pair(RequestHead, ResponseHead, client: ByteBuffer, server: ByteBuffer)
        /// Nothing can be found here any more; one phrase.
        case none(String)
        /// As `none`, but a session may be lost with it.
        case unreadable(String)
    }

    private enum Stage: Sendable, Equatable {
        case head
        case body(HTTPBody)
        /// Client only: behind a CONNECT that has no answer yet.
        case tunnel
        /// Client only: the upgrade is asked for.
        case asked
    }

    private let heads: HeadLimits
    private var request: HeadParser
    private var response: HeadParser
    private var client = Stage.head
    private var server = Stage.head
    /// Methods of the requests that have no answer yet, oldest first.
    private var unanswered: [String] = []
    /// Client bytes behind a CONNECT or behind the candidate; server bytes before any request.
    private var clientEarly = ByteBuffer()
    private var serverEarly = ByteBuffer()
    /// Client bytes that waited for the answer to a CONNECT which is there now.
    private var released = ByteBuffer()
    /// Tunnels opened within one another.
    private var depth = 0
    private var isSeeking: Bool
    /// An upgrade seen where the past is unknown.
    private var candidate: RequestHead?
    private static let mostUnanswered = 4_096
    /// A proxy behind a proxy is real; a chain of them is somebody's trap.
    private static let mostTunnels = 4

    init(_ limits: Limits, isWhole: Bool) {
        heads = HeadLimits(
            total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes, fields: limits.headFields)
        request = HeadParser(.request, limits: heads)
        response = HeadParser(.response, limits: heads)
        isSeeking = !isWhole
    }

    /// Bytes kept for later.
    var held: Int {
        request.held.readableBytes + response.held.readableBytes + clientEarly.readableBytes + serverEarly.readableBytes
            + released.readableBytes
    }

    /// An upgrade waits for the answers to the requests before it.
    private var isAsked: Bool { client == .asked }

    mutating func take(_ bytes: ByteBuffer, from side: Side) -> Find {
        if isSeeking { return side == .client ? seekRequest(bytes) : seekAnswer(bytes) }
        var find = side == .client ? fromClient(bytes) : fromServer(bytes)
        // What one side says may set free what was kept of the other. Each round reads at least one head of it.
        while case .nothing = find {
            if released.readableBytes > 0 {
                let waiting = released
                released = ByteBuffer()
                find = fromClient(waiting)
            } else if serverEarly.readableBytes > 0, !unanswered.isEmpty {
                // The server said it too early, as captures tell it.
                let early = serverEarly
                serverEarly = ByteBuffer()
                find = fromServer(early)
            } else {
                break
            }
        }
        return find
    }

    /// Server bytes that came before the upgrade was asked for; call it behind `request`.
    mutating func takeEarly() -> Find {
        let early = serverEarly
        serverEarly = ByteBuffer()
        return early.readableBytes > 0 ? fromServer(early) : .nothing
    }

    /// A part of that side's bytes is missing. False: from here on the past is unknown.
    mutating func lack(_ count: UInt64, from side: Side) -> Bool {
        if !isSeeking {
            switch side == .client ? client : server {
            case .body(var body):
                if body.pass(missing: count) {
                    if side == .client { client = .body(body) } else { server = .body(body) }
                    return true
                }
            default: break
            }
        }
        seek()
        return false
    }

    private mutating func seek() {
        isSeeking = true
        request = HeadParser(.request, limits: heads)
        response = HeadParser(.response, limits: heads)
        clientEarly = ByteBuffer()
        serverEarly = ByteBuffer()
        released = ByteBuffer()
        unanswered = []
        candidate = nil
    }

    // MARK: Following requests and answers

    private mutating func fromClient(_ bytes: ByteBuffer) -> Find {
        var bytes = bytes
        while true {
            switch client {
            case .body(var body):
                body.skip(&bytes)
                if body.isUnknown { return .unreadable("the length of a request's body is unclear") }
                client = body.isOver ? .head : .body(body)
                if !body.isOver { return .nothing }
            case .tunnel: return keep(&clientEarly, bytes)
            case .asked: return .nothing
            case .head:
                if bytes.readableBytes == 0 { return .nothing }
                // Empty lines between requests are allowed (RFC 9112 section 2.2).
                while request.held.readableBytes == 0, bytes.first == 0x0d || bytes.first == 0x0a {
                    bytes.moveReaderIndex(forwardBy: 1)
                }
                request.feed(bytes)
                switch request.next() {
                case .partial, .response: return .nothing
                case .notHTTP(let reason): return .none(reason)
                case .refused(let refusal): return .unreadable("request head: \(refusal.detail)")
                case .request(let head):
                    bytes = request.takeHeld()
                    if let find = took(head, &bytes) { return find }
                }
            }
        }
    }

    /// Nil: go on with the bytes behind the head.
    private mutating func took(_ head: RequestHead, _ bytes: inout ByteBuffer) -> Find? {
        if head.has("websocket", in: "upgrade") {
            client = .asked
            return .request(head, rest: bytes)
        }
        guard unanswered.count < Self.mostUnanswered else { return .unreadable("\(unanswered.count) requests have no answer") }
        unanswered.append(head.method)
        guard head.method != "CONNECT" else {
            client = .tunnel
            return keep(&clientEarly, bytes)
        }
        client = .body(HTTPBody(of: head))
        return nil
    }

    private mutating func fromServer(_ bytes: ByteBuffer) -> Find {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            guard let method = unanswered.first else {
                if isAsked { return .answer(bytes) }
                if !Self.mayBeHTTP(serverEarly.readableBytes > 0 ? serverEarly : bytes) { return .none("the server spoke first") }
                return keep(&serverEarly, bytes)
            }
            if case .body(var body) = server {
                body.skip(&bytes)
                if body.isUnknown { return .unreadable("the length of an answer's body is unclear") }
                server = body.isOver ? .head : .body(body)
                if body.isOver { unanswered.removeFirst() }
                continue
            }
            response.feed(bytes)
            switch response.next() {
            case .partial, .request: return .nothing
            case .notHTTP(let reason): return .none("the server's answer: \(reason)")
            case .refused(let refusal): return .unreadable("response head: \(refusal.detail)")
            case .response(let head):
                bytes = response.takeHeld()
                if head.isInterim { continue }
                if head.status == 101 { return .none("it went on with \(head.value("upgrade") ?? "another protocol")") }
                if method == "CONNECT" {
                    if let find = answered(head) { return find }
                    continue
                }
                server = .body(HTTPBody(of: head, to: method))
                if case .body(let body) = server, body.isOver {
                    server = .head
                    unanswered.removeFirst()
                }
            }
        }
        return .nothing
    }

    /// The answer to a CONNECT: within the tunnel everything begins anew. Nil: go on with the bytes behind it, and then with
    /// what the client said meanwhile.
    private mutating func answered(_ head: ResponseHead) -> Find? {
        released = clientEarly
        clientEarly = ByteBuffer()
        client = .head
        if (200...299).contains(head.status) {
            depth += 1
            guard depth <= Self.mostTunnels else {
                return .unreadable("more than \(Self.mostTunnels) tunnels within one another")
            }
            unanswered = []
            server = .head
        } else {
            let body = HTTPBody(of: head, to: "CONNECT")
            server = body.isOver ? .head : .body(body)
            if body.isOver { unanswered.removeFirst() }
        }
        return nil
    }

    private static func mayBeHTTP(_ bytes: ByteBuffer) -> Bool {
        let mark = "HTTP/".utf8
        return bytes.readableBytesView.prefix(mark.count).elementsEqual(mark.prefix(bytes.readableBytes))
    }

    private func keep(_ buffer: inout ByteBuffer, _ bytes: ByteBuffer) -> Find {
        guard buffer.readableBytes + bytes.readableBytes <= heads.total else {
            return .unreadable("more than \(heads.total) bytes came before they could be read")
        }
        if buffer.readableBytes > 0 || bytes.storageCapacity > 4 * max(bytes.readableBytes, 64) {
            buffer.writeImmutableBuffer(bytes)
        } else {
            // The rest of a read, behind one head after the other, is not copied each time; nor does it keep much else alive.
            buffer = bytes
        }
        return .nothing
    }

    // MARK: With an unknown past

    private mutating func seekRequest(_ bytes: ByteBuffer) -> Find {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let begins = bytes.readableBytesView.starts(with: "GET ".utf8)
            if candidate != nil, !begins {
                if case .unreadable = keep(&clientEarly, bytes) { forgetCandidate() }
                return .nothing
            }
            guard begins || request.held.readableBytes > 0 else { return .nothing }
            forgetCandidate()
            request.feed(bytes)
            switch request.next() {
            case .request(let head):
                bytes = request.takeHeld()
                if head.isWebSocketUpgrade {
                    candidate = head
                    clientEarly = bytes
                    return .nothing
                }
            case .partial: return .nothing
            case .notHTTP, .refused, .response:
                request = HeadParser(.request, limits: heads)
                return .nothing
            }
        }
        return .nothing
    }

    private mutating func forgetCandidate() {
        candidate = nil
        clientEarly = ByteBuffer()
    }

    private mutating func seekAnswer(_ bytes: ByteBuffer) -> Find {
        let begins = bytes.readableBytesView.starts(with: "HTTP/1.1 101".utf8)
        guard begins || response.held.readableBytes > 0 else { return .nothing }
        if begins { response = HeadParser(.response, limits: heads) }
        response.feed(bytes)
        switch response.next() {
        case .partial: return .nothing
        case .response(let head):
            let rest = response.takeHeld()
            guard let asked = candidate, head.accepts(asked) else { return .nothing }
            return .pair(asked, head, client: clientEarly, server: rest)
        case .notHTTP, .refused, .request:
            response = HeadParser(.response, limits: heads)
            return .nothing
        }
    }
}

extension ByteBuffer {
    fileprivate var first: UInt8? { getInteger(at: readerIndex) }
}
