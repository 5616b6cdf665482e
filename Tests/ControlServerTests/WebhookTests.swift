import Journaling
import NIOCore
import NIOHTTP1
import NIOPosix
import ProxyRuntime
import Synchronization
import Testing

/// What arrives at a receiver, and what the webhook says of it.
@Suite struct WebhookTests {
    @Test(arguments: [
        ("https://chat.example/hook?key=x", "https://chat.example:443"), ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("HTTPS://[::1]:9/x", "https://[::1]:9"),
    ])
    func addresses(text: String, place: String) throws {
        #expect(try WebhookAddress(text).place == place)
    }

    @Test(arguments: [
        "chat.example", "ws://chat.example", "http://", "http:///x", "http://user:pass@chat.example/", "http://chat.example:99999",
        "http://chat.example/a b", "http://chat.example/\r\nX: y", "http://chät.example", "file:///etc/passwd",
    ])
    func whatIsNone(text: String) {
        #expect(throws: WebhookAddress.Problem.self) { try WebhookAddress(text) }
    }

    /// Made by another program: printf '1757371377.{"kind":"alert"}' | openssl dgst -sha256 -hmac secret
    @Test func signature() {
        let body = ByteBuffer(string: #"{"kind":"alert"}"#)
        #expect(
            Webhook.signature(of: body, at: 1_757_371_377, key: Array("secret".utf8))
                == "t=1757371377,v1=5a71dd1544bd5c86a58697145da630652f781a64c707280ce20220435bbec467")
    }

    private func options(_ receiver: Receiver) throws -> Webhook.Options {
        var options = Webhook.Options(try WebhookAddress("http://127.0.0.1:\(receiver.port)/hook"), program: "test", run: "r")
        (options.pause, options.longestPause, options.timeout) = (.milliseconds(10), .milliseconds(20), .seconds(2))
        return options
    }

    @Test func inOrderAndAgainAfterATrouble() async throws {
        let receiver = try await Receiver.start { count in count <= 2 ? .serviceUnavailable : .noContent }
        let troubles = Mutex<[String?]>([])
        let hook = try Webhook(try options(receiver)) { why in troubles.withLock { $0.append(why) } }
        for number in 1...5 { hook.post("{\"n\":\(number)}", kind: "alert") }
        let counts = await hook.finish(within: .seconds(10))
        #expect((counts.sent, counts.failed, counts.dropped, counts.left) == (5, 0, 0, 0))
        #expect(receiver.bodies == ["{\"n\":1}", "{\"n\":1}"] + (1...5).map { "{\"n\":\($0)}" })
        #expect(receiver.deliveries == ["r-1", "r-1", "r-1", "r-2", "r-3", "r-4", "r-5"])
        #expect(troubles.withLock { $0 } == ["it answers 503", nil])
        try await receiver.stop()
    }

    /// Neither is asked again, and the second is not gone after.
    @Test(arguments: [HTTPResponseStatus.badRequest, .temporaryRedirect])
    func whatIsRefusedIsGivenUp(status: HTTPResponseStatus) async throws {
        let receiver = try await Receiver.start { _ in status }
        let hook = try Webhook(try options(receiver))
        hook.post("{}", kind: "clear")
        hook.post("{}", kind: "clear")
        let counts = await hook.finish(within: .seconds(10))
        #expect((counts.sent, counts.failed) == (0, 2))
        #expect(receiver.bodies.count == 2)
        try await receiver.stop()
    }

    @Test func whatFindsNoRoomIsCounted() async throws {
        let receiver = try await Receiver.start { _ in .serviceUnavailable }
        var options = try options(receiver)
        (options.queue, options.pause, options.attempts) = (4, .seconds(60), 2)
        let hook = try Webhook(options)
        for _ in 1...50 { hook.post("{}", kind: "alert") }
        let counts = await hook.finish(within: .milliseconds(200))
        #expect(counts.sent == 0)
        #expect(counts.dropped >= 45)
        #expect(counts.dropped + counts.left == 50)
        try await receiver.stop()
    }

