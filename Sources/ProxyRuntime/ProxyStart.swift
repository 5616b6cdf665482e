import Captures
import Faults
import Glibc
import Journaling
import NIOCore
import NIOPosix
import Oracles

/// The steps from options to a running proxy, each of which may fail and leaves nothing half-started behind.
struct ProxyStart {
    /// What the running proxy holds on to.
    struct Parts: Sendable {
        var group: MultiThreadedEventLoopGroup
        var recorderThread: MultiThreadedEventLoopGroup
        var recorder: Recorder
        var startedWall: Int64
    }

    let shared: Shared
    private let group: MultiThreadedEventLoopGroup
    private let recorderThread: MultiThreadedEventLoopGroup
    private let startedWall: Int64
    private var options: ProxyOptions { shared.options }

    init(_ options: ProxyOptions) throws(RuntimeError) {
        var gateways: [Gateway] = []
        let held = HeldBytes()
        for (number, route) in options.routes.enumerated() {
            let upstream = try route.upstream.map { upstream throws(RuntimeError) in
                try Resolver.permitted(upstream.address, allowLinkLocal: options.allowLinkLocalUpstream)
            }
            let tls: TLSPair
            do { tls = try TLSPair(route, options.limits) } catch { throw .tls(error) }
            gateways.append(Gateway(route, at: upstream ?? [], tls, number: number, held: held, options))
        }
        startedWall = MonotonicClock.wall
        group = MultiThreadedEventLoopGroup(numberOfThreads: options.loops)
        recorderThread = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        shared = Shared(options: options, clock: MonotonicClock(), gateways: gateways, anyLoop: group.any())
    }

    /// Undoes `init`.
    func abandon() async {
        try? await group.shutdownGracefully()
        try? await recorderThread.shutdownGracefully()
    }

    /// What each target answered; throws when one does not. Nil for whom nobody asked.
    func probe(_ patience: Duration?) async throws(RuntimeError) -> [Probe.Answer?] {
        guard let patience else { return options.routes.map { _ in nil } }
        var answers: [Probe.Answer?] = []
        for gateway in shared.gateways {
            guard let upstream = gateway.route.upstream else {
                answers.append(nil)
                continue
            }
            do {
                answers.append(
                    try await Probe.answer(
                        of: upstream.address, at: gateway.upstream, tls: gateway.tls.server, patience: patience, group: group))
            } catch {
                await abandon()
                throw error
            }
        }
        return answers
    }

    /// Binds the listeners; they accept nothing before their `autoRead` is turned on.
    func bind() async throws(RuntimeError) -> [any Channel] {
        var bound: [any Channel] = []
        do {
            for gateway in shared.gateways { bound.append(try await bind(gateway)) }
            shared.listensAt(bound.compactMap(\.localAddress))
            if let (upstream, why) = ownListener() { throw RuntimeError.forbiddenTarget(upstream.address, why) }
            return bound
        } catch {
            for channel in bound { try? await channel.close() }
            await abandon()
            throw (error as? RuntimeError) ?? .cannotListen(options.routes[0].listen, "\(error)")
        }
    }

    private func bind(_ gateway: Gateway) async throws(RuntimeError) -> any Channel {
        let place = gateway.route.listen
        let address = try Resolver.addresses(of: place)[0]
        do { return try await listen(on: address, gateway) } catch { throw reason(error, at: place) }
    }

