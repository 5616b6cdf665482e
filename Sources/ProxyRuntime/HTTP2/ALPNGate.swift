import NIOCore

/// Stands behind TLS on a listener that speaks both until the handshake has settled which protocol it is to be (RFC 7301).
final class ALPNGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    /// Makes the rest of the pipeline: true for HTTP/2.
    private let decide: (Bool) throws -> Void
    private let gone: () -> Void
    private var isDecided = false

    /// - Parameter gone: the connection ended before it was decided.
    init(decide: @escaping (Bool) throws -> Void, gone: @escaping () -> Void) {
        self.decide = decide
        self.gone = gone
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let secured = event as? TLSSecured { settle(secured.applicationProtocol == "h2", context) }
        context.fireUserInboundEventTriggered(event)
        if isDecided { context.pipeline.syncOperations.removeHandler(context: context, promise: nil) }
    }

    /// A handshake that failed is a session's, so that the journal holds it.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        settle(false, context)
        context.fireErrorCaught(error)
    }

    private func settle(_ isHTTP2: Bool, _ context: ChannelHandlerContext) {
        guard !isDecided else { return }
        isDecided = true
        do { try decide(isHTTP2) } catch {
            gone()
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        guard !isDecided else { return }
        isDecided = true
        gone()
    }
}
