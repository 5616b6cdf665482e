import NIOCore
import NIOHPACK
import NIOHTTP2
import Wire

/// One stream of a client: what its `Link` reads and writes are the bytes that HTTP/1.1 would have carried. An extended
/// CONNECT becomes an upgrade and its tunnel; a plain request becomes one exchange of a connection of its own.
final class ClientStream: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Inbound { case head, tunnel, body(isChunked: Bool), refused, over }
    private enum Outbound { case head, tunnel, body(HTTPBody), over }

    let outlet = StreamOutlet()
    private let connection: ClientConnection
    private var inbound = Inbound.head
    private var outbound = Outbound.head
    private var response: HeadParser
    private var method = "GET"
    /// Of the upgrade; nil for a plain request.
    private var key: String?
    /// The link was told that nothing more comes.
    private var toldEnd = false
    /// The end of an answer is on its way.
    private var isFinishing = false
    private var wasClosed = false

    init(_ connection: ClientConnection, _ limits: HeadLimits) {
        self.connection = connection
        response = HeadParser(.response, limits: limits)
    }

    func handlerAdded(context: ChannelHandlerContext) { connection.streamBegan() }
    func handlerRemoved(context: ChannelHandlerContext) { connection.streamEnded() }

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let headers): read(headers, context)
        case .data(let data):
            guard case .byteBuffer(let bytes) = data.data else { return }
            read(bytes, isLast: data.endStream, context)
        default: break
        }
    }

    private func read(_ headers: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        switch inbound {
        case .head: begin(headers, context)
        case .tunnel:
            // RFC 9113 section 8.5: nothing but DATA.
            abandon(.protocolError, context)
        case .body(let isChunked):
            guard headers.endStream else { return abandon(.protocolError, context) }
            endBody(isChunked, context)
        case .refused, .over: break
        }
    }

    private func begin(_ headers: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        let fields = headers.headers
        let opens = EquivalentHeads.opensWebSocket(fields)
        method = opens ? "GET" : fields.first(name: ":method") ?? "GET"
        if !opens && method == "CONNECT" {
            let name = fields.first(name: ":protocol").map { "for `\($0)` " } ?? ""
            let sentence = "CONNECT \(name)is not relayed over HTTP/2; only WebSocket (RFC 8441) is"
            return answer(501, sentence, hasEnded: headers.endStream, context)
        }
        if let refusal = connection.objection { return answer(503, refusal, hasEnded: headers.endStream, context) }
        key = opens ? fields.first(name: "sec-websocket-key") ?? RequestKey.make() : nil
        let isChunked = !opens && !headers.endStream && !fields.contains(name: "content-length")
        inbound = opens ? .tunnel : .body(isChunked: isChunked)
        let head = EquivalentHeads.request(fields, key: key ?? "", isChunked: isChunked)
        guard connection.open(context.channel, outlet) else { return context.close(promise: nil) }
        context.fireChannelRead(wrapInboundOut(head))
        guard headers.endStream else { return }
        inbound = .over
        // A plain request's end is no end of the connection that it stands for.
        if opens { tellEnd(context) }
    }

    private func read(_ bytes: ByteBuffer, isLast: Bool, _ context: ChannelHandlerContext) {
        switch inbound {
        case .tunnel:
            if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
            guard isLast else { return }
            inbound = .over
            tellEnd(context)
        case .body(let isChunked):
            if bytes.readableBytes > 0 {
                var piece = bytes
                if isChunked {
                    piece = ByteBuffer(string: String(bytes.readableBytes, radix: 16) + "\r\n")
                    piece.writeImmutableBuffer(bytes)
                    piece.writeString("\r\n")
                }
                context.fireChannelRead(wrapInboundOut(piece))
            }
            if isLast { endBody(isChunked, context) }
        case .refused: if isLast { inbound = .over }
        case .head, .over: break
        }
    }

    private func endBody(_ isChunked: Bool, _ context: ChannelHandlerContext) {
        inbound = .over
        if isChunked { context.fireChannelRead(wrapInboundOut(ByteBuffer(string: "0\r\n\r\n"))) }
    }

    private func tellEnd(_ context: ChannelHandlerContext) {
        guard !toldEnd else { return }
        toldEnd = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private var inputIsOver: Bool { if case .over = inbound { true } else { false } }

    func channelInactive(context: ChannelHandlerContext) {
        outlet.gone()
        // The connection broke, and the stream had no end: no orderly one is to be told.
        if !(inputIsOver && outlet.hasEnded) { context.fireErrorCaught(StreamLost()) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Both directions had their ends; what comes behind them is a courtesy.
        if inputIsOver && outlet.hasEnded { return }
        context.fireErrorCaught(error)
    }

    // MARK: To the client

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        if bytes.readableBytes > 0 { take(bytes, context) }
        // Only an empty write asks, behind all that there is.
        if let promise { outlet.whenOut(promise) }
    }

    private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        switch outbound {
        case .tunnel: outlet.send(bytes, covering: bytes.readableBytes, context)
        case .body(let body): send(bytes, of: body, context)
        case .head: readHeads(bytes, context)
        case .over: break
        }
    }

    private func readHeads(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        response.feed(bytes)
        while case .head = outbound {
            switch response.next() {
            case .partial, .request: return
            // Bytes that are no answer cannot be said on a stream that has none.
            case .notHTTP, .refused: return abandon(.internalError, context)
            case .response(let head): send(head, context)
            }
        }
        let rest = response.takeHeld()
        if rest.readableBytes > 0 { take(rest, context) }
    }

    private func send(_ head: ResponseHead, _ context: ChannelHandlerContext) {
        let body = HTTPBody(of: head, to: method)
        let isTunnel = head.status == 101 && key != nil
        let fields = EquivalentHeads.fields(of: head, key: key)
        outlet.send(.headers(.init(headers: fields)), covering: head.bytes.readableBytes, context)
        if head.isInterim { return }
        outbound = isTunnel ? .tunnel : .body(body)
        if !isTunnel && body.isOver { answered(context) }
    }

    private func send(_ bytes: ByteBuffer, of body: HTTPBody, _ context: ChannelHandlerContext) {
        var (rest, body) = (bytes, body)
        let content = body.content(&rest)
        if body.isUnknown { return abandon(.internalError, context) }
        outbound = .body(body)
        if content.readableBytes > 0 { outlet.send(content, covering: bytes.readableBytes - rest.readableBytes, context) }
        if body.isOver { answered(context) }
    }

    /// The exchange is over, and with it all that this stream is for.
    private func answered(_ context: ChannelHandlerContext) {
        outbound = .over
        finish(context)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // Not from within a write of the link.
        context.eventLoop.execute {
            let (stream, context) = bound.value
            if context.channel.isActive { stream.tellEnd(context) }
        }
    }

    /// END_STREAM behind everything; then the client need not say the rest (RFC 9113 section 8.1).
    private func finish(_ context: ChannelHandlerContext) {
        isFinishing = true
        outlet.endWhenOut(context)
        outlet.whenOut { [outlet] isOut in
            guard isOut else { return }
            outlet.whenOut { isOut in
                guard isOut, context.channel.isActive, !self.inputIsOver else { return }
                self.inbound = .over
                context.writeAndFlush(self.wrapOutboundOut(.rstStream(.noError)), promise: nil)
            }
        }
    }

    /// An answer of our own where no session is.
    private func answer(_ status: Int, _ sentence: String, hasEnded: Bool, _ context: ChannelHandlerContext) {
        inbound = hasEnded ? .over : .refused
        let text = ByteBuffer(string: "miswire: \(sentence)\n")
        let fields: HPACKHeaders = [
            ":status": "\(status)", "content-type": "text/plain; charset=utf-8", "content-length": "\(text.readableBytes)",
        ]
        outlet.send(.headers(.init(headers: fields)), covering: 0, context)
        outlet.send(text, covering: 0, context)
        outbound = .over
        finish(context)
    }

    private func abandon(_ code: HTTP2ErrorCode, _ context: ChannelHandlerContext) {
        outbound = .over
        context.writeAndFlush(wrapOutboundOut(.rstStream(code)), promise: nil)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode != .input else { return context.close(mode: mode, promise: promise) }
        if !outlet.isReset { endOutput(context) }
        // An end that is under way is not to be overtaken by a reset, unless it takes too long.
        let isEnding = !outlet.isReset && (isFinishing || inputIsOver && outlet.hasEnded) && !wasClosed
        if mode == .all { wasClosed = true }
        guard mode == .all, !isEnding, context.channel.isActive else {
            promise?.succeed()
            return
        }
        context.close(mode: .all, promise: promise)
    }

    /// END_STREAM where that is an end, and a reset where something was to come.
    private func endOutput(_ context: ChannelHandlerContext) {
        switch outbound {
        case .tunnel: outlet.end(context)
        case .body(let body) where body.lastsUntilEnd: outlet.end(context)
        case .head, .body: if context.channel.isActive { context.close(mode: .all, promise: nil) }
        case .over: break
        }
    }
}

/// The `Sec-WebSocket-Key` that an extended CONNECT does not have (RFC 6455 section 4.1).
enum RequestKey {
    static func make() -> String {
        var system = SystemRandomNumberGenerator()
        return AcceptKey.base64((0..<16).map { _ in UInt8.random(in: .min ... .max, using: &system) })
    }
}
