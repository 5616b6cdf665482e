import Journaling
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// One POST over a connection of its own: the answer's status counts, its content is not read. Redirections are answers like
/// others and are not followed.
struct WebhookCall: Sendable {
    enum Outcome: Sendable, Equatable {
        case answered(Int)
        /// `connection refused`
        case failed(String)
    }

    let address: WebhookAddress
    let tls: NIOSSLContext?
    let timeout: Duration
    /// Bytes of an answer after which nobody listens any more.
    private static let mostAnswered = 64 << 10

    private static var bounds: NIOHTTPDecoderLimitConfiguration {
        var bounds = NIOHTTPDecoderLimitConfiguration()
        bounds.maxHeaderFieldSize = Limits.standard.headFieldBytes
        bounds.maxHeaderListSize = Limits.standard.headBytes
        bounds.maxHeaderFieldCount = Limits.standard.headFields
        return bounds
    }

    func post(_ body: ByteBuffer, headers: [(String, String)], to peer: SocketAddress) async -> Outcome {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let answer = loop.makePromise(of: Int.self)
        var head = HTTPRequestHead(version: .http1_1, method: .POST, uri: address.target)
        head.headers = HTTPHeaders([("Host", address.field), ("Content-Length", "\(body.readableBytes)"), ("Connection", "close")] + headers)
        let request = head
        let bootstrap = ClientBootstrap(group: loop).connectTimeout(.nanoseconds(timeout.nanoseconds))
            .channelInitializer { [tls, address] channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls { try pipeline.addHandler(try NIOSSLClientHandler(context: tls, serverHostname: Self.name(address.host.host))) }
                    try pipeline.addHandler(HTTPRequestEncoder())
                    try pipeline.addHandler(ByteToMessageHandler(HTTPResponseDecoder(limitConfiguration: Self.bounds)))
                    try pipeline.addHandler(WebhookExchange(request, body, answer, most: Self.mostAnswered))
                }
            }
        let connecting = bootstrap.connect(to: peer)
        connecting.whenFailure { answer.fail($0) }
        let timer = loop.scheduleTask(in: .nanoseconds(timeout.nanoseconds)) { answer.fail(ChannelError.connectTimeout(.zero)) }
        let outcome: Outcome
        do {
            outcome = .answered(
                try await withTaskCancellationHandler {
                    try await answer.futureResult.get()
                } onCancel: {
                    answer.fail(ChannelError.eof)
                })
        } catch { outcome = .failed(Self.words(error)) }
        timer.cancel()
        connecting.whenSuccess { $0.close(promise: nil) }
        return outcome
    }

    /// RFC 6066 section 3: literals are no server names.
    private static func name(_ host: String) -> String? { (try? SocketAddress(ipAddress: host, port: 1)) == nil ? host : nil }

    static func words(_ error: any Error) -> String {
        if case .connectTimeout = error as? ChannelError { return "no answer in time" }
        if let error = error as? IOError { return SocketTuning.words(for: error.errnoCode) }
        if error is NIOSSLError || error is NIOSSLExtraError || error is BoringSSLError { return "its certificate or its TLS is not good" }
        return error is ChannelError ? "the connection ended without an answer" : "no HTTP answer"
    }
}

private final class WebhookExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart
    private let head: HTTPRequestHead
    private let body: ByteBuffer
    private let answer: EventLoopPromise<Int>
    private let most: Int
    private var read = 0

    init(_ head: HTTPRequestHead, _ body: ByteBuffer, _ answer: EventLoopPromise<Int>, most: Int) {
        self.head = head
        self.body = body
        self.answer = answer
        self.most = most
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): if head.status.code >= 200 { answer.succeed(Int(head.status.code)) }
        case .body(let part):
            read += part.readableBytes
            if read > most { context.close(promise: nil) }
        case .end: context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(ChannelError.eof) }
}
