import NIOCore

/// The first in a server's channel that was dialled before there was a session: keeps what comes, and that it ended, until one
/// takes the channel over.
final class Foreword: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    let channel: any Channel
    /// Told when the server says something or ends.
    var onWord: (() -> Void)?
    private var held: [ByteBuffer] = []
    private var hasEnded = false

    init(_ channel: any Channel) { self.channel = channel }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        held.append(unwrapInboundIn(data))
        onWord?()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event as? ChannelEvent == .inputClosed else { return context.fireUserInboundEventTriggered(event) }
        hasEnded = true
        onWord?()
    }

    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        onWord?()
    }

    /// Whoever stands in the channel by now gets what was kept, and everything that follows.
    func release() {
        onWord = nil
        let pipeline = channel.pipeline.syncOperations
        pipeline.removeHandler(self, promise: nil)
        for bytes in held { pipeline.fireChannelRead(NIOAny(bytes)) }
        if !held.isEmpty { pipeline.fireChannelReadComplete() }
        held = []
        if hasEnded { pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    }
}
