import NIOCore

/// First in the pipeline of a client that may speak HTTP/2: holds its first bytes until they are, or cannot become, the
/// preface that begins a connection by prior knowledge (RFC 9113 section 3.4).
final class PrefaceSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private let patience: TimeAmount
    /// Makes the rest of the pipeline: true for HTTP/2.
    private let decide: (Bool) throws -> Void
    private let gone: () -> Void
    private var held = ByteBuffer()
    private var isDecided = false
    private var timer: Scheduled<Void>?

    /// - Parameters:
    ///   - patience: who says nothing for so long is not asked for a preface any more.
    ///   - gone: the connection ended before it was decided.
    init(patience: Duration, decide: @escaping (Bool) throws -> Void, gone: @escaping () -> Void) {
        self.patience = .nanoseconds(patience.nanoseconds)
        self.decide = decide
        self.gone = gone
    }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { start(context) }
    }

    private func start(_ context: ChannelHandlerContext) {
        guard timer == nil, !isDecided else { return }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { self.settle(false, context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        guard !isDecided else { return }
        isDecided = true
        gone()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDecided { return context.fireChannelRead(data) }
        held.writeImmutableBuffer(unwrapInboundIn(data))
        let seen = held.readableBytesView.prefix(Self.preface.count)
        if !seen.elementsEqual(Self.preface.prefix(seen.count)) { return settle(false, context) }
        if seen.count == Self.preface.count { settle(true, context) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { settle(false, context) }
        context.fireUserInboundEventTriggered(event)
    }

    private func settle(_ isHTTP2: Bool, _ context: ChannelHandlerContext) {
        guard !isDecided else { return }
        isDecided = true
        timer?.cancel()
        do { try decide(isHTTP2) } catch {
            gone()
            return context.close(promise: nil)
        }
        let bytes = held
        held = ByteBuffer()
        if bytes.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(bytes))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
