import Journaling
import NIOCore
import Wire

/// The first request of a client to a forward proxy: whom it wants to talk to, and what of it the server gets.
struct ForwardRequest {
    enum Answer: Equatable {
        /// More has to come.
        case partial
        /// CONNECT: everything behind its head goes to that place.
        case tunnel(HostPort, rest: ByteBuffer)
        /// The request itself goes there, its target in origin form (RFC 9112 section 3.2.1). `isUpgrade`: so does what
        /// follows it; else the connection serves this one request.
        case request(HostPort, RequestHead, isUpgrade: Bool, rest: ByteBuffer)
        case refused(Refusal)
    }
    struct Refusal: Error, Equatable {
        var status: Int
        var reason: String
        var sentence: String

        static func bad(_ sentence: String) -> Refusal { Refusal(status: 400, reason: "Bad Request", sentence: sentence) }
    }

    private var parser: HeadParser

    init(_ limits: Limits) {
        parser = HeadParser(
            .request,
            limits: HeadLimits(
                total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes,
                fields: limits.headFields))
    }

    mutating func take(_ bytes: ByteBuffer) -> Answer {
        parser.feed(bytes)
        switch parser.next() {
        case .partial, .response: return .partial
        case .notHTTP(let reason): return .refused(.bad("a forward proxy is asked in HTTP/1.1: \(reason)"))
        case .refused(let refusal):
            let reason = refusal.isLimit ? "Request Header Fields Too Large" : "Bad Request"
            return .refused(Refusal(status: refusal.status, reason: reason, sentence: "request head: \(refusal.detail)"))
        case .request(let head):
            do throws(Refusal) { return try answer(head, parser.takeHeld()) } catch { return .refused(error) }
        }
    }

    private func answer(_ head: RequestHead, _ rest: ByteBuffer) throws(Refusal) -> Answer {
        if head.method == "CONNECT" {
            guard let place = Self.place(head.target, defaultPort: nil) else {
                throw .bad("CONNECT takes HOST:PORT (RFC 9110 section 9.3.6)")
            }
            return .tunnel(place, rest: rest)
        }
        guard let scheme = head.target.range(of: "://") else {
            throw .bad("this is a forward proxy; ask it with CONNECT, or with a whole URL")
        }
        switch head.target[..<scheme.lowerBound].lowercased() {
        case "http", "ws": break
        case "https", "wss": throw .bad("what is encrypted goes through CONNECT")
        default: throw .bad("only http and ws URLs are passed on")
        }
        let authority = head.target[scheme.upperBound...].prefix { !"/?#".contains($0) }
        guard let place = Self.place(String(authority), defaultPort: 80) else { throw .bad("the URL names no host") }
        if let host = head.value("host"), Self.place(host, defaultPort: 80) != place {
            throw .bad("Host and the URL name two hosts")
        }
        let origin = try Self.origin(head, from: authority.endIndex)
        return .request(place, origin, isUpgrade: head.isWebSocketUpgrade, rest: rest)
    }

    /// The same request for the server itself. Who is no WebSocket gets one answer: the next request may be for another host.
    private static func origin(_ head: RequestHead, from start: String.Index) throws(Refusal) -> RequestHead {
        var path = String(head.target[start...])
        if !path.hasPrefix("/") { path = "/" + path }
        // It was measured as it came.
        let ours = HeadLimits(total: .max, field: .max, startLine: .max, fields: .max)
        do throws(HeadRefusal) {
            let moved = try RequestHead(head.replacing(head.targetRange, with: path), limits: ours)
            if head.isWebSocketUpgrade { return moved }
            let bare = try RequestHead(moved.removingAll("connection"), limits: ours)
            let plain = try RequestHead(bare.removingAll("proxy-connection"), limits: ours)
            return try RequestHead(plain.adding("Connection", "close"), limits: ours)
        } catch {
            throw .bad("request head: \(error.detail)")
        }
    }

    private static func place(_ text: String, defaultPort: Int?) -> HostPort? {
        guard !text.isEmpty, text.first != ":", let place = try? HostPort(text, defaultPort: defaultPort), place.port > 0,
            place.host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        return HostPort(host: place.host.lowercased(), port: place.port)
    }
}

extension String {
    fileprivate func range(of word: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(word) { return start..<index(start, offsetBy: word.count) }
            start = index(after: start)
        }
        return nil
    }
}