    private func listen(on address: SocketAddress, _ gateway: Gateway) async throws -> any Channel {
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4_096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.autoRead, value: false)
            .serverChannelOption(.maxMessagesPerRead, value: 1)
        // Accepted sockets inherit these from the listener.
        for (level, name, value) in SocketTuning.keepAlive(options.limits) {
            bootstrap = bootstrap.serverChannelOption(
                ChannelOptions.Types.SocketOption(level: level, name: name), value: value)
        }
        return try await bootstrap
            .serverChannelInitializer { [shared] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Gatekeeper(shared: shared))
                }
            }
            .childChannelInitializer { [self, shared] channel in
                channel.eventLoop.makeCompletedFuture {
                    do {
                        try receive(channel, gateway)
                    } catch {
                        // The gatekeeper has counted it, and no session will say that it has ended.
                        shared.sessionEnded()
                        throw error
                    }
                }
            }
            .bind(to: address).get()
    }

    /// On the channel's own loop.
    private func receive(_ channel: any Channel, _ gateway: Gateway) throws {
        guard let handle = shared.loops.all.first(where: { $0.eventLoop === channel.eventLoop }) else {
            throw ChannelError.ioOnClosedChannel
        }
        try SocketTuning.apply(to: channel, limits: options.limits, inherited: true)
        try handle.loop.receive(channel, by: gateway)
    }

    /// With port 0 only now it is known where the listeners are. No route leads to any of them (trust.md T14).
    private func ownListener() -> (Upstream, String)? {
        for gateway in shared.gateways {
            guard let upstream = gateway.route.upstream else { continue }
            for address in gateway.upstream {
                if let why = shared.objection(to: address, allowLinkLocal: true) { return (upstream, why) }
            }
        }
        return nil
    }

    private func reason(_ error: any Error, at place: HostPort) -> RuntimeError {
        guard let error = error as? IOError else { return .cannotListen(place, "\(error)") }
        if error.errnoCode == EADDRINUSE { return .portInUse(place, by: PortOwner.listening(on: place.port)) }
        return .cannotListen(place, SocketTuning.words(for: error.errnoCode))
    }

    /// Makes the recorder and the loops.
    func assemble(onEvent: @escaping EventObserver, onEntry: EntryObserver?) async throws(RuntimeError) -> Parts {
        let thread = recorderThread.any()
        let loops = shared.loops
        do {
            let desk = try await thread.submit { [self] in
                NIOLoopBound(try makeDesk(onEvent: onEvent, onEntry: onEntry), eventLoop: thread)
            }.get()
            let recorder = Recorder(
                thread: thread, limit: options.limits.recorderBytes, loops: options.loops, desk: desk,
                resume: { index, sessions, wholly in
                    loops.execute(on: index) { $0.recorderCaughtUp(with: sessions, wholly: wholly) }
                },
                poke: { index in loops.execute(on: index) { $0.publishWatermark() } })
            var handles: [LoopHandle] = []
            for (index, eventLoop) in group.makeIterator().enumerated() {
                handles.append(
                    try await eventLoop.submit { [shared] in
                        LoopHandle(Loop(index: index, eventLoop: eventLoop, shared: shared, recorder: recorder))
                    }.get())
            }
            loops.fill(handles)
            return Parts(
                group: group, recorderThread: recorderThread, recorder: recorder, startedWall: startedWall)
        } catch {
            let directory = options.record ?? ""
            throw .cannotRecord(directory: directory, (error as? RecordingError)?.description ?? "\(error)")
        }
    }

    private func makeDesk(onEvent: @escaping EventObserver, onEntry: EntryObserver?) throws -> RecorderDesk {
        var configuration = Transcriber.Configuration(
            mode: options.recordMode, limits: options.limits, finder: options.finder,
            redactionKey: redactionKey(), epochSeconds: startedWall / 1_000_000_000)
        configuration.hidden = shared.hidden
        let writer = try options.record.map {
            try RecordingWriter(
                directory: $0, header: header(), limits: options.limits, isPacked: options.packsRecord)
        }
        return RecorderDesk(
            assembler: JournalAssembler(loops: options.loops, configuration), writer: writer,
            users: options.recordedUsers.map { RecordedUsers($0, options.contract, options.limits) }, directory: options.record, ledger: options.keepsTraffic ? Ledger() : nil,
            judge: options.judge ? Judge(contract: options.contract) : Judge(watchingOnly: options.keepsTraffic),
            isJudging: options.judge, onEntry: onEntry, onEvent: onEvent)
    }

    private func header() -> RecordingHeader {
        let users = options.recordedUsers?.users.map(\.text) ?? []
        // Evidence of what these users were given; who reads it must know that it is there.
        let crossed = users.isEmpty || !shared.crosses ? "" : "holds words of other users where a fault delivered them to these"
        return RecordingHeader(
            program: options.program, started: MonotonicClock.utc(startedWall), seed: options.seed,
            mode: options.recordMode,
            profile: options.commonProfile.map { .init(name: $0.name, hash: $0.hash, text: $0.text) },
            contract: options.contract.map { .init(name: $0.name, hash: $0.hash, text: $0.text) },
            upstream: options.target + (options.isUnverified ? " (certificate not verified)" : ""),
            purpose: [options.purpose, crossed].filter { !$0.isEmpty }.joined(separator: "; "),
            retention: options.retention, users: users)
    }

    /// Fresh for each run and never stored (trust.md T35).
    private func redactionKey() -> [UInt8] {
        var system = SystemRandomNumberGenerator()
        return (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &system) }
    }

    /// One timer a loop. When traffic is kept the watermark must move at least every 100 ms.
    func startTicks() -> [RepeatedTask] {
        let period = TimeAmount.milliseconds(options.keepsTraffic ? 100 : 250)
        return shared.loops.all.map { handle in
            handle.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: period) { _ in handle.loop.tick() }
        }
    }
}
