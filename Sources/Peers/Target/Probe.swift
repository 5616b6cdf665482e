import Glibc

/// Whether something listens, found out from a thread of its own and within a bound.
enum Probe {
    enum Outcome: Sendable, Equatable {
        /// It took the connection, and answered the upgrade if one was asked for.
        case answers
        /// It, or the machine it is on, said no: one phrase that goes on after "the target".
        case refuses(String)
        /// It said nothing within the bound; likewise.
        case silent(String)
    }

    /// - Parameter upgrade: path of a WebSocket upgrade to ask for. Any answer will do, a refusal too.
    static func ask(_ endpoint: Endpoint, upgrade: String? = nil, within bound: Duration) async -> Outcome {
        let late = Outcome.silent("is not found by name within \(seconds(bound))")
        return await Threads.run(within: bound + .milliseconds(500), otherwise: late) {
            look(at: endpoint, upgrade: upgrade, within: bound)
        }
    }

    private static func look(at endpoint: Endpoint, upgrade: String?, within bound: Duration) -> Outcome {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: bound)
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(endpoint.host, String(endpoint.port), &hints, &found) == 0 else {
            return .refuses("has a name that is not known here")
        }
        defer { unsafe freeaddrinfo(found) }
        var outcome = Outcome.refuses("has no address")
        var next = unsafe found
        while let address = unsafe next {
            outcome = unsafe connect(to: address.pointee, endpoint, upgrade, bound) { clock.now.duration(to: deadline) }
            if outcome == .answers { break }
            unsafe next = address.pointee.ai_next
        }
        return outcome
    }

    private static func connect(
        to address: addrinfo, _ endpoint: Endpoint, _ upgrade: String?, _ bound: Duration, left: () -> Duration
    ) -> Outcome {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let socket = unsafe socket(address.ai_family, kind, 0)
        guard socket >= 0 else { return .refuses("cannot be asked: no socket is left") }
        defer { close(socket) }
        if unsafe Glibc.connect(socket, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { return refusal(errno) }
            guard isReady(socket, POLLOUT, left) else { return .silent("takes no connection within \(seconds(bound))") }
            var error: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0, error == 0 else {
                return refusal(error)
            }
        }
        guard let upgrade else { return .answers }
        let head = Array(
            """
            GET \(upgrade) HTTP/1.1\r\nHost: \(endpoint.host):\(endpoint.port)\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n
            """.utf8)
        guard unsafe send(socket, head, head.count, Int32(MSG_NOSIGNAL)) == head.count else { return closes }
        guard isReady(socket, POLLIN, left) else {
            return .silent("takes connections and answers no upgrade within \(seconds(bound))")
        }
        var byte: UInt8 = 0
        return unsafe recv(socket, &byte, 1, 0) == 1 ? .answers : closes
    }

    private static let closes = Outcome.refuses("closes connections without an answer")

    private static func refusal(_ error: Int32) -> Outcome {
        .refuses(error == ECONNREFUSED ? "refuses connections" : unsafe "is not reached: \(String(cString: strerror(error)))")
    }

    private static func isReady(_ socket: Int32, _ events: Int32, _ left: () -> Duration) -> Bool {
        while true {
            let rest = left()
            guard rest > .zero else { return false }
            let milliseconds = min(10_000, Int64(rest / .milliseconds(1)) + 1)
            var wanted = pollfd(fd: socket, events: Int16(events), revents: 0)
            let ready = unsafe poll(&wanted, 1, Int32(clamping: milliseconds))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return false }
        }
    }

    private static func seconds(_ bound: Duration) -> String {
        let milliseconds = Int64(bound / .milliseconds(1))
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
