import NIOCore

/// Stands before NIO's acceptor: counts connections and stops accepting at L7, until sessions have ended.
final class Gatekeeper: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let shared: Shared

    init(shared: Shared) { self.shared = shared }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !shared.sessionBegan() {
            let channel = context.channel
            try? channel.syncOptions?.setOption(.autoRead, value: false)
            shared.whenRoom {
                channel.eventLoop.execute { try? channel.syncOptions?.setOption(.autoRead, value: true) }
            }
        }
        context.fireChannelRead(data)
    }
}
