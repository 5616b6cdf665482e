import Journaling
import NIOCore
import NIOPosix
package import Plans
package import ProxyRuntime

/// The serving machine on sockets: one event loop, any number of connections.
package final class ServingHost: Sendable {
    /// Where it listens.
    package let address: HostPort
    private let listener: any Channel
    private let loop: any EventLoop
    private let core: NIOLoopBound<ServingCore>
    private let outcome: EventLoopPromise<ServingOutcome>

    private init(
        _ address: HostPort, _ listener: any Channel, _ core: NIOLoopBound<ServingCore>,
        _ outcome: EventLoopPromise<ServingOutcome>
    ) {
        self.outcome = outcome
        self.address = address
        self.listener = listener
        loop = listener.eventLoop
        self.core = core
    }

    /// - Throws: `RuntimeError` when the address cannot be listened on.
    package static func start(_ machine: ServingMachine, at address: HostPort) async throws(RuntimeError) -> ServingHost {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: ServingOutcome.self)
        do {
            let core = try await loop.submit {
                NIOLoopBound(ServingCore(machine, loop, promise), eventLoop: loop)
            }.get()
            let listener = try await ServerBootstrap(group: loop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(ServingHandler(core.value))
                    }
                }
                .bind(host: address.host, port: address.port).get()
            let port = listener.localAddress?.port ?? address.port
            return ServingHost(HostPort(host: address.host, port: port), listener, core, promise)
        } catch {
            promise.fail(error)
            throw .cannotListen(address, "\(error)")
        }
    }

    /// What came of each session, once all are played or the caller gives up waiting.
    package func finished() async -> ServingOutcome {
        let result = try? await outcome.futureResult.get()
        try? await listener.close()
        return result ?? ServingOutcome(sessions: [], strangers: [])
    }

    /// Waits for nothing more; `finished` returns.
    package func stop() {
        let core = core
        loop.execute { core.value.handle(.stop) }
    }
}

/// What came of a recording whose server side was played.
package struct ServingOutcome: Sendable {
    package var sessions: [SessionComparison]
    /// Connections that no recorded session explains, a phrase each.
    package var strangers: [String]
    package init(sessions: [SessionComparison], strangers: [String]) {
        self.sessions = sessions
        self.strangers = strangers
    }
}

/// Feeds the machine and does what it says. Lives on one event loop.
final class ServingCore {
    private var machine: ServingMachine
    private let loop: any EventLoop
    private let begun = NIODeadline.now()
    private var channels: [Int: any Channel] = [:]
    private var lastID = 0
    private var alarm: Scheduled<Void>?
    private var queue: [ServingMachine.Event] = []
    private var isBusy = false
    private let outcome: EventLoopPromise<ServingOutcome>
    private var isOver = false

    init(_ machine: ServingMachine, _ loop: any EventLoop, _ outcome: EventLoopPromise<ServingOutcome>) {
        self.machine = machine
        self.loop = loop
        self.outcome = outcome
    }

    func accept(_ channel: any Channel) -> Int {
        lastID += 1
        channels[lastID] = channel
        handle(.opened(lastID))
        return lastID
    }

    func ended(_ id: Int) {
        handle(.ended(id))
        channels.removeValue(forKey: id)?.close(promise: nil)
    }

    func handle(_ event: ServingMachine.Event) {
        queue.append(event)
        guard !isBusy else { return }
        isBusy = true
        while !queue.isEmpty {
            var commands: [ServingMachine.Command] = []
            machine.handle(queue.removeFirst(), at: Instant(nanoseconds: (NIODeadline.now() - begun).nanoseconds), into: &commands)
            for command in commands { perform(command) }
        }
        isBusy = false
    }

    private func perform(_ command: ServingMachine.Command) {
        switch command {
        case .write(let id, let bytes): channels[id]?.writeAndFlush(bytes, promise: nil)
        case .finish(let id): channels[id]?.close(mode: .output, promise: nil)
        case .wake(let instant):
            alarm?.cancel()
            let me = NIOLoopBound(self, eventLoop: loop)
            alarm = loop.scheduleTask(deadline: begun + .nanoseconds(instant.nanoseconds)) { me.value.handle(.wake) }
        case .over:
            guard !isOver else { return }
            isOver = true
            alarm?.cancel()
            outcome.succeed(ServingOutcome(sessions: machine.results, strangers: machine.strangers))
            // Peers get a moment for their own end.
            let open = channels.values.map { $0 }
            _ = loop.scheduleTask(in: .milliseconds(300)) { for channel in open { channel.close(promise: nil) } }
        }
    }
}

private final class ServingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let core: ServingCore
    private var id: Int?

    init(_ core: ServingCore) { self.core = core }

    func channelActive(context: ChannelHandlerContext) { id = core.accept(context.channel) }
    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let id { core.handle(.received(id, unwrapInboundIn(data))) }
    }
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .some(.inputClosed) = event as? ChannelEvent { end() }
        context.fireUserInboundEventTriggered(event)
    }
    func channelInactive(context: ChannelHandlerContext) { end() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
        guard let ended = id else { return }
        id = nil
        core.ended(ended)
    }
}
