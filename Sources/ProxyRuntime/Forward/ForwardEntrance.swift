import Journaling
import NIOCore
import NIOPosix
import Wire

/// Stands at a forward proxy's new connection until it is known whom it is for and that one is there. Then the session begins,
/// with both its sockets. What it answers itself never reaches a session.
final class ForwardEntrance: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Stage {
        case asking
        case dialling
        /// A tunnel stands, and its client has said so much: is it TLS that is to be opened?
        case listening(HostPort, ByteBuffer)
        /// Of the only request, whose body is still to come; what follows it is for nobody.
        case passing(HTTPBody)
        case over
    }

    private let loop: Loop
    private let gateway: Gateway
    private let allowed: AllowList
    private var request: ForwardRequest
    private var stage = Stage.asking
    private var timer: Scheduled<Void>?
    private var upstream: Foreword?
    /// It became a session, which counts from here on.
    private var isHandedOver = false
    private var isGone = false
    private var context: ChannelHandlerContext?

    init(_ loop: Loop, _ gateway: Gateway, _ allowed: AllowList) {
        self.loop = loop
        self.gateway = gateway
        self.allowed = allowed
        request = ForwardRequest(loop.shared.options.limits)
    }

    private var limits: Limits { loop.shared.options.limits }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        loop.enter(self)
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limits.requestHeadTime.nanoseconds)) {
            if case .dialling = self.stage { return self.refuse(.late("the server was not reached in time"), context) }
            self.refuse(.init(status: 408, reason: "Request Timeout", sentence: "the request head was not whole in time"), context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
        self.context = nil
    }

    /// The proxy is stopping.
    func abandon() { context?.close(promise: nil) }

    /// It ended without a session.
    private func leave() {
        loop.left(self)
        guard !isHandedOver, !isGone else { return }
        isGone = true
        stage = .over
        timer?.cancel()
        // Its word would hold this, and this holds it.
        upstream?.onWord = nil
        upstream?.channel.close(promise: nil)
        upstream = nil
        loop.shared.sessionEnded()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch stage {
        case .asking: answer(request.take(bytes), context)
        case .listening: listen(to: bytes, context)
        case .passing(var body):
            let whole = bytes
            body.skip(&bytes)
            stage = .passing(body)
            let passed = whole.getSlice(at: whole.readerIndex, length: whole.readableBytes - bytes.readableBytes)
            if let passed, passed.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(passed)) }
        case .dialling, .over: break
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isHandedOver { return context.fireUserInboundEventTriggered(event) }
        if case .listening = stage, event as? ChannelEvent == .inputClosed {
            let pipeline = context.pipeline.syncOperations
            begin(nil, context)
            return pipeline.fireUserInboundEventTriggered(event)
        }
        // Whoever goes before an answer wants none.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isHandedOver { return context.fireErrorCaught(error) }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if isHandedOver { return context.fireChannelInactive() }
        leave()
    }

    // MARK: Whom it is for

    private func answer(_ answer: ForwardRequest.Answer, _ context: ChannelHandlerContext) {
        switch answer {
        case .partial: break
        case .refused(let refusal): refuse(refusal, context)
        case .tunnel(let place, let rest): dial(place, context) { self.tunnel(rest, to: place, context) }
        case .request(let place, let head, let isUpgrade, let rest):
            dial(place, context) { self.pass(head, isUpgrade, rest, to: place, context) }
        }
    }

    /// Resolves once, and dials what was resolved (trust.md T14).
    private func dial(_ place: HostPort, _ context: ChannelHandlerContext, then begin: @escaping () -> Void) {
        guard allowed.allows(place) else {
            return refuse(.forbidden("\(place) is not among those that may be dialled; add --allow-upstream \(place)"), context)
        }
        stage = .dialling
        // Nothing more is taken from the client than was there.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        NIOThreadPool.singleton.runIfActive(eventLoop: context.eventLoop) { Result { try Resolver.addresses(of: place) } }
            .assumeIsolated().whenComplete { outcome in
                guard case .dialling = self.stage else { return }
                do {
                    let found = try outcome.get().get()
                    if let why = found.lazy.compactMap({ self.objection(to: $0, place) }).first {
                        return self.refuse(.forbidden("\(place): \(why)"), context)
                    }
                    self.dial(found[...], place, context, begin)
                } catch {
                    self.refuse(.unreachable("\(place.host) is not found"), context)
                }
            }
    }

    private func objection(to address: SocketAddress, _ place: HostPort) -> String? {
        let isNamed = allowed.names(place) || loop.shared.options.allowLinkLocalUpstream
        return loop.shared.objection(to: address, allowLinkLocal: isNamed)
    }

    private func dial(
        _ candidates: ArraySlice<SocketAddress>, _ place: HostPort, _ context: ChannelHandlerContext, _ begin: @escaping () -> Void
    ) {
        guard let address = candidates.first else { return }
        let limits = limits
        let made = NIOLoopBoundBox<Foreword?>(nil, eventLoop: context.eventLoop)
        ClientBootstrap(group: context.eventLoop)
            .connectTimeout(.nanoseconds(limits.connectTime.nanoseconds))
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketTuning.apply(to: channel, limits: limits, inherited: false)
                    let foreword = Foreword(channel)
                    try channel.pipeline.syncOperations.addHandler(foreword)
                    made.value = foreword
                }
            }
            .connect(to: address).assumeIsolated()
            .whenComplete { outcome in
                guard case .dialling = self.stage else { return (try? outcome.get())?.close(promise: nil) ?? () }
                switch outcome {
                case .success(let channel):
                    if let why = channel.remoteAddress.flatMap({ self.objection(to: $0, place) }) {
                        channel.close(promise: nil)
                        return self.refuse(.forbidden("\(place): \(why)"), context)
                    }
                    self.upstream = made.value
                    self.timer?.cancel()
                    begin()
                case .failure(let error):
                    if candidates.count > 1 { return self.dial(candidates.dropFirst(), place, context, begin) }
                    let sentence = SocketTuning.sentence(for: error, dialling: address, within: limits.connectTime)
                    if case .connectTimeout = error as? ChannelError { return self.refuse(.late(sentence), context) }
                    self.refuse(.unreachable(sentence), context)
                }
            }
    }

    // MARK: The session begins

    private func tunnel(_ rest: ByteBuffer, to place: HostPort, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 200 Connection Established\r\n\r\n")), promise: nil)
        // The write may have met the client's reset: then all of this is over.
        guard !isGone else { return }
        guard gateway.route.opensTunnels else {
            handOver(rest, to: place, context)
            return context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        stage = .listening(place, ByteBuffer())
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(limits.requestHeadTime.nanoseconds)) {
            let seconds = self.limits.requestHeadTime.nanoseconds / 1_000_000_000
            self.loop.note("L2: no TLS began in the tunnel to \(place) within \(seconds) s: it is relayed unopened")
            self.begin(nil, context)
        }
        // Where the server speaks first it is no TLS.
        upstream?.onWord = { self.begin(nil, context) }
        upstream?.channel.read()
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        listen(to: rest, context)
    }

    private func listen(to bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .listening(let place, var heard) = stage else { return }
        heard.writeImmutableBuffer(bytes)
        stage = .listening(place, heard)
        switch TunnelOpening(heard) {
        case .unknown: break
        case .tls: begin(gateway.tunnelTLS(to: place.host), context)
        case .other: begin(nil, context)
        }
    }

    /// The tunnel's session begins.
    /// - Parameter tls: nil = whatever it carries is taken as it comes.
    private func begin(_ tls: SessionTLS?, _ context: ChannelHandlerContext) {
        guard case .listening(let place, let heard) = stage else { return }
        stage = .over
        timer?.cancel()
        isHandedOver = true
        // What its TLS reads and says is for the session alone.
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
        handOver(heard, to: place, context, tls)
    }

    private func pass(
        _ head: RequestHead, _ isUpgrade: Bool, _ rest: ByteBuffer, to place: HostPort, _ context: ChannelHandlerContext
    ) {
        var bytes = head.bytes
        var rest = rest
        if !isUpgrade {
            var body = HTTPBody(of: head, isStrict: true)
            let whole = rest
            body.skip(&rest)
            stage = .passing(body)
            rest = whole.getSlice(at: whole.readerIndex, length: whole.readableBytes - rest.readableBytes) ?? ByteBuffer()
        }
        bytes.writeImmutableBuffer(rest)
        handOver(bytes, to: place, context)
        if isUpgrade { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
    }

    private func handOver(_ bytes: ByteBuffer, to place: HostPort, _ context: ChannelHandlerContext, _ tls: SessionTLS? = nil) {
        guard let upstream else { return }
        self.upstream = nil
        upstream.onWord = nil
        isHandedOver = true
        loop.left(self)
        // Before the session begins: its faults may want the client not to be read.
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        loop.open(context.channel, to: upstream, place, by: gateway, tls, with: bytes)
    }

    // MARK: No session

    private func refuse(_ refusal: ForwardRequest.Refusal, _ context: ChannelHandlerContext) {
        if case .over = stage { return }
        if isHandedOver { return }
        stage = .over
        timer?.cancel()
        let peer = SocketTuning.text(of: context.channel.remoteAddress)
        loop.note("forward proxy: \(refusal.status) to \(peer): \(refusal.sentence)")
        let body = "miswire: \(refusal.sentence)\n"
        let text = "HTTP/1.1 \(refusal.status) \(refusal.reason)\r\nContent-Type: text/plain; charset=utf-8\r\n"
            + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        context.close(mode: .output, promise: nil)
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        // Closed at once, unread bytes would make the system drop the answer.
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(2)) { context.close(promise: nil) }
    }
}

extension ForwardRequest.Refusal {
    static func forbidden(_ sentence: String) -> Self { Self(status: 403, reason: "Forbidden", sentence: sentence) }
    static func unreachable(_ sentence: String) -> Self { Self(status: 502, reason: "Bad Gateway", sentence: sentence) }
    static func late(_ sentence: String) -> Self { Self(status: 504, reason: "Gateway Timeout", sentence: sentence) }
}
