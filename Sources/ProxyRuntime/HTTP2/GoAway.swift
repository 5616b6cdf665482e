import NIOCore
import NIOHTTP2

/// The orderly end of a connection (RFC 9113 section 6.8).
enum GoAway {
    /// - Parameter thenClose: the connection ends when everything written is out, at the latest after 2 s.
    static func say(_ context: ChannelHandlerContext, thenClose: Bool) {
        guard context.channel.isActive else { return }
        let frame = HTTP2Frame(streamID: .rootStream, payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
        guard thenClose else { return context.writeAndFlush(NIOAny(frame), promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        let channel = context.channel
        let late = context.eventLoop.scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
        promise.futureResult.whenComplete { _ in
            late.cancel()
            channel.close(promise: nil)
        }
        context.writeAndFlush(NIOAny(frame), promise: promise)
    }
}
