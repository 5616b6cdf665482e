import Faults
import Journaling
import NIOCore
import NIOPosix
import Wire

/// Everything that lives on one event loop: its sessions, their wakes, the entries on their way to the recorder. All
/// sessions of a loop share one output and one run queue, so that no machine is entered while another acts.
final class Loop {
    let index: Int
    let eventLoop: any EventLoop
    let shared: Shared
    private let recorder: Recorder
    private(set) var now: Instant
    /// The recorder is behind as a whole: sessions of this loop that have had their share of its queue are not read.
    private(set) var waitsForRecorder = false

    private(set) var sessions: [UInt32: Session] = [:]
    private(set) lazy var http2 = HTTP2Hub(self)
    /// Connections of forward proxies that are no sessions yet.
    var entrances: [ObjectIdentifier: ForwardEntrance] = [:]
    private var output = SessionOutput()
    private var isRunning = false
    private var queue: [Work] = []
    private var dirty: [Link] = []
    private var outbox: Outbox
    private var wakes = WakeHeap()
    private var armedWake: (at: Instant, task: Scheduled<Void>)?
    private var lingering: [(link: Link, until: Instant)] = []
    private var sampleCountdown = 256
    private var isDraining = false
    /// Nil when the server is elsewhere: our processors are not its own.
    private var pressure: Pressure?
    private var lastTick: Instant

    private enum Work {
        case event(Session, SessionEvent)
        case call(() -> Void)
    }

    init(index: Int, eventLoop: any EventLoop, shared: Shared, recorder: Recorder) {
        self.index = index
        self.eventLoop = eventLoop
        self.shared = shared
        self.recorder = recorder
        now = shared.clock.now
        outbox = Outbox(loop: index)
        lastTick = now
        pressure = shared.serverIsHere ? Pressure() : nil
    }

    var tracksDelivery: Bool { shared.options.keepsTraffic }
    var liveSessions: Int { sessions.count }

    // MARK: Running machines

    /// Tells a session's machine something and performs what it answers. Called again from within, it only queues.
    func deliver(_ event: SessionEvent, to session: Session) {
        if isRunning {
            queue.append(.event(session, event))
            return
        }
        isRunning = true
        now = max(now, shared.clock.now)
        step(session, event)
        if queue.isEmpty && dirty.count == 1 { flushOnly() }
        settle()
        isRunning = false
    }

    /// Runs behind everything that is under way.
    func later(_ body: @escaping () -> Void) {
        queue.append(.call(body))
        if isRunning { return }
        isRunning = true
        now = max(now, shared.clock.now)
        settle()
        isRunning = false
    }

    private func settle() {
        var next = 0
        while next < queue.count || !dirty.isEmpty {
            while next < queue.count {
                switch queue[next] {
                case .event(let session, let event): step(session, event)
                case .call(let body): body()
                }
                next += 1
            }
            let links = dirty
            dirty.removeAll(keepingCapacity: true)
            for link in links { link.flush() }
        }
        if next > 0 { queue.removeAll(keepingCapacity: next < 1_024) }
    }

    private func flushOnly() {
        let link = dirty[0]
        dirty.removeAll(keepingCapacity: true)
        link.flush()
        sampleCountdown -= 1
        if sampleCountdown <= 0 {
            sampleCountdown = 256
            outbox.sample(now.duration(to: shared.clock.now))
        }
    }

    private func step(_ session: Session, _ event: SessionEvent) {
        if session.isOver { return }
        session.machine.handle(event, at: now, into: &output)
        if !output.entries.isEmpty {
            session.charged &+= outbox.append(output.entries, to: session.backlog, &session.cost)
            if outbox.isFull || session.backlog.isOver { handOver() }
        }
        var index = 0
        while index < output.commands.count {
            session.perform(output.commands[index])
            index += 1
        }
        output.removeAll()
        if case .closed = event { return bury(session) }
        // No socket of its client will say that it has ended.
        if session.isVisit { endIfOver(session) }
    }

    func flushLater(_ link: Link) { dirty.append(link) }

    // MARK: Sessions come and go

    func open(_ channel: any Channel, by gateway: Gateway) throws {
        _ = try open(channel, by: gateway, stream: nil, on: nil)
    }

