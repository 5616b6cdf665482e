import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization
import Testing

/// One end of a TCP connection that knows no protocol: what it got, in order, and what it is told to send.
final class RawPeer: Sendable {
    struct Seen: Sendable {
        var bytes: [UInt8] = []
        var isActive = false
        /// The other side sent FIN.
        var ended = false
        /// The connection is gone altogether.
        var closed = false
        /// The last of it was an error of the socket, such as RST.
        var failed = false
        /// This side sent FIN itself, so that the other one's is the end of all.
        var finished = false
        /// How many bytes there were behind each read, and when that was in the order of all peers.
        var reads: [(upTo: Int, turn: UInt64)] = []
        /// When the end came, in the same order.
        var endTurn: UInt64?

        /// When the byte at that place came.
        func turn(of place: Int) -> UInt64? { reads.first { $0.upTo > place }?.turn }
        /// A TLS handshake is done.
        var secured = false
        /// What the pipeline reported first.
        var error: String?
    }

    /// Counts what happens at all peers of the process.
    private static let turns = Atomic<UInt64>(0)
    fileprivate static var nextTurn: UInt64 { turns.wrappingAdd(1, ordering: .relaxed).newValue }

    private struct State {
        var seen = Seen()
        var channel: (any Channel)?
        var waiters: [(id: UInt64, wants: @Sendable (Seen) -> Bool, resume: CheckedContinuation<Void, any Error>)] = []
        var next: UInt64 = 0
    }
    private let state = Mutex(State())

    struct TimedOut: Error { var seen: Int }

    var seen: Seen { state.withLock { $0.seen } }
    var channel: any Channel {
        get throws { try #require(state.withLock { $0.channel }) }
    }

    fileprivate func attach(_ channel: any Channel) { state.withLock { $0.channel = channel } }

    fileprivate func change(_ body: (inout Seen) -> Void) {
        let ready = state.withLock { state in
            body(&state.seen)
            let seen = state.seen
            let ready = state.waiters.filter { $0.wants(seen) }
            state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
            return ready
        }
        for waiter in ready { waiter.resume.resume() }
    }

    /// Waits until this is true of what was seen; at most 60 s.
    func until(_ wants: @escaping @Sendable (Seen) -> Bool) async throws {
        let channel = try channel
        try await withCheckedThrowingContinuation { continuation in
            let id: UInt64? = state.withLock { state in
                if wants(state.seen) { return nil }
                state.next += 1
                state.waiters.append((state.next, wants, continuation))
                return state.next
            }
            guard let id else { return continuation.resume() }
            channel.eventLoop.scheduleTask(in: .seconds(60)) {
                let late = self.state.withLock { state in
                    let late = state.waiters.filter { $0.id == id }
                    state.waiters.removeAll { $0.id == id }
                    return late
                }
                late.first?.resume.resume(throwing: TimedOut(seen: self.seen.bytes.count))
            }
        }
    }

    /// The first `count` bytes received.
    func prefix(_ count: Int) async throws -> [UInt8] {
        try await until { $0.bytes.count >= count || $0.closed }
        return Array(seen.bytes.prefix(count))
    }

    /// Everything up to the end of the other side's sending.
    func everything() async throws -> [UInt8] {
        try await until { $0.ended || $0.closed }
        return seen.bytes
    }

    func gone() async throws { try await until { $0.closed } }

    func send(_ bytes: [UInt8]) async throws {
        let channel = try channel
        let sent = channel.eventLoop.makePromise(of: Void.self)
        sent.futureResult.whenFailure { error in
            // A reset is told once, to whoever asks the socket first: a write that meets it is told in the reader's place.
            guard let error = error as? IOError, [ECONNRESET, EPIPE].contains(error.errnoCode) else { return }
            self.change { $0.failed = $0.failed || !$0.ended }
        }
        channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: sent)
        try await sent.futureResult.soon()
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    func finish() async throws {
        // Only of what is still open: to finish what was reset is no end of its own.
        change { $0.finished = $0.finished || !$0.closed }
        try await channel.close(mode: .output).soon()
    }

    func close() async { try? await channel.close() }

    /// RST.
    func reset() async throws {
        let channel = try channel
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try? await channel.close()
    }

    func setReading(_ on: Bool) async throws { try await channel.setOption(.autoRead, value: on).get() }
}

extension EventLoopFuture where Value: Sendable {
    /// What it brings; waited for at most 60 s, so that who waits in vain fails and is named.
    func soon() async throws -> Value {
        let promise = eventLoop.makePromise(of: Value.self)
        let late = eventLoop.scheduleTask(in: .seconds(60)) { promise.fail(RawPeer.TimedOut(seen: 0)) }
        whenComplete { result in
            late.cancel()
            promise.completeWith(result)
        }
        return try await promise.futureResult.get()
    }
}

private final class RawHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let peer: RawPeer
    init(_ peer: RawPeer) { self.peer = peer }

