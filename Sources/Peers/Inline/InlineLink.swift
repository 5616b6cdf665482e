import Faults
import Glibc
import Journaling
import NIOCore
import NIOPosix
import ProxyRuntime
import Wire

/// The server's socket of one session that is played inline. It turns what the socket does into session events and counts
/// bytes on its own; it decides nothing. Confined to its event loop.
final class InlineLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: Int
    private let play: InlineCase
    private var context: ChannelHandlerContext?
    private(set) var isClosed = false
    private var isActive = false
    private(set) var bytesIn: UInt64 = 0
    private var handed: UInt64 = 0
    private var taken: UInt64 = 0
    private var reads = true
    private var parked: [ByteBuffer] = []
    private var inputEnded = false
    private var outputEnded = false
    private var toldEnd = false
    private var sawError = false
    private var isDiscarding = false
    /// Bytes thrown away behind our own end, and how many may be.
    private var discarded = 0
    private static let mostDiscarded = 4 << 20
    private var needsFlush = false

    init(session: Int, of play: InlineCase) {
        self.session = session
        self.play = play
    }

    var bytesOut: UInt64 { taken }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive() }
    }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelActive(context: ChannelHandlerContext) { becameActive() }

    private func becameActive() {
        guard !isActive, !isClosed else { return }
        isActive = true
        play.connected(session, self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if isDiscarding { return discard(buffer) }
        if reads && parked.isEmpty { take(buffer) } else { parked.append(buffer) }
    }

    /// Whoever still sends behind our end gets to its own; not if that never comes.
    private func discard(_ buffer: ByteBuffer) {
        discarded += buffer.readableBytes
        if discarded > Self.mostDiscarded { close(.reset) }
    }

    private func take(_ buffer: ByteBuffer) {
        bytesIn &+= UInt64(clamping: buffer.readableBytes)
        play.weight.add(bytes: buffer.readableBytes)
        play.tell(.received(.server, buffer), session)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inputEnded = true
        if isDiscarding { return closeNow() }
        if parked.isEmpty { tellEnd(.finish) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if !isDiscarding { play.tell(.writable(.server, context.channel.isWritable), session) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        sawError = true
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isClosed else { return }
        isClosed = true
        isActive = false
        releaseParked()
        let lost = handed &- taken
        if lost > 0 { play.tell(.undelivered(.server, lost), session) }
        if !isDiscarding { tellEnd(outputEnded && !sawError ? .finish : .reset) }
        play.socketClosed(session)
    }

    private func tellEnd(_ style: EndStyle) {
        if toldEnd && (style == .finish || outputEnded && !sawError) { return }
        toldEnd = true
        play.tell(.ended(.server, style), session)
    }

    private func releaseParked() {
        guard !parked.isEmpty else { return }
        let waiting = parked
        parked = []
        if isDiscarding { return }
        for buffer in waiting { take(buffer) }
        if inputEnded && !isClosed { tellEnd(.finish) }
    }

    // MARK: Commands

    /// Gives how many bytes were lost because nobody takes any.
    func write(_ buffer: ByteBuffer) -> UInt64 {
        let count = UInt64(clamping: buffer.readableBytes)
        guard let context, isActive, !outputEnded, !isDiscarding else { return count }
        handed &+= count
        context.write(wrapOutboundOut(buffer), promise: nil)
        if !needsFlush {
            needsFlush = true
            play.flushLater(self)
        }
        return 0
    }

    func flush() {
        needsFlush = false
        guard let context, isActive else { return }
        context.flush()
        // A flush that failed has closed the channel; the loss was counted there.
        guard !isClosed else { return }
        noteTaken()
        if taken < handed { whenDrained { _ in } }
    }

    private func noteTaken() { taken = max(taken, handed &- min(handed, buffered)) }

    private var buffered: UInt64 {
        guard let count = try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return 0 }
        return UInt64(clamping: count)
    }

    private func whenDrained(_ body: @escaping (InlineLink) -> Void) {
        guard let context else { return }
        if buffered == 0 {
            taken = handed
            return body(self)
        }
        let mark = handed
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess {
            self.taken = max(self.taken, mark)
            body(self)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }

    func setReads(_ on: Bool) {
        guard on != reads, !isDiscarding, !isClosed else { return }
        reads = on
        setAutoRead(on)
        if on { play.later { if self.reads { self.releaseParked() } } }
    }

    func finish() {
        guard isActive, !outputEnded else { return }
        outputEnded = true
        whenDrained { $0.context?.close(mode: .output, promise: nil) }
    }

    func close(_ style: CutStyle) {
        guard !isClosed else { return }
        isDiscarding = true
        parked = []
        switch style {
        case .reset:
            guard let context else { return }
            _ = (context.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            context.close(promise: nil)
        case .half:
            guard isActive else { return closeNow() }
            reads = true
            setAutoRead(true)
            let wasEnded = outputEnded
            outputEnded = true
            if inputEnded, wasEnded { return closeNow() }
            whenDrained { link in
                if link.inputEnded { return link.closeNow() }
                link.context?.close(mode: .output, promise: nil)
            }
        case .silent:
            reads = false
            setAutoRead(false)
        }
    }

    func closeNow() { context?.close(promise: nil) }

    private func setAutoRead(_ on: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: on)
    }
}
