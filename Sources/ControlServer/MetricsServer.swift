package import Journaling
import NIOCore
import NIOHTTP1
import NIOPosix
package import ProxyRuntime
import Synchronization

/// Answers `GET /metrics` and `GET /health`, and nothing else: nobody can change anything here.
package final class MetricsServer: Sendable {
    package struct Answer: Sendable, Equatable {
        package var status: Int
        package var type: String
        package var body: String
        package init(status: Int, type: String, body: String) {
            self.status = status
            self.type = type
            self.body = body
        }
    }
    /// Asked for one of the two paths; what it gives is kept for a second, so that asking costs the proxy nothing.
    package typealias Source = @Sendable (_ path: String) async -> Answer

    /// Where it listens.
    package let address: HostPort
    private let channel: any Channel
    private let desk: MetricsDesk

    private init(_ channel: any Channel, _ asked: HostPort, _ desk: MetricsDesk) {
        self.channel = channel
        self.desk = desk
        let bound = channel.localAddress
        address = HostPort(host: bound?.ipAddress ?? asked.host, port: bound?.port ?? asked.port)
    }

    package static let paths = ["/metrics", "/health"]
    /// Connections at a time (trust.md L13).
    private static let most = 64

    /// Listens from now on; until `answer(by:)` it answers 503.
    package static func start(at place: HostPort, limits: Limits = .standard) async throws -> MetricsServer {
        let desk = MetricsDesk()
        let address = try Resolver.addresses(of: place)[0]
        let patience = TimeAmount.seconds(15)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard desk.enter(most: Self.most) else { throw ChannelError.ioOnClosedChannel }
                    channel.closeFuture.whenComplete { _ in desk.leave() }
                    let pipeline = channel.pipeline.syncOperations
                    var bounds = NIOHTTPDecoderLimitConfiguration()
                    bounds.maxHeaderFieldSize = limits.headFieldBytes
                    bounds.maxHeaderListSize = limits.headBytes
                    bounds.maxHeaderFieldCount = limits.headFields
                    try pipeline.addHandler(HTTPResponseEncoder())
                    try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: bounds)))
                    try pipeline.addHandler(HTTPServerPipelineHandler())
                    try pipeline.addHandler(HTTPServerProtocolErrorHandler())
                    try pipeline.addHandler(MetricsHandler(desk, name: place.host, patience: patience))
                }
            }
            .bind(to: address).get()
        return MetricsServer(channel, place, desk)
    }

    package func answer(by source: @escaping Source) { desk.source.withLock { $0 = source } }

    package func stop() async { try? await channel.close() }
}

/// What the handlers share.
final class MetricsDesk: Sendable {
    let source = Mutex<MetricsServer.Source?>(nil)
    private let count = Atomic<Int>(0)
    private let kept = Mutex<[String: (at: ContinuousClock.Instant, answer: MetricsServer.Answer)]>([:])

    func enter(most: Int) -> Bool {
        let (_, now) = count.add(1, ordering: .relaxed)
        if now <= most { return true }
        leave()
        return false
    }

    func leave() { count.subtract(1, ordering: .relaxed) }

    func answer(_ path: String) async -> MetricsServer.Answer {
        let now = ContinuousClock.now
        if let known = kept.withLock({ $0[path] }), known.at.duration(to: now) < .seconds(1) { return known.answer }
        guard let source = source.withLock({ $0 }) else {
            return MetricsServer.Answer(status: 503, type: "text/plain; charset=utf-8", body: "the proxy is not up yet\n")
        }
        let answer = await source(path)
        kept.withLock { $0[path] = (now, answer) }
        return answer
    }
}

/// One connection.
final class MetricsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let desk: MetricsDesk
    /// The host that it was told to listen at: the one name by which it may be asked.
    private let name: String
    private let patience: TimeAmount
    private var head: HTTPRequestHead?
    private var timer: Scheduled<Void>?

    init(_ desk: MetricsDesk, name: String, patience: TimeAmount) {
        self.desk = desk
        self.name = name
        self.patience = patience
    }

    func channelActive(context: ChannelHandlerContext) {
        wait(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    /// A request must be whole so soon (trust.md L2), also the next on the same connection.
    private func wait(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head = head.take() else { return }
            respond(to: head, context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func respond(to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        if let refusal = Self.refusal(of: head, name: name) { return write(refusal, to: head, context) }
        let path = String(head.uri.prefix { $0 != "?" })
        let answer = context.eventLoop.makePromise(of: MetricsServer.Answer.self)
        answer.completeWithTask { [desk] in await desk.answer(path) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        answer.futureResult.whenSuccess { answer in
            let (handler, context) = bound.value
            if context.channel.isActive { handler.write(answer, to: head, context) }
        }
    }

    /// Why a request is not answered (trust.md T9, T12); nil = it is.
    static func refusal(of head: HTTPRequestHead, name: String) -> MetricsServer.Answer? {
        func plain(_ status: Int, _ words: String) -> MetricsServer.Answer {
            MetricsServer.Answer(status: status, type: "text/plain; charset=utf-8", body: words + "\n")
        }
        let hosts = head.headers["host"]
        guard hosts.count == 1, isOurs(hosts[0], name) else {
            return plain(421, "this listener is for localhost, for addresses and for the name that it listens at")
        }
        if head.headers.contains(name: "origin") { return plain(403, "pages of other origins read nothing here") }
        if let site = head.headers.first(name: "sec-fetch-site"), site != "none", site != "same-origin" {
            return plain(403, "pages of other sites read nothing here")
        }
        guard MetricsServer.paths.contains(String(head.uri.prefix { $0 != "?" })) else { return plain(404, "there are /metrics and /health") }
        guard head.method == .GET || head.method == .HEAD else { return plain(405, "GET alone") }
        return nil
    }

    /// `localhost`, a literal, or the name given: another name that leads here is a page's trick.
    private static func isOurs(_ host: String, _ name: String) -> Bool {
        guard let place = try? HostPort(host, defaultPort: 80) else { return false }
        let asked = place.host.lowercased()
        return asked == "localhost" || asked == name.lowercased() || (try? SocketAddress(ipAddress: place.host, port: place.port)) != nil
    }

    private func write(_ answer: MetricsServer.Answer, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let stays = request.isKeepAlive && answer.status < 400
        var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status))
        head.headers = HTTPHeaders([
            ("Content-Type", answer.type), ("Content-Length", "\(answer.body.utf8.count)"), ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"), ("Connection", stays ? "keep-alive" : "close"),
        ])
        if answer.status == 405 { head.headers.add(name: "Allow", value: "GET, HEAD") }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(string: answer.body)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in if !stays { channel.close(promise: nil) } }
        wait(context)
    }
}