    /// - Parameters:
    ///   - stream: of the channel where that is a stream of HTTP/2, which nobody has counted yet.
    ///   - transport: of the sessions beside it; nil makes it the first one.
    ///   - wire: of a TLS that was begun already.
    /// - Returns: the session's transport.
    func open(
        _ channel: any Channel, by gateway: Gateway, stream: StreamOutlet?, on transport: TransportID?, behind wire: TLSWire? = nil
    ) throws -> TransportID {
        let id = shared.nextID()
        let transport = transport ?? TransportID(id.value)
        let peer = SocketTuning.text(of: channel.remoteAddress)
        let session = begin(id, gateway.opened(transport, peer: peer, isStream: stream != nil), by: gateway)
        let link = Link(.client, of: session, stream: stream)
        if let wire { link.secure(wire) }
        session.attachClient(link)
        do {
            if stream != nil { _ = shared.sessionBegan() }
            try channel.pipeline.syncOperations.addHandler(link)
        } catch {
            sessions[id.value] = nil
            shared.directory.remove(id)
            if stream != nil { shared.sessionEnded() }
            throw error
        }
        return transport
    }

    /// On that loop's own channel. A forward proxy asks first whom it is for.
    func receive(_ channel: any Channel, by gateway: Gateway) throws {
        guard case .forward(let allowed) = gateway.route.way else {
            if gateway.route.http2.fromClients { return try http2.receive(channel, by: gateway) }
            return try open(channel, by: gateway)
        }
        try channel.pipeline.syncOperations.addHandler(ForwardEntrance(self, gateway, allowed))
    }

    /// - Parameter tls: nil = as everybody's who connects there.
    func begin(_ id: SessionID, _ opened: Opened, by gateway: Gateway, _ tls: SessionTLS? = nil) -> Session {
        let session = Session(id: id, opened: opened, loop: self, gateway: gateway, tls: tls)
        sessions[id.value] = session
        shared.directory.list(.init(session: id, loop: index, label: nil, realm: session.realm))
        return session
    }

    /// A session that gets the sockets of another one, which is over. L7 counts sockets, so that it always has a place.
    func heir(of opened: Opened, by gateway: Gateway, _ tls: SessionTLS) -> Session {
        _ = shared.sessionBegan()
        return begin(shared.nextID(), opened, by: gateway, tls)
    }

    /// A connection of ours, which becomes a session of this loop.
    func open(_ visit: Visit, for session: Session) {
        // A forward proxy has no server of its own to call on.
        guard session.gateway.route.upstream != nil else {
            return deliver(.visited(number: visit.number, nil, refused: "it came through a forward proxy"), to: session)
        }
        guard !isDraining, shared.visitBegan() else {
            let reason = isDraining ? "the proxy is shutting down" : "L7: \(shared.options.limits.sessions) sessions are open"
            return deliver(.visited(number: visit.number, nil, refused: reason), to: session)
        }
        let id = shared.nextID()
        let ours = Session(id: id, opened: visit.opened(as: id), loop: self, gateway: session.gateway, visit: visit)
        sessions[id.value] = ours
        session.visits.append(id)
        deliver(.visited(number: visit.number, id, refused: nil), to: session)
        later { ours.begin() }
    }

    func endIfOver(_ session: Session) {
        guard session.hasNoSockets else { return }
        later {
            guard session.hasNoSockets, !session.isOver else { return }
            self.queue.append(.event(session, .closed(session.totals)))
        }
    }

    /// Its machine was told its end, or never heard of it.
    func bury(_ session: Session) {
        guard !session.isOver else { return }
        session.markOver()
        session.dropPrepared()
        sessions[session.id.value] = nil
        shared.directory.remove(session.id)
        shared.sessionEnded()
        for id in session.visits {
            if let visit = sessions[id.value] { deliver(.leave, to: visit) }
        }
        if !shared.options.keepsTraffic || isDraining { handOver() }
    }

    func dial(_ session: Session) {
        if session.gateway.route.http2.toServer { return http2.dial(session) }
        dial(session, candidates: session.gateway.upstream[...])
    }