    func channelActive(context: ChannelHandlerContext) { peer.change { $0.isActive = true } }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        peer.change {
            $0.bytes.append(contentsOf: buffer.readableBytesView)
            $0.reads.append(($0.bytes.count, RawPeer.nextTurn))
        }
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted = event as? TLSUserEvent { peer.change { $0.secured = true } }
        guard event as? ChannelEvent == .inputClosed else { return }
        peer.change {
            $0.ended = true
            $0.endTurn = RawPeer.nextTurn
        }
    }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        peer.change { $0.error = $0.error ?? "\(error)" }
        // An end without close_notify is FIN all the same.
        if case NIOSSLError.uncleanShutdown = error { return }
        peer.change { $0.failed = true }
        context.close(promise: nil)
    }
    func channelInactive(context: ChannelHandlerContext) {
        peer.change {
            $0.closed = true
            $0.endTurn = $0.endTurn ?? RawPeer.nextTurn
        }
    }
}

extension RawPeer {
    static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)

    static func configure(_ channel: any Channel, _ peer: RawPeer, isStream: Bool = false) throws {
        peer.attach(channel)
        if !isStream { try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true) }
        try channel.pipeline.syncOperations.addHandler(RawHandler(peer))
    }

    /// A client connected to that port.
    /// - Parameter receives: bytes that the system keeps for it while it does not read; nil leaves that to the system.
    static func connect(port: Int, receives: Int32? = nil) async throws -> RawPeer {
        let peer = RawPeer()
        var bootstrap = ClientBootstrap(group: group)
        if let receives { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receives)) }
        _ = try await bootstrap
            .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try configure(channel, peer) } }
            .connect(host: "127.0.0.1", port: port).get()
        return peer
    }
}

/// A server that hands out what connects to it.
final class RawServer: Sendable {
    let port: Int
    private let channel: any Channel
    private let arrivals: AsyncStream<RawPeer>
    private let box: ArrivalBox

    /// - Parameter serve: run for every connection; without it connections are taken with `next`.
    init(tls: NIOSSLContext? = nil, serve: (@Sendable (RawPeer) async throws -> Void)? = nil) async throws {
        let (stream, continuation) = AsyncStream<RawPeer>.makeStream()
        arrivals = stream
        box = ArrivalBox(stream)
        channel = try await ServerBootstrap(group: RawPeer.group)
            .serverChannelOption(.backlog, value: 1_024)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = RawPeer()
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try RawPeer.configure(channel, peer)
                    if let serve {
                        Task(executorPreference: OwnThreads.next) { try await serve(peer) }
                    } else {
                        continuation.yield(peer)
                    }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = try #require(channel.localAddress?.port)
    }

    func next() async throws -> RawPeer {
        // Bounded: a connection that never comes is to fail the test that waits for it.
        let peer = try await withThrowingTaskGroup(of: RawPeer?.self) { group in
            group.addTask { await self.box.next() }
            group.addTask {
                try await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            return try #require(try await group.next() ?? nil)
        }
        try await peer.until { $0.isActive }
        return peer
    }

    func close() async { try? await channel.close() }
}

private actor ArrivalBox {
    private var iterator: AsyncStream<RawPeer>.AsyncIterator
    init(_ stream: AsyncStream<RawPeer>) { iterator = stream.makeAsyncIterator() }
    func next() async -> RawPeer? {
        var copy = iterator
        let peer = await copy.next(isolation: self)
        iterator = copy
        return peer
    }
}
