import NIOCore
import NIOHTTP2
import Wire

/// One stream to a server: the bytes of HTTP/1.1 that its `Link` writes go out as an extended CONNECT and its tunnel, or as
/// one plain exchange, and the server's answer comes in as HTTP/1.1 would have brought it.
final class ServerStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Outbound { case head, tunnel, body(HTTPBody), over }
    private enum Inbound { case head, content, over }

    let outlet = StreamOutlet()
    private let connection: ServerConnection
    private var outbound = Outbound.head
    private var inbound = Inbound.head
    private var request: HeadParser
    private var isTunnel = false
    /// The connection knows that it is over.
    var isOver = false
    private var wasClosed = false
    /// Of the upgrade; nil for a plain request.
    private var key: String?

    init(_ connection: ServerConnection, _ limits: HeadLimits) {
        self.connection = connection
        request = HeadParser(.request, limits: limits)
    }

    func handlerRemoved(context: ChannelHandlerContext) { connection.streamEnded(self) }

    // MARK: To the server

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        if bytes.readableBytes > 0 { take(bytes, context) }
        if let promise { outlet.whenOut(promise) }
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        switch outbound {
        case .tunnel: outlet.send(bytes, covering: bytes.readableBytes, context)
        case .body(let body): send(bytes, of: body, context)
        case .head: readHead(bytes, context)
        // Behind a plain request: its answer says that the connection closes.
        case .over: break
        }
    }

    private func readHead(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        request.feed(bytes)
        switch request.next() {
        case .partial, .response: return
        // Bytes that are no HTTP have no stream to go on.
        case .notHTTP, .refused: return context.close(promise: nil)
        case .request(let head): send(head, context)
        }
        let rest = request.takeHeld()
        if rest.readableBytes > 0 { take(rest, context) }
    }

    private func send(_ head: RequestHead, _ context: ChannelHandlerContext) {
        let opens = head.isWebSocketUpgrade
        key = opens ? head.value("sec-websocket-key") : nil
        let body = HTTPBody(of: head, isStrict: true)
        let ends = !opens && body.isOver
        let fields = EquivalentHeads.fields(of: head, scheme: connection.scheme)
        outlet.send(.headers(.init(headers: fields, endStream: ends)), covering: head.bytes.readableBytes, context)
        outbound = opens ? .tunnel : ends ? .over : .body(body)
    }

    private func send(_ bytes: ByteBuffer, of body: HTTPBody, _ context: ChannelHandlerContext) {
        var (rest, body) = (bytes, body)
        let content = body.content(&rest)
        if body.isUnknown { return context.close(promise: nil) }
        outbound = body.isOver ? .over : .body(body)
        if content.readableBytes > 0 { outlet.send(content, covering: bytes.readableBytes - rest.readableBytes, context) }
        if body.isOver { outlet.endWhenOut(context) }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input else { return context.close(mode: mode, promise: promise) }
        if !outlet.isReset { endOutput(context) }
        // An end that is under way is not to be overtaken by a reset, unless it takes too long.
        let isEnding = !outlet.isReset && inputIsOver && outlet.hasEnded && !wasClosed
        if mode == .all { wasClosed = true }
        guard mode == .all, !isEnding, context.channel.isActive else {
            promise?.succeed()
            return
        }
        context.close(mode: .all, promise: promise)
    }

    private func endOutput(_ context: ChannelHandlerContext) {
        switch outbound {
        case .tunnel: outlet.end(context)
        case .head, .body: if context.channel.isActive { context.close(mode: .all, promise: nil) }
        case .over: break
        }
    }

    // MARK: From the server

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers): read(headers, context)
        case .data(let data):
            guard case .byteBuffer(let bytes) = data.data, case .content = inbound else { return }
            if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
            if data.endStream { tellEnd(context) }
        default: break
        }
    }

    private func read(_ headers: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        switch inbound {
        case .head:
            let status = headers.headers.first(name: ":status").flatMap { Int($0) } ?? 0
            let head = EquivalentHeads.response(headers.headers, key: key, hasEnded: headers.endStream)
            if status >= 200 { inbound = .content }
            isTunnel = key != nil && 200..<300 ~= status
            context.fireChannelRead(wrapInboundOut(head))
            if headers.endStream { tellEnd(context) }
        // Trailers, which a tunnel does not have (RFC 9113 section 8.5).
        case .content where isTunnel: context.close(promise: nil)
        case .content: if headers.endStream { tellEnd(context) }
        case .over: break
        }
    }

    private func tellEnd(_ context: ChannelHandlerContext) {
        inbound = .over
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private var inputIsOver: Bool { if case .over = inbound { true } else { false } }

    func channelInactive(context: ChannelHandlerContext) {
        outlet.gone()
        if !(inputIsOver && outlet.hasEnded) { context.fireErrorCaught(StreamLost()) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An answer is whole and the server wants no more of the request (RFC 9113 section 8.1), or both ends were there.
        if inputIsOver && (outlet.hasEnded || (error as? NIOHTTP2Errors.StreamClosed)?.errorCode == .noError) { return }
        context.fireErrorCaught(error)
    }
}