    private func dial(_ session: Session, candidates: ArraySlice<SocketAddress>) {
        guard let address = candidates.first else { return session.dialFailed("the upstream has no address") }
        let limits = shared.options.limits
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(limits.connectTime.nanoseconds))
            .channelInitializer { [loop = NIOLoopBound(self, eventLoop: eventLoop), id = session.id] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let session = loop.value.sessions[id.value] else { throw ChannelError.ioOnClosedChannel }
                    try SocketTuning.apply(to: channel, limits: limits, inherited: false)
                    let link = Link(.server, of: session)
                    try channel.pipeline.syncOperations.addHandler(link)
                    if let tls = session.tls.server { link.secure(try tls.secure(channel, session.serverOrders)) }
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in
                if candidates.count > 1 { return self.dial(session, candidates: candidates.dropFirst()) }
                session.dialFailed(SocketTuning.sentence(for: error, dialling: address, within: limits.connectTime))
            }
    }

    // MARK: Time

    func wake(_ session: Session, at instant: Instant) {
        wakes.push(WakeHeap.Item(instant: instant, session: session.id.value))
        arm()
    }

    /// One scheduled task a loop, for the earliest wake of all its sessions.
    private func arm() {
        guard let first = wakes.first else { return }
        if let armedWake, armedWake.at <= first.instant { return }
        armedWake?.task.cancel()
        let delay = max(0, shared.clock.now.duration(to: first.instant).nanoseconds)
        let task = eventLoop.assumeIsolated().scheduleTask(in: .nanoseconds(delay)) { self.ring() }
        armedWake = (first.instant, task)
    }

    private func ring() {
        armedWake = nil
        let present = shared.clock.now
        while let item = wakes.popFirst(until: present) {
            guard let session = sessions[item.session], session.wakeAt == item.instant else { continue }
            session.woke()
        }
        arm()
    }

    func linger(_ link: Link) {
        lingering.append((link, now.advanced(by: .seconds(2))))
    }

    /// The loop's only regular timer: hands over entries, publishes the watermark, ends what lingers too long.
    func tick() {
        let present = max(now, shared.clock.now)
        if !lingering.isEmpty {
            let late = lingering.filter { $0.until <= present }
            lingering.removeAll { $0.until <= present || $0.link.isClosed }
            for (link, _) in late { link.closeNow() }
        }
        now = present
        tellTick()
        handOver()
    }

    /// Tells oracle and monitors that this loop was awake: their clocks go with the journal alone, and time passes also while
    /// nobody says anything. What it does not read meanwhile its sessions say themselves.
    private func tellTick() {
        guard shared.options.creditsDeadlines else { return }
        outbox.tick(at: now, crowded: pressure?.sample(span: lastTick.duration(to: now)) ?? 0)
        lastTick = now
    }

    // MARK: Recorder

    func publishWatermark() {
        now = max(now, shared.clock.now)
        handOver()
    }

    private func handOver() {
        let batch = outbox.take(watermark: now)
        recorder.accept(batch)
        if recorder.isBehind { pauseForRecorder() }
        for (backlog, _) in batch.charges where waitsForRecorder || backlog.isOver {
            guard let session = sessions[backlog.session.value], !session.waitsForRecorder else { continue }
            session.waitsForRecorder = backlog.isOver
            session.tellRecorder()
        }
    }

    /// The session has what it may have waiting while the recorder is behind as a whole.
    func hadItsShare(_ session: Session) -> Bool {
        waitsForRecorder && session.backlog.exceeds(recorder.share(of: shared.live))
    }

    private func pauseForRecorder() {
        guard !waitsForRecorder else { return }
        waitsForRecorder = true
        for id in sessions.keys.sorted() { sessions[id]?.tellRecorder() }
    }

    /// The recorder has caught up, as a whole or with these sessions.
    func recorderCaughtUp(with ids: [SessionID], wholly: Bool) {
        if wholly && waitsForRecorder {
            waitsForRecorder = false
            for id in sessions.keys.sorted() { sessions[id]?.tellRecorder() }
        }
        for id in ids {
            guard let session = sessions[id.value], session.waitsForRecorder else { continue }
            session.waitsForRecorder = false
            session.tellRecorder()
        }
    }

    // MARK: The whole proxy's doing

    func tellAll(_ event: SessionEvent) {
        for id in sessions.keys.sorted() {
            if let session = sessions[id] { deliver(event, to: session) }
        }
    }

    /// A sentence that concerns the whole proxy.
    func note(_ text: String) {
        now = max(now, shared.clock.now)
        outbox.note(text, at: now)
    }

    /// What is known of the target beside its connections.
    func tell(_ record: TargetRecord) {
        now = max(now, shared.clock.now)
        outbox.tell(record, at: now)
    }

    /// Another profile for the sessions of one gateway.
    func reconfigure(_ gateway: Gateway) {
        for id in sessions.keys.sorted() {
            guard let session = sessions[id], session.gateway === gateway else { continue }
            deliver(.reconfigure(gateway.configuration(for: session.target)), to: session)
        }
    }

    func drain() {
        isDraining = true
        for entrance in Array(entrances.values) { entrance.abandon() }
        tellAll(.drain)
        http2.drain()
    }

    func cutAll() {
        for id in sessions.keys.sorted() { sessions[id]?.cut(.reset) }
        http2.cutAll()
    }

    /// The last batch of this loop: nothing comes behind it.
    func finish() {
        now = max(now, shared.clock.now)
        // A recording ends where the live judge ended, so that both judge the same deadlines.
        tellTick()
        recorder.accept(outbox.take(watermark: now, isLast: true))
    }
}
