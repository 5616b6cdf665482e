import Captures
import Crypto
import Journaling
package import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// POSTs JSON to one address: in order, one at a time, each again after a while when the other side is not there or cannot,
/// and from a bounded queue: whoever posts never waits, and what finds no room is counted and told.
package final class Webhook: Sendable {
    package struct Options: Sendable {
        package var address: WebhookAddress
        /// Signs what is sent; nil = nothing is signed.
        package var key: [UInt8]?
        /// PEM file of CAs that its certificate may come from; nil = the system's.
        package var authorities: String?
        package var program: String
        /// Names this run in `Miswire-Delivery`, which is the same for each attempt at one message.
        package var run: String
        package var timeout: Duration = .seconds(5)
        package var attempts = 5
        /// Doubled after each attempt, up to `longestPause`.
        package var pause: Duration = .seconds(1)
        package var longestPause: Duration = .seconds(30)
        package var queue = 256
        /// Of these a quarter takes no violations: a burst of them drops no alert that comes behind it.
        var forViolations: Int { queue - queue / 4 }
        /// Link-local and metadata addresses may be dialled (trust.md T14).
        package var allowLinkLocal = false
        /// Where a name leads, when it may be dialled.
        package var resolve: @Sendable (_ place: HostPort, _ allowLinkLocal: Bool) throws(RuntimeError) -> [SocketAddress] = {
            (place, allowLinkLocal) throws(RuntimeError) in try Resolver.permitted(place, allowLinkLocal: allowLinkLocal)
        }

        package init(_ address: WebhookAddress, program: String, run: String) {
            self.address = address
            self.program = program
            self.run = run
        }
    }

    package struct Counts: Sendable, Equatable {
        package var sent = 0
        /// Given up after every attempt, or refused by the other side.
        package var failed = 0
        /// Found no room in the queue.
        package var dropped = 0
        /// Left in the queue at the end.
        package var left = 0
        package init() {}
    }

    private struct Message: Sendable {
        var number: Int
        var kind: String
        var body: ByteBuffer
    }

    private struct State {
        var counts = Counts()
        var waiting = 0
        var number = 0
        /// The last attempt failed: told once, until one succeeds.
        var isTroubled = false
        /// Where it is, at least one.
        var known: [SocketAddress] = []
    }

    private let options: Options
    private let tls: NIOSSLContext?
    private let own: [SocketAddress]
    private let state = Mutex(State())
    private let queue: AsyncStream<Message>.Continuation
    private let task: Mutex<Task<Void, Never>?>
    private let onTrouble: @Sendable (String?) -> Void

    /// Resolves the address and refuses what may not be dialled.
    /// - Parameters:
    ///   - own: where this program itself listens.
    ///   - onTrouble: one phrase when it begins to fail, nil when it works again.
    package init(
        _ options: Options, own: [SocketAddress] = [], onTrouble: @escaping @Sendable (String?) -> Void = { _ in }
    ) throws {
        if options.key != nil { ProcessSecrecy.begin() }
        self.options = options
        self.onTrouble = onTrouble
        self.own = own
        // At least one, or it would have thrown.
        let known = try Self.permitted(options, own)
        state.withLock { $0.known = known }
        if options.address.isSecure {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            if let path = options.authorities {
                configuration.trustRoots = .certificates(try TLSFiles.certificates(path, for: "--webhook-ca"))
            }
            tls = try NIOSSLContext(configuration: configuration)
        } else {
            tls = nil
        }
        let (stream, queue) = AsyncStream.makeStream(of: Message.self, bufferingPolicy: .bufferingOldest(max(1, options.queue)))
        self.queue = queue
        task = Mutex(nil)
        let work = Task { [weak self] in for await message in stream { await self?.deliver(message) } }
        task.withLock { $0 = work }
    }

    deinit { queue.finish() }

    private static func permitted(_ options: Options, _ own: [SocketAddress]) throws(RuntimeError) -> [SocketAddress] {
        let found = try options.resolve(options.address.host, options.allowLinkLocal)
        for address in found {
            for listener in own {
                if let why = Resolver.objection(to: address, listener: listener, allowLinkLocal: options.allowLinkLocal) {
                    throw .forbiddenTarget(options.address.host, why)
                }
            }
        }
        return found
    }

    package static let violation = "violation"

    /// From any thread; never waits.
    /// - Parameter kind: `alert`, `clear` or `violation`, for the field `Miswire-Event`.
    package func post(_ json: String, kind: String) {
        let place: Int? = state.withLock { state in
            state.number += 1
            // One is under way.
            if kind == Self.violation, state.waiting > options.forViolations {
                state.counts.dropped += 1
                return nil
            }
            state.waiting += 1
            return state.number
        }
        guard let number = place else { return }
        switch queue.yield(Message(number: number, kind: kind, body: ByteBuffer(string: json))) {
        case .enqueued: return
        default:
            state.withLock { state in
                state.waiting -= 1
                state.counts.dropped += 1
            }
        }
    }

    package var counts: Counts { state.withLock { $0.counts } }

    /// Takes nothing more, and sends what waits for at most so long.
    package func finish(within patience: Duration) async -> Counts {
        queue.finish()
        let work = task.withLock { $0 }
        let timer = Task {
            try? await Task.sleep(for: patience)
            work?.cancel()
        }
        await work?.value
        timer.cancel()
        return state.withLock { state in
            state.counts.left = state.waiting
            return state.counts
        }
    }

    // MARK: Sending

    private func deliver(_ message: Message) async {
        var pause = options.pause
        let known = state.withLock { $0.known }
        for attempt in 1...max(1, options.attempts) {
            // What was not sent in time stays counted as waiting.
            if Task.isCancelled { return }
            let outcome = await call(message, known[(attempt - 1) % known.count])
            if case .answered(200..<300) = outcome { return settle(isSent: true, nil) }
            let words = Self.words(outcome)
            if !Self.mayWorkLater(outcome) { return settle(isSent: false, words) }
            trouble(words)
            if attempt == options.attempts {
                settle(isSent: false, words)
                return await lookAgain()
            }
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, options.longestPause)
        }
    }

    /// Its name may lead elsewhere by now. On a thread for what waits: the system may take its time.
    private func lookAgain() async {
        let (options, own) = (options, own)
        let found = try? await NIOThreadPool.singleton.runIfActive { try Self.permitted(options, own) }
        guard let found, !found.isEmpty else { return }
        state.withLock { $0.known = found }
    }

    private func call(_ message: Message, _ peer: SocketAddress) async -> WebhookCall.Outcome {
        var headers = [
            ("Content-Type", "application/json"), ("User-Agent", "miswire/\(options.program)"), ("Miswire-Event", message.kind),
            ("Miswire-Delivery", "\(options.run)-\(message.number)"),
        ]
        if let key = options.key {
            let time = MonotonicClock.wall / 1_000_000_000
            headers.append(("Miswire-Signature", Self.signature(of: message.body, at: time, key: key)))
        }
        return await WebhookCall(address: options.address, tls: tls, timeout: options.timeout).post(message.body, headers: headers, to: peer)
    }

    /// `t=1757371377,v1=…`: HMAC-SHA256, in hexadecimal, over the seconds since 1970, a dot, and the body.
    package static func signature(of body: ByteBuffer, at seconds: Int64, key: [UInt8]) -> String {
        var code = HMAC<SHA256>(key: SymmetricKey(data: key))
        code.update(data: Array("\(seconds).".utf8))
        code.update(data: Array(body.readableBytesView))
        let digits = Array("0123456789abcdef")
        return "t=\(seconds),v1=" + String(code.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    private func settle(isSent: Bool, _ trouble: String?) {
        let isBack = state.withLock { state in
            state.waiting -= 1
            if isSent { state.counts.sent += 1 } else { state.counts.failed += 1 }
            defer { if trouble == nil { state.isTroubled = false } }
            return trouble == nil && state.isTroubled
        }
        if let trouble { self.trouble(trouble) }
        if isBack { onTrouble(nil) }
    }

    private func trouble(_ words: String) {
        let isNew = state.withLock { state in
            defer { state.isTroubled = true }
            return !state.isTroubled
        }
        if isNew { onTrouble(words) }
    }

    private static func mayWorkLater(_ outcome: WebhookCall.Outcome) -> Bool {
        switch outcome {
        case .answered(let status): status >= 500 || status == 408 || status == 425 || status == 429
        case .failed: true
        }
    }

    private static func words(_ outcome: WebhookCall.Outcome) -> String {
        switch outcome {
        case .answered(let status): "it answers \(status)"
        case .failed(let why): why
        }
    }
}