    @Test func aBurstOfViolationsDropsNoAlert() async throws {
        let receiver = try await Receiver.start { _ in .noContent }
        var options = try options(receiver)
        options.queue = 16
        let hook = try Webhook(options)
        for number in 1...2_000 { hook.post("{\"n\":\(number)}", kind: "violation") }
        for kind in ["alert", "clear"] { hook.post("{\"kind\":\"\(kind)\"}", kind: kind) }
        let counts = await hook.finish(within: .seconds(20))
        #expect(counts.dropped > 0)
        #expect(receiver.bodies.suffix(2) == ["{\"kind\":\"alert\"}", "{\"kind\":\"clear\"}"])
        try await receiver.stop()
    }

    /// A name that leads elsewhere by now is looked up again once nobody is there.
    @Test func whoMovedIsFound() async throws {
        let (gone, receiver) = (try await Receiver.start { _ in .ok }, try await Receiver.start { _ in .noContent })
        let (before, now) = (try SocketAddress(ipAddress: "127.0.0.1", port: gone.port), try SocketAddress(ipAddress: "127.0.0.1", port: receiver.port))
        try await gone.stop()
        var options = try options(receiver)
        options.attempts = 2
        let asked = Mutex(0)
        options.resolve = { _, _ in
            asked.withLock { asked in
                asked += 1
                return asked == 1 ? [before] : [now]
            }
        }
        let hook = try Webhook(options)
        for _ in 1...3 { hook.post("{}", kind: "alert") }
        let counts = await hook.finish(within: .seconds(10))
        #expect((counts.sent, counts.failed) == (2, 1))
        #expect(asked.withLock { $0 } == 2)
        try await receiver.stop()
    }

    @Test func nobodyThere() async throws {
        let receiver = try await Receiver.start { _ in .ok }
        var options = try options(receiver)
        try await receiver.stop()
        options.attempts = 2
        let hook = try Webhook(options)
        hook.post("{}", kind: "alert")
        #expect(await hook.finish(within: .seconds(10)).failed == 1)
    }

    @Test func neitherMetadataNorItself() throws {
        var options = Webhook.Options(try WebhookAddress("http://169.254.169.254/latest"), program: "test", run: "r")
        #expect(throws: RuntimeError.self) { try Webhook(options) }
        options.address = try WebhookAddress("http://127.0.0.1:9000/")
        let own = try SocketAddress(ipAddress: "0.0.0.0", port: 9_000)
        #expect(throws: RuntimeError.self) { try Webhook(options, own: [own]) }
    }
}

/// An HTTP server of NIO's that answers as the count of requests says, and keeps what came.
final class Receiver: Sendable {
    private let channel: any Channel
    private let kept: Kept
    var port: Int { channel.localAddress?.port ?? 0 }
    var bodies: [String] { kept.requests.withLock { $0.map(\.body) } }
    var deliveries: [String] { kept.requests.withLock { $0.map(\.delivery) } }

    final class Kept: Sendable {
        let requests = Mutex<[(body: String, delivery: String)]>([])
    }

    private init(_ channel: any Channel, _ kept: Kept) {
        self.channel = channel
        self.kept = kept
    }

    static func start(_ status: @escaping @Sendable (Int) -> HTTPResponseStatus) async throws -> Receiver {
        let kept = Kept()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(kept, status))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return Receiver(channel, kept)
    }

    func stop() async throws { try await channel.close() }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart
        private let kept: Kept
        private let status: @Sendable (Int) -> HTTPResponseStatus
        private var delivery = ""
        private var body = ""

        init(_ kept: Kept, _ status: @escaping @Sendable (Int) -> HTTPResponseStatus) {
            self.kept = kept
            self.status = status
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): delivery = head.headers.first(name: "Miswire-Delivery") ?? ""
            case .body(let part): body += String(buffer: part)
            case .end:
                let count = kept.requests.withLock { requests in
                    requests.append((body, delivery))
                    return requests.count
                }
                var head = HTTPResponseHead(version: .http1_1, status: status(count))
                head.headers.add(name: "Content-Length", value: "0")
                head.headers.add(name: "Location", value: "http://127.0.0.1:\(context.localAddress?.port ?? 0)/elsewhere")
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
