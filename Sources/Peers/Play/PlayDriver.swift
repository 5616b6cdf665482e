import Glibc
import Journaling
import NIOCore
import NIOPosix

/// Sockets of one play, all on one event loop, which also confines this object.
final class PlayDriver {
    private var machine: PlayMachine
    private let endpoint: Endpoint
    private let performance: Performance
    private let loop: any EventLoop
    private let begun = NIODeadline.now()
    private var channels: [Int: any Channel] = [:]
    private var alarm: Scheduled<Void>?
    private var commands: [PlayMachine.Command] = []
    /// Events that arose while others were handled.
    private var queue: [PlayMachine.Event] = []
    private var isBusy = false
    private var saidPlayed = false
    /// Reset before their transport was there, or all of them once the play is over.
    private var abandoned: Set<Int> = []
    private var hasLeft = false

    init(_ machine: PlayMachine, _ endpoint: Endpoint, _ performance: Performance) {
        self.machine = machine
        self.endpoint = endpoint
        self.performance = performance
        loop = performance.loop
    }

    func start() {
        loop.assertInEventLoop()
        let me = NIOLoopBound(self, eventLoop: loop)
        performance.wish.futureResult.whenComplete { _ in me.value.handle(.finish) }
        handle(.begin)
    }

    private var now: Instant { Instant(nanoseconds: (NIODeadline.now() - begun).nanoseconds) }

    func handle(_ event: PlayMachine.Event) {
        queue.append(event)
        guard !isBusy else { return }
        isBusy = true
        while !queue.isEmpty {
            commands.removeAll(keepingCapacity: true)
            machine.handle(queue.removeFirst(), at: now, into: &commands)
            for command in commands { perform(command) }
        }
        isBusy = false
    }

    private func perform(_ command: PlayMachine.Command) {
        switch command {
        case .connect(let id): connect(id)
        case .write(let id, let bytes): channels[id]?.writeAndFlush(bytes, promise: nil)
        case .finish(let id): channels[id]?.close(mode: .output, promise: nil)
        case .reset(let id): reset(id)
        case .reads(let id, let on): channels[id]?.setOption(.autoRead, value: on).whenComplete { _ in }
        case .wake(let instant): wake(at: instant)
        case .played: sayPlayed()
        case .over: leave()
        }
    }

    private func connect(_ id: Int) {
        let me = NIOLoopBound(self, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(.seconds(5))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineHandler(id, me.value))
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .whenComplete { result in
                switch result {
                case .success(let channel): me.value.connected(channel, id)
                case .failure(let error): me.value.handle(.connectFailed(id, Self.words(error)))
                }
            }
    }

    /// A transport that nobody waits for any more is closed at once.
    private func connected(_ channel: any Channel, _ id: Int) {
        performance.made(channel)
        guard !hasLeft, !abandoned.contains(id) else { return channel.close(promise: nil) }
        channels[id] = channel
        handle(.connected(id))
    }

    private static func words(_ error: any Error) -> String {
        guard let failure = error as? NIOConnectionError else { return "no connection: \(error)" }
        guard let first = failure.connectionErrors.first?.error else { return "no host is called \(failure.host)" }
        let isRefused = (first as? IOError)?.errnoCode == ECONNREFUSED
        return isRefused ? "connection refused" : "no connection: \(first)"
    }

    /// RST instead of FIN: a zero linger time makes the kernel drop what is queued.
    private func reset(_ id: Int) {
        guard let channel = channels[id] else {
            abandoned.insert(id)
            return
        }
        let linger = linger(l_onoff: 1, l_linger: 0)
        if let options = channel as? any SocketOptionProvider {
            options.setSoLinger(linger).whenComplete { _ in channel.close(promise: nil) }
        } else {
            channel.close(promise: nil)
        }
    }

    private func wake(at instant: Instant) {
        alarm?.cancel()
        let me = NIOLoopBound(self, eventLoop: loop)
        alarm = loop.scheduleTask(deadline: begun + .nanoseconds(instant.nanoseconds)) { me.value.handle(.wake) }
    }

    private func sayPlayed() {
        guard !saidPlayed else { return }
        saidPlayed = true
        performance.results.succeed(machine.results)
    }

    private func leave() {
        sayPlayed()
        hasLeft = true
        alarm?.cancel()
        for id in channels.keys.sorted() { channels[id]?.close(promise: nil) }
        channels = [:]
        performance.over.succeed(())
    }
}

/// Tells the driver what one socket does.
private final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let id: Int
    private let driver: PlayDriver
    private var isOver = false

    init(_ id: Int, _ driver: PlayDriver) {
        self.id = id
        self.driver = driver
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        driver.handle(.received(id, unwrapInboundIn(data)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { end(.finish) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) { end(.finish) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(.reset)
        context.close(promise: nil)
    }

    private func end(_ style: EndStyle) {
        if isOver { return }
        isOver = true
        driver.handle(.ended(id, style))
    }
}
