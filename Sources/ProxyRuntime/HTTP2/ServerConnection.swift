import Journaling
import NIOCore
import NIOHTTP2
import Wire

/// A connection to a server that speaks HTTP/2. Its streams wait until the server has said that WebSocket may be spoken on
/// them (RFC 8441 section 3).
final class ServerConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// `http` or `https`.
    let scheme: String
    /// What TLS settled: `TLS 1.3, h2`.
    private(set) var secured: String?
    private let limits: Limits
    private var context: ChannelHandlerContext?
    private var multiplexer: NIOHTTP2Handler.StreamMultiplexer?
    private enum State { case waiting, ready, failed(String) }
    private var state = State.waiting
    private var streams = 0
    private var waiters: [(configure: (any Channel, ServerStream) throws -> Void, failed: (String) -> Void)] = []
    private var timer: Scheduled<Void>?
    private let onGone: (ServerConnection) -> Void

    /// - Parameter onGone: it takes no more streams.
    init(scheme: String, _ limits: Limits, onGone: @escaping (ServerConnection) -> Void) {
        self.scheme = scheme
        self.limits = limits
        self.onGone = onGone
    }

    /// Puts HTTP/2 at the end of a channel; streams are made when the server's settings are there.
    func install(on channel: any Channel) throws {
        multiplexer = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .client, connectionConfiguration: HTTP2Limits.connection(limits, isServer: false),
            streamConfiguration: HTTP2Limits.stream(limits)
        ) { pushed in
            // Push is switched off; whoever does it all the same is not listened to.
            pushed.close()
        }
        try channel.pipeline.syncOperations.addHandler(self)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limits.connectTime.nanoseconds)) {
            self.fail("the server sent no HTTP/2 settings within \(self.limits.connectTime.components.seconds) s")
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail("the server ended the connection before its HTTP/2 settings")
        self.context = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let trouble = error as? TLSTrouble { return fail(trouble.sentence) }
        guard HTTP2Trouble.endsConnection(error) else { return }
        fail("the server \(HTTP2Trouble.phrase(error))")
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        guard let tls = event as? TLSSecured else { return }
        guard tls.applicationProtocol == "h2" else { return fail("the server does not offer HTTP/2 over TLS (ALPN h2)") }
        secured = "\(tls.version), h2"
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings(let settings)):
            guard case .waiting = state else { return }
            let speaks = settings.last { $0.parameter == .enableConnectProtocol }?.value == 1
            guard speaks else {
                return fail("the server takes no WebSocket over HTTP/2 (its settings lack SETTINGS_ENABLE_CONNECT_PROTOCOL)")
            }
            becameReady()
        case .goAway: retire()
        default: break
        }
    }

    private func becameReady() {
        state = .ready
        timer?.cancel()
        let waiting = waiters
        waiters = []
        for waiter in waiting { makeStream(waiter.configure, waiter.failed) }
    }

    /// Nothing was or will be said on it.
    func fail(_ sentence: String) {
        timer?.cancel()
        let waiting = waiters
        waiters = []
        if case .failed = state { return }
        state = .failed(sentence)
        onGone(self)
        for waiter in waiting { waiter.failed(sentence) }
        if streams == 0 { context?.close(promise: nil) }
    }

    /// Takes no further streams; those that it has go on.
    private func retire() {
        if case .waiting = state { return fail("the server refused the connection (GOAWAY)") }
        state = .failed("the server is going away (GOAWAY)")
        onGone(self)
    }

    // MARK: Streams

    /// - Parameters:
    ///   - configure: makes the stream's channel ready; called once, unless it fails.
    ///   - failed: told why there is no stream; the sentence's subject is the server.
    func open(_ configure: @escaping (any Channel, ServerStream) throws -> Void, failed: @escaping (String) -> Void) {
        switch state {
        case .waiting: waiters.append((configure, failed))
        case .ready: makeStream(configure, failed)
        case .failed(let sentence): failed(sentence)
        }
    }

    private func makeStream(
        _ configure: @escaping (any Channel, ServerStream) throws -> Void, _ failed: @escaping (String) -> Void
    ) {
        guard let multiplexer, let eventLoop = context?.eventLoop else { return failed("the server ended the connection") }
        streams += 1
        let heads = HeadLimits(
            total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes, fields: limits.headFields)
        let stream = ServerStream(self, heads)
        let bound = NIOLoopBound((stream, configure), eventLoop: eventLoop)
        let promise = eventLoop.makePromise(of: (any Channel).self)
        promise.futureResult.assumeIsolated().whenFailure { _ in
            self.streamEnded(stream)
            failed("the server takes no further streams")
        }
        multiplexer.createStreamChannel(promise: promise) { channel in
            channel.eventLoop.makeCompletedFuture {
                let (stream, configure) = bound.value
                try channel.pipeline.syncOperations.addHandler(stream)
                try configure(channel, stream)
            }
        }
    }

    func streamEnded(_ stream: ServerStream) {
        guard !stream.isOver else { return }
        stream.isOver = true
        streams -= 1
        guard streams == 0, waiters.isEmpty else { return }
        close()
    }

    /// Nobody is left who uses it.
    private func close() {
        if case .ready = state {
            state = .failed("the connection to the server is closed")
            onGone(self)
        }
        if let context { GoAway.say(context, thenClose: true) }
    }
}
