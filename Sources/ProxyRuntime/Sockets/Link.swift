import Faults
import Glibc
import Journaling
import NIOCore
import NIOPosix
import Wire

/// One socket of a session: the only handler in its pipeline. It turns what the socket does into session events and
/// counts bytes on its own, independently of the session machine; it decides nothing. Confined to its event loop.
final class Link: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let side: Side
    /// The one that has the socket now.
    private(set) var session: Session
    /// What counts for it where its channel is a stream of HTTP/2; nil for a socket.
    private let stream: StreamOutlet?
    private(set) var context: ChannelHandlerContext?
    /// True from the moment the socket can be used until it is gone.
    private(set) var isActive = false
    private(set) var isClosed = false
    /// The socket is gone; what was read from it before may still have to be told.
    private var isGone = false

    /// Bytes given to the machine.
    private(set) var bytesIn: UInt64 = 0
    /// Bytes handed to the socket, and how many of them the system has taken.
    private var handed: UInt64 = 0
    private var taken: UInt64 = 0

    private var reads = true
    private var portion: ReadPortion
    /// Arrived though reads are off: NIO empties a socket whose peer has ended, whatever was asked for.
    private var parked = CircularBuffer<ByteBuffer>()
    /// The next one's turn is appointed.
    private var awaitsTurn = false
    private var inputEnded = false
    private var toldEnd = false
    private var sawError = false
    /// What TLS stands on; nil where none is spoken.
    private var wire: TLSWire?
    /// TLS stands in the pipeline and its handshake is not done.
    private var awaitsHandshake = false
    /// The peer's end came without close_notify.
    private var isTruncated = false
    private var outputEnded = false
    /// The machine has ended this side: what still arrives is thrown away and is no part of the ledger.
    private(set) var isDiscarding = false
    private var queuedForFlush = false

    /// TLS is begun already, or stands before the connection of which this is a stream.
    var isPrepared: Bool { stream != nil || wire != nil }

    init(_ side: Side, of session: Session, stream: StreamOutlet? = nil) {
        self.side = side
        self.session = session
        self.stream = stream
        portion = ReadPortion(session.loop.shared.options.limits)
    }

    var bytesOut: UInt64 { session.loop.tracksDelivery ? taken : handed }

    /// Another session goes on with the socket.
    /// - Returns: the counts from which it counts on. What is on its way to the system counts as taken: should it be lost
    ///   after all, the heir hears of it.
    func pass(to heir: Session) -> (bytesIn: UInt64, bytesOut: UInt64) {
        session = heir
        return (bytesIn, handed)
    }

    // MARK: From the socket

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { becameActive() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        guard side == .client, !isActive, !isGone else { return }
        // Accepted, and broken before it could be used: no end of it will be told.
        isGone = true
        isClosed = true
        session.loop.bury(session)
    }

    func channelActive(context: ChannelHandlerContext) { becameActive() }

    private func becameActive() {
        guard !isActive, !isGone else { return }
        // The server is there when it can be talked to; the client is from the start, as faults act on its handshake.
        if awaitsHandshake && side == .server { return }
        isActive = true
        session.linkBecameActive(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isDiscarding { return }
        let buffer = unwrapInboundIn(data)
        if reads && parked.isEmpty { take(buffer) } else { parked.append(buffer) }
    }

    /// Bytes that were read from its socket before it stood there.
    func begin(with buffer: ByteBuffer) {
        if reads && parked.isEmpty { take(buffer) } else { parked.append(buffer) }
    }

    private func take(_ buffer: ByteBuffer) {
        bytesIn &+= UInt64(buffer.readableBytes)
        let (session, before) = (session, session.charged)
        session.loop.deliver(.received(side, buffer), to: session)
        // Few bytes cost little, or are the least that can be read.
        if stream == nil, buffer.readableBytes >= ReadPortion.least { adapt(buffer.readableBytes, session, session.charged &- before) }
    }

    private func adapt(_ count: Int, _ session: Session, _ charge: Int) {
        let took = session.loop.now.duration(to: session.loop.shared.clock.now)
        guard portion.learn(count, took: took, charge: charge) else { return }
        try? context?.channel.syncOptions?.setOption(.recvAllocator, value: portion.allocator)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let secured = event as? TLSSecured { return becameSecure(secured) }
        guard let event = event as? ChannelEvent, event == .inputClosed else { return }
        inputEnded = true
        session.inputEnded(self)
        if isDiscarding { return closeNow() }
        if parked.isEmpty { tellEnd(.finish) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isDiscarding { return }
        session.loop.deliver(.writable(side, context.channel.isWritable), to: session)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let trouble = error as? TLSTrouble { return tell(trouble) }
        // Whatever it is, NIO closes the channel behind it; nothing can be repaired here.
        sawError = true
        closeNow()
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard !isGone else { return }
        isGone = true
        isActive = false
        if parked.count == 1 { releaseOne() }
        parked.isEmpty ? leave() : takeTurn()
    }

    /// The socket is gone, and what was read from it is told.
    private func leave() {
        guard !isClosed else { return }
        isClosed = true
        let lost = session.loop.tracksDelivery ? handed &- taken : 0
        if lost > 0 { session.loop.deliver(.undelivered(side, lost), to: session) }
        let hasEnded = outputEnded || stream?.hasEnded == true
        if !isDiscarding { tellEnd(hasEnded && !sawError ? .finish : .reset) }
        session.linkClosed(self)
    }

    private func tellEnd(_ style: EndStyle) {
        // After an orderly end only its turning into a reset is news.
        if toldEnd && style == .finish { return }
        if toldEnd && outputEnded && !sawError { return }
        toldEnd = true
        session.loop.deliver(isTruncated && style == .finish ? .truncated(side) : .ended(side, style), to: session)
    }

    // MARK: What is parked

    /// Little a turn, so that the loop's other sockets have theirs between: it may be all that the system held for it.
    private func takeTurn() {
        guard !awaitsTurn else { return }
        awaitsTurn = true
        // Not at once: a loop runs whatever is due before it looks at its sockets again.
        session.loop.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(200)) {
            self.awaitsTurn = false
            self.goOn()
        }
    }

    /// The recorder has caught up.
    func resume() {
        if isGone ? !isClosed : !parked.isEmpty { takeTurn() }
    }

    /// What was parked is told as far as it may be: whatever is to be read, or all of it when the socket is gone, unless the
    /// recorder is behind.
    private func goOn() {
        guard !parked.isEmpty || isGone, isGone ? !session.isHeldForRecorder || isDiscarding : reads else { return }
        releasePortion()
        if !parked.isEmpty { return takeTurn() }
        if isGone { return leave() }
        if reads, !awaitsHandshake, !isDiscarding { setAutoRead(true) }
        // That may have read more, and parked it.
        if inputEnded, parked.isEmpty { tellEnd(.finish) }
    }

    /// One buffer, or as many small ones as the least that is read at once.
    private func releasePortion() {
        var released = 0
        while let next = parked.first, released == 0 || released + next.readableBytes <= ReadPortion.least {
            released += max(1, next.readableBytes)
            releaseOne()
            if isDiscarding || (isGone ? session.isHeldForRecorder : !reads) { return }
        }
    }

    private func releaseOne() {
        let buffer = parked.removeFirst()
        if !isDiscarding { take(buffer) }
    }

    private func drop() {
        parked = []
        // Nobody waits for the rest of a socket that is gone.
        if isGone { takeTurn() }
    }

    // MARK: TLS

    /// Stands behind TLS from now on: what it reads and writes is what TLS carries.
    func secure(_ wire: TLSWire) {
        self.wire = wire
        awaitsHandshake = true
        if !reads { setAutoRead(true) }
    }

    private func becameSecure(_ secured: TLSSecured) {
        awaitsHandshake = false
        if !reads || !parked.isEmpty { setAutoRead(false) }
        session.linkBecameSecure(self, secured)
        becameActive()
        // What was written before there was a way to send it is on its way now.
        if isActive, session.loop.tracksDelivery { noteDelivery() }
    }

    private func tell(_ trouble: TLSTrouble) {
        // Its FIN is told behind this.
        if trouble.kind == .truncated { return isTruncated = true }
        sawError = true
        let wasToSay = !isDiscarding
        // The library ends the connection by itself, once it has told the peer why.
        isDiscarding = true
        drop()
        if wasToSay { session.linkBroke(self, trouble) }
    }

    // MARK: Commands

    func write(_ buffer: ByteBuffer) {
        let count = UInt64(buffer.readableBytes)
        guard let context, isActive, !outputEnded, !isDiscarding else {
            if count > 0 { session.loop.deliver(.undelivered(side, count), to: session) }
            return
        }
        handed &+= count
        context.write(wrapOutboundOut(buffer), promise: nil)
        if !queuedForFlush {
            queuedForFlush = true
            session.loop.flushLater(self)
        }
    }

    /// One flush for all that one event caused.
    func flush() {
        queuedForFlush = false
        guard let context, isActive else { return }
        context.flush()
        if session.loop.tracksDelivery { noteDelivery() }
    }

    /// What was written so far goes to the system by itself; the flush at the end of the event stays due.
    func flushSegment() {
        if isActive { context?.flush() }
    }

    func setReads(_ on: Bool) {
        guard on != reads, !isDiscarding, !isClosed else { return }
        reads = on
        // A handshake is read for whatever else waits; it brings nothing that would have to be kept.
        // Nor is more read while some is parked: it would come behind that, and nothing would bound it.
        if !awaitsHandshake, !on || parked.isEmpty { setAutoRead(on) }
        if on, !parked.isEmpty { takeTurn() }
    }

    /// FIN once everything written is out; the other direction stays open.
    func finish() {
        guard isActive, !outputEnded else { return }
        outputEnded = true
        whenDrained { link in link.context?.close(mode: .output, promise: nil) }
    }

    /// As `finish`, without TLS's close_notify.
    func truncate() {
        guard let wire else { return finish() }
        guard isActive, !outputEnded else { return }
        outputEnded = true
        whenDrained { _ in wire.truncate() }
    }

    func close(_ style: CutStyle) {
        guard !isClosed else { return }
        if isGone {
            isDiscarding = true
            return drop()
        }
        switch style {
        case .reset: reset()
        case .half: finishAndLinger()
        case .silent: fallSilent()
        }
    }

    /// RST. What was written goes to the system before it, so that a message that a cut lets out has its chance; what the
    /// system does not take at once, or has not sent yet, is dropped.
    private func reset() {
        if !isDiscarding { flush() }
        isDiscarding = true
        drop()
        stream?.isReset = true
        // On the loop it is set at once; the future is only NIO's way to tell of an error, which close() survives.
        _ = (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
        closeNow()
    }

    /// FIN behind what was written, then whatever still comes is read and thrown away until the peer ends too: closing
    /// a socket with unread bytes would send RST and destroy what the peer has not read yet.
    private func finishAndLinger() {
        isDiscarding = true
        drop()
        guard isActive else { return closeNow() }
        session.loop.linger(self)
        reads = true
        setAutoRead(true)
        let wasEnded = outputEnded
        outputEnded = true
        if wasEnded {
            if inputEnded { closeNow() }
            return
        }
        whenDrained { link in
            // With TLS it is close_notify that ends our direction; then there is nobody to wait for.
            if !link.inputEnded || link.wire != nil { link.context?.close(mode: .output, promise: nil) }
            if link.inputEnded { link.closeNow() }
        }
    }

    private func fallSilent() {
        isDiscarding = true
        drop()
        reads = false
        setAutoRead(false)
    }

    /// Past TLS, which would wait for the peer's answer to an end that it has had or is not to get.
    func closeNow() {
        if let wire { wire.close() } else { context?.close(promise: nil) }
    }

    private func setAutoRead(_ on: Bool) {
        try? context?.channel.syncOptions?.setOption(.autoRead, value: on)
        // A stream, unlike a socket, does not begin by itself.
        if on && stream != nil { context?.read() }
    }

    // MARK: What the system has taken

    /// Nil when the channel is closed: what it had taken nobody can ask any more.
    private var buffered: UInt64? {
        if let stream { return stream.waiting }
        guard let count = try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return nil }
        return UInt64(clamping: count)
    }

    private func noteDelivery() {
        // A flush that failed has closed the channel; the loss was counted there.
        guard !isClosed else { return }
        guard let waiting = buffered else { return }
        if wire != nil {
            // What waits there is encrypted: how many of our bytes it is nobody can say, only when all of it is gone.
            return whenDrained { _ in }
        }
        taken = max(taken, handed &- min(handed, waiting))
        if waiting > 0 { whenDrained { _ in } }
    }

    /// Calls back once everything written so far was taken by the system; never when the socket breaks before.
    private func whenDrained(_ body: @escaping (Link) -> Void) {
        guard let context else { return }
        // What TLS was not given to encrypt yet is in no count of the socket's.
        if wire != nil, queuedForFlush { context.flush() }
        if buffered == 0, !awaitsHandshake {
            taken = handed
            return body(self)
        }
        let mark = handed
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { result in
            switch result {
            case .success:
                self.taken = max(self.taken, mark)
                body(self)
            // The socket tells of a reset once: when a write meets it, nobody who reads will.
            case .failure(let error): self.sawError = self.sawError || error is IOError
            }
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}
