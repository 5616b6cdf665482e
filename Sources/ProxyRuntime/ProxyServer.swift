import Captures
import Faults
package import Journaling
import NIOCore
import NIOPosix
import Oracles
import Synchronization

/// A running proxy: its listeners, each with its own way, and their sessions spread over event loops.
package final class ProxyServer: Sendable {
    /// Where it listens; the port is the real one also when 0 was asked for.
    package var address: HostPort { addresses[0] }
    /// As `address`, one for each route.
    package let addresses: [HostPort]
    /// Nanoseconds since 1970 at instant zero: wall time of an instant is this plus it.
    package let startedWall: Int64
    /// How long each target took to accept a connection, when it was asked.
    package let targetsAnswered: [Duration?]
    /// What their TLS handshakes settled, when they were asked: `TLS 1.3`.
    package let targetsSecurity: [String?]
    package var targetAnswered: Duration? { targetsAnswered[0] }
    package var targetSecurity: String? { targetsSecurity[0] }
    /// The CA that made the certificates which clients are shown; nil when it is not ours, or none are.
    package let authority: Authority?

    let shared: Shared
    private let listeners: [any Channel]
    private let group: MultiThreadedEventLoopGroup
    private let recorderThread: MultiThreadedEventLoopGroup
    private let recorder: Recorder
    private let ticks: [RepeatedTask]
    private let stopping = Mutex(Stopping())

    private struct Stopping {
        var task: Task<RunResult, Never>?
        var cut: (@Sendable () -> Void)?
    }

    private init(
        shared: Shared, parts: ProxyStart.Parts, listeners: [any Channel], answered: [Probe.Answer?], ticks: [RepeatedTask]
    ) {
        self.shared = shared
        self.listeners = listeners
        addresses = zip(listeners, shared.options.routes).map { listener, route in
            let bound = listener.localAddress
            return HostPort(host: bound?.ipAddress ?? route.listen.host, port: bound?.port ?? route.listen.port)
        }
        targetsAnswered = answered.map { $0?.took }
        targetsSecurity = answered.map { $0?.security }
        authority = shared.gateways.lazy.compactMap(\.tls.authority).first
        self.ticks = ticks
        group = parts.group
        recorderThread = parts.recorderThread
        recorder = parts.recorder
        startedWall = parts.startedWall
    }

    /// Listens and relays from now on, or throws and leaves nothing behind.
    /// - Parameters:
    ///   - patience: how long the target may take to answer at all; nil = it need not be there yet.
    ///   - onEvent: called on the recorder's thread, in journal order.
    ///   - onEntry: likewise, with every entry; nil costs nothing.
    package static func start(
        _ options: ProxyOptions, patience: Duration? = nil, onEvent: @escaping EventObserver = { _ in },
        onEntry: EntryObserver? = nil
    ) async throws(RuntimeError) -> ProxyServer {
        var options = options
        options.limits.reservedDescriptors += options.routes.count - 1
        options.limits = SystemLimits.fitted(options.limits)
        options.loops = max(1, options.loops)
        let start = try ProxyStart(options)
        let answered = try await start.probe(patience)
        let listeners = try await start.bind()
        let parts: ProxyStart.Parts
        do {
            parts = try await start.assemble(onEvent: onEvent, onEntry: onEntry)
        } catch {
            for listener in listeners { try? await listener.close() }
            await start.abandon()
            throw error
        }
        let ticks = start.startTicks()
        for listener in listeners { try? await listener.setOption(.autoRead, value: true).get() }
        return ProxyServer(shared: start.shared, parts: parts, listeners: listeners, answered: answered, ticks: ticks)
    }

    package var now: Instant { shared.clock.now }
    package var liveSessions: Int { shared.live }
    /// L7 as it holds on this machine.
    package var sessionLimit: Int { shared.options.limits.sessions }

    /// What was counted and judged so far; the run goes on.
    package func snapshot() async -> RunResult {
        for handle in shared.loops.all { handle.execute { $0.publishWatermark() } }
        return await recorder.snapshot(lasted: Instant.zero.duration(to: now))
    }

    /// What metrics are made of; nil once the run is over.
    package func gauges() async -> Gauges? {
        let clock = shared.clock
        return await recorder.gauges { clock.now }
    }

    /// Stops accepting, lets sessions end for up to `grace`, then cuts them. A further call cuts at once and gives the
    /// same result.
    package func drain(grace: Duration) async -> RunResult {
        let (task, cut) = stopping.withLock { stopping -> (Task<RunResult, Never>, (@Sendable () -> Void)?) in
            if let task = stopping.task { return (task, stopping.cut) }
            let impatience = shared.anyLoop.makePromise(of: Void.self)
            stopping.cut = { impatience.succeed(()) }
            let task = Task { await self.stop(grace: grace, impatience: impatience.futureResult) }
            stopping.task = task
            return (task, nil)
        }
        cut?()
        return await task.value
    }

    private func stop(grace: Duration, impatience: EventLoopFuture<Void>) async -> RunResult {
        for listener in listeners { try? await listener.close() }
        for handle in shared.loops.all { handle.execute { $0.drain() } }
        var drained = await isEmpty(within: grace, or: impatience)
        if !drained {
            for handle in shared.loops.all { handle.execute { $0.cutAll() } }
            _ = await isEmpty(within: .seconds(2), or: nil)
            drained = false
        }
        for tick in ticks { tick.cancel() }
        for handle in shared.loops.all {
            // The loop's last batch is on its way before the recorder sums up.
            try? await handle.eventLoop.submit { handle.loop.finish() }.get()
        }
        let result = await recorder.conclude(lasted: Instant.zero.duration(to: now), drained: drained)
        // Nobody cuts any more; a promise is kept all the same.
        stopping.withLock { $0.cut.take() }?()
        // Nobody calls a loop that is going.
        shared.loops.fill([])
        try? await group.shutdownGracefully()
        try? await recorderThread.shutdownGracefully()
        return result
    }

    /// True once no session is left; false when the time is over or `or` has come.
    private func isEmpty(within time: Duration, or impatience: EventLoopFuture<Void>?) async -> Bool {
        let loop = shared.anyLoop
        let answer = loop.makePromise(of: Bool.self)
        shared.whenEmpty { answer.succeed(true) }
        impatience?.whenSuccess { answer.succeed(false) }
        let timer = loop.scheduleTask(in: .nanoseconds(time.nanoseconds)) { answer.succeed(false) }
        let empty = (try? await answer.futureResult.get()) ?? false
        timer.cancel()
        return empty
    }
}

extension ProxyServer {
    /// As `drain`; with no grace, sessions are cut at once.
    package func stop(grace: Duration) async -> RunResult { await drain(grace: grace) }
}
