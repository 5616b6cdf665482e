import Journaling
import NIOCore
import NIOHTTP2
import Wire

/// A client's connection that speaks HTTP/2: stands behind the library's handler and gives each of its streams a session.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let hub: HTTP2Hub
    private let open: (any Channel, StreamOutlet, TransportID?) throws -> TransportID
    /// Of its first session; all of them have it.
    private var transport: TransportID?
    private var streams = 0
    private var isGoing = false
    private var context: ChannelHandlerContext?

    /// - Parameter open: begins a session on a stream channel.
    init(_ hub: HTTP2Hub, open: @escaping (any Channel, StreamOutlet, TransportID?) throws -> TransportID) {
        self.hub = hub
        self.open = open
    }

    /// Puts HTTP/2 at the end of a channel that is active.
    func install(on channel: any Channel, _ limits: Limits) throws {
        let bound = NIOLoopBound(self, eventLoop: channel.eventLoop)
        let heads = HeadLimits(
            total: limits.headBytes, field: limits.headFieldBytes, startLine: limits.startLineBytes, fields: limits.headFields)
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: HTTP2Limits.connection(limits, isServer: true),
            streamConfiguration: HTTP2Limits.stream(limits)
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(ClientStream(bound.value, heads))
            }
        }
        try channel.pipeline.syncOperations.addHandler(self)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        hub.began(self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        hub.ended(self)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if HTTP2Trouble.endsConnection(error) { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // HTTP/2 has no half-closed connections: whoever ends one hears nothing any more.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    // MARK: Streams

    func streamBegan() { streams += 1 }

    func streamEnded() {
        streams -= 1
        if isGoing && streams == 0, let context { GoAway.say(context, thenClose: true) }
    }

    /// Why no further session begins here; nil when one may.
    var objection: String? {
        if isGoing { return "the proxy is stopping" }
        return hub.isFull ? "as many sessions as are allowed are open (L7)" : nil
    }

    /// - Returns: false when it could not be.
    func open(_ stream: any Channel, _ outlet: StreamOutlet) -> Bool {
        do {
            transport = try open(stream, outlet, transport)
            return true
        } catch { return false }
    }

    // MARK: The whole proxy's doing

    /// No new streams; the connection ends with the last one.
    func drain() {
        guard let context, !isGoing else { return }
        isGoing = true
        GoAway.say(context, thenClose: streams == 0)
    }

    func cut() { context?.close(promise: nil) }
}
