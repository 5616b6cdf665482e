import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import Testing

/// Turns a stream of HTTP/2 into what a `RawPeer` knows: heads arrive as text, a field a line and an empty line behind them,
/// and the content of DATA as it is. Heads go out by `SendHead`.
final class StreamCodec: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    struct SendHead: Sendable {
        var fields: HPACKHeaders
        var end = false
    }
    /// Arrives in the place of a reset.
    static func reset(_ code: HTTP2ErrorCode) -> [UInt8] { Array("\n!reset \(code.networkCode)\n".utf8) }

    static func text(_ fields: HPACKHeaders) -> String { fields.map { "\($0.name)=\($0.value)\n" }.joined() + "\n" }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers):
            context.fireChannelRead(wrapInboundOut(ByteBuffer(string: Self.text(headers.headers))))
            if headers.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        case .data(let data):
            if case .byteBuffer(let bytes) = data.data, bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
            if data.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let closed = error as? NIOHTTP2Errors.StreamClosed, closed.errorCode != .noError {
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: Self.reset(closed.errorCode))))
        }
        context.fireErrorCaught(error)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(unwrapOutboundIn(data))))), promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let head = event as? SendHead else { return context.triggerUserOutboundEvent(event, promise: promise) }
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: head.fields, endStream: head.end))), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))), promise: promise)
    }
}

extension RawPeer {
    func send(head fields: HPACKHeaders, end: Bool = false) async throws {
        try await channel.triggerUserOutboundEvent(StreamCodec.SendHead(fields: fields, end: end)).soon()
    }

    /// The first head that came, as text with the empty line.
    func head() async throws -> String {
        try await until { String(decoding: $0.bytes, as: UTF8.self).contains("\n\n") || $0.closed }
        let text = String(decoding: seen.bytes, as: UTF8.self)
        let end = try #require(text.range(of: "\n\n"))
        return String(text[..<end.upperBound])
    }
}

/// What concerns the whole connection: its settings, and what the other side says of its end.
private final class RootFrames: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    private let settings: EventLoopPromise<HTTP2Settings>
    private let goAway: EventLoopPromise<HTTP2ErrorCode>
    init(_ settings: EventLoopPromise<HTTP2Settings>, _ goAway: EventLoopPromise<HTTP2ErrorCode>) {
        self.settings = settings
        self.goAway = goAway
    }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data).payload {
        case .settings(.settings(let list)): settings.succeed(list)
        case .goAway(_, let code, _): goAway.succeed(code)
        default: break
        }
    }
    func channelInactive(context: ChannelHandlerContext) {
        settings.fail(ChannelError.eof)
        goAway.fail(ChannelError.eof)
    }
}

/// A client's connection by prior knowledge.
final class StreamClient: Sendable {
    let channel: any Channel
    let settings: HTTP2Settings
    let goAway: EventLoopFuture<HTTP2ErrorCode>
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer

    init(port: Int) async throws {
        let loop = RawPeer.group.next()
        let (settings, goAway) = (loop.makePromise(of: HTTP2Settings.self), loop.makePromise(of: HTTP2ErrorCode.self))
        channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.contentLengthValidation = .disabled
                    let sync = channel.pipeline.syncOperations
                    _ = try sync.configureHTTP2Pipeline(
                        mode: .client, connectionConfiguration: configuration, streamConfiguration: .init()
                    ) { $0.close() }
                    try sync.addHandler(RootFrames(settings, goAway))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        multiplexer = try await channel.pipeline.handler(type: NIOHTTP2Handler.self).flatMapThrowing { try $0.syncMultiplexer() }.get()
        self.settings = try await settings.futureResult.soon()
        self.goAway = goAway.futureResult
    }

    func stream(_ fields: HPACKHeaders, end: Bool = false) async throws -> RawPeer {
        let peer = RawPeer()
        _ = try await multiplexer.createStreamChannel { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(StreamCodec())
                try RawPeer.configure(channel, peer, isStream: true)
            }
        }.get()
        try await peer.send(head: fields, end: end)
        return peer
    }

    func webSocket(_ path: String = "/ws", _ extra: HPACKHeaders = [:]) async throws -> RawPeer {
        var fields: HPACKHeaders = [
            ":method": "CONNECT", ":protocol": "websocket", ":scheme": "http", ":path": path, ":authority": "chat.example:7",
            "sec-websocket-version": "13",
        ]
        fields.add(contentsOf: extra)
        return try await stream(fields)
    }

    func close() async { try? await channel.close() }
}

/// A server by prior knowledge that hands out the streams that come.
final class StreamServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let arrivals: StreamArrivals

    init(_ settings: HTTP2Settings = [HTTP2Setting(parameter: .enableConnectProtocol, value: 1)]) async throws {
        let (stream, continuation) = AsyncStream<RawPeer>.makeStream()
        arrivals = StreamArrivals(stream)
        channel = try await ServerBootstrap(group: RawPeer.group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    var configuration = NIOHTTP2Handler.ConnectionConfiguration()
                    configuration.initialSettings = settings
                    configuration.contentLengthValidation = .disabled
                    _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
                        mode: .server, connectionConfiguration: configuration, streamConfiguration: .init()
                    ) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            let peer = RawPeer()
                            try stream.pipeline.syncOperations.addHandler(StreamCodec())
                            try RawPeer.configure(stream, peer, isStream: true)
                            continuation.yield(peer)
                        }
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    /// The next stream; waits for it at most 60 s.
    func next() async throws -> RawPeer {
        try await withThrowingTaskGroup(of: RawPeer?.self) { group in
            group.addTask { await self.arrivals.next() }
            group.addTask {
                try await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            return try #require(try await group.next() ?? nil)
        }
    }

    func close() async { try? await channel.close() }
}

private actor StreamArrivals {
    private var iterator: AsyncStream<RawPeer>.AsyncIterator
    init(_ stream: AsyncStream<RawPeer>) { iterator = stream.makeAsyncIterator() }
    func next() async -> RawPeer? {
        var copy = iterator
        let peer = await copy.next(isolation: self)
        iterator = copy
        return peer
    }
}
