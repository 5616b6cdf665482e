import Journaling
import NIOCore
import Plans
import Wire

/// Everything there is in one simulation, and the clock that moves it: takes what is due next, lets whom it concerns act,
/// and carries what they say until nobody has anything to say.
struct SimulatedWorld<Server: SimulatedServer> {
    private enum Item {
        case network(MemoryNetwork.Due)
        case proxy(SimulatedProxy.Ask)
        case accepted(transport: Int, line: Int)
        case lineConnected(Int)
        case dialled(session: Int, transport: Int, connection: Int)
        case linkConnected(session: Int, transport: Int)
        case playWake(Instant)
        case serverWake(Instant)
        case serverGone(Int)
        case lose(line: Int)
        case farewell
        case cutAll
        case tick(loop: Int)
    }
    /// More than any plan needs; a simulation that goes on for ever is stopped and says so.
    private static var mostItems: Int { 5_000_000 }
    private static var longest: Instant { Instant(nanoseconds: 600_000_000_000) }

    private var play: PlayMachine
    private var proxy: SimulatedProxy
    private var server: Server
    private var journal: SimulatedJournal
    private var network: MemoryNetwork
    private let linger: Duration
    private let loops: Int
    private var now = Instant.zero
    private var agenda = Agenda<Item>()
    private var commands: [PlayMachine.Command] = []
    /// Transports by line, and by connection at the server.
    private var lines: [Int: Int] = [:]
    private var connections: [Int: Int] = [:]
    private var serverWake: Instant?
    private var playWake: Instant?
    private var isOver = false

    init(
        play: PlayMachine, proxy: SimulatedProxy, server: Server, journal: SimulatedJournal, network: MemoryNetwork,
        linger: Duration
    ) {
        self.play = play
        self.proxy = proxy
        self.server = server
        self.journal = journal
        self.network = network
        self.linger = linger
        loops = network.weather.loops
    }

    mutating func run() -> SimulationRun {
        if !network.weather.stalls.isEmpty { for loop in 0..<loops { agenda.add(.tick(loop: loop), at: .zero) } }
        for loss in network.weather.losses { agenda.add(.lose(line: loss.line), at: loss.at) }
        tellUsers(.begin)
        settle()
        var stalled: String?
        var count = 0
        while !(isOver && proxy.isEmpty), let (instant, item) = agenda.next() {
            let awake = isOurs(item) ? network.weather.awake(at: max(now, instant)) : instant
            guard awake <= max(now, instant) else {
                agenda.add(item, at: awake)
                continue
            }
            now = max(now, instant)
            proxy.now = now
            come(item)
            settle()
            count += 1
            guard count < Self.mostItems, now < Self.longest else {
                stalled = "nothing came to an end within \(count) events and \(now.nanoseconds / 1_000_000_000) s"
                break
            }
        }
        if stalled == nil, !(isOver && proxy.isEmpty) { stalled = "everybody waits for somebody else" }
        for loop in 0..<loops { journal.take(proxy.takeEntries(loop: loop), loop: loop, at: now) }
        for loop in 0..<loops { journal.finish(loop: loop) }
        return SimulationRun(
            steps: play.results, judgement: journal.conclude(), entries: journal.entries, journal: journal.lines,
            ended: now, stalled: stalled)
    }

    // MARK: Time

    /// Done by the machine of proxy and users.
    private func isOurs(_ item: Item) -> Bool {
        switch item {
        case .network(let due): !network.isForServer(due)
        case .dialled, .serverWake, .serverGone, .lose: false
        default: true
        }
    }

    private static var tick: Duration { .milliseconds(100) }

    private mutating func come(_ item: Item) {
        switch item {
        case .network(let due): network.come(due, at: now)
        case .proxy(let ask): come(ask)
        case .accepted(let transport, let line):
            let session = proxy.sessions.count
            guard network.accept(transport, by: .link(session: session, isServer: false)) else { return }
            proxy.accept(transport, session: session, peer: "127.0.0.1:\(50_000 + line)", &network)
        case .lineConnected(let line): tellUsers(.connected(line))
        case .dialled(let session, let transport, let connection):
            agenda.add(.linkConnected(session: session, transport: transport), at: after(network.weather.latency()))
            tellServer(.accepted(connection))
        case .linkConnected(let session, let transport): proxy.connected(transport, session: session, &network)
        case .playWake(let instant): if playWake == instant { tellUsers(.wake) }
        case .serverWake(let instant):
            guard serverWake == instant else { return }
            serverWake = nil
            tellServer(.wake)
        case .serverGone(let connection):
            if let transport = connections[connection] { network.leave(transport, 1, at: now) }
        case .lose(let line): if let transport = lines[line] { network.lose(transport, at: now) }
        case .farewell: tellUsers(.finish)
        case .cutAll: proxy.cutAll(&network)
        case .tick(let loop):
            let tick = RawEntry(instant: now, session: SessionID(0), ordinal: 0, body: .value(.tick(crowded: 0)))
            journal.take(proxy.takeEntries(loop: loop) + [tick], loop: loop, at: now)
            agenda.add(item, at: after(Self.tick))
        }
    }

    private mutating func come(_ ask: SimulatedProxy.Ask) {
        switch ask {
        case .dial(let session):
            let connection = connections.count + 1
            let transport = network.open(from: .link(session: session, isServer: true), to: .server(connection))
            connections[connection] = transport
            agenda.add(
                .dialled(session: session, transport: transport, connection: connection),
                at: after(network.weather.latency()))
        case .handOver(let loop): journal.take(proxy.takeEntries(loop: loop), loop: loop, at: now)
        default: proxy.come(ask, &network)
        }
    }

    private func after(_ duration: Duration) -> Instant { now.advanced(by: duration) }

    /// Lets everybody answer what was just said, until nobody has anything to add.
    private mutating func settle() {
        while true {
            let notices = network.takeNotices()
            for notice in notices { hear(notice) }
            for ask in proxy.takeAsks() { agenda.add(.proxy(ask.ask), at: ask.at) }
            for ask in network.takeAsks() { agenda.add(.network(ask.due), at: ask.at) }
            if notices.isEmpty { return }
        }
    }

    private mutating func hear(_ notice: MemoryNetwork.Notice) {
        switch (notice.end, notice.kind) {
        case (.line(let line), .bytes(let bytes)): tellUsers(.received(line, bytes))
        case (.line(let line), .finished): tellUsers(.ended(line, .finish))
        case (.line(let line), .reset): tellUsers(.ended(line, .reset))
        case (.line, .drained), (.server, .drained): break
        case (.server(let connection), .bytes(let bytes)): tellServer(.received(connection, bytes))
        case (.server(let connection), .finished): tellServer(.ended(connection, .finish))
        case (.server(let connection), .reset): tellServer(.ended(connection, .reset))
        case (.link(let session, let isServer), let kind):
            let side: Side = isServer ? .server : .client
            switch kind {
            case .bytes(let bytes): proxy.received(bytes, session, side, &network)
            case .finished: proxy.finished(session, side, &network)
            case .reset: proxy.reset(session, side, &network)
            case .drained: proxy.drained(session, side, &network)
            }
        }
    }

    // MARK: Users

    private mutating func tellUsers(_ event: PlayMachine.Event) {
        commands.removeAll(keepingCapacity: true)
        play.handle(event, at: now, into: &commands)
        for command in commands { perform(command) }
    }

    private mutating func perform(_ command: PlayMachine.Command) {
        switch command {
        case .connect(let line):
            let transport = network.open(from: .line(line), to: nil)
            lines[line] = transport
            let there = after(network.weather.latency())
            agenda.add(.accepted(transport: transport, line: line), at: there)
            agenda.add(.lineConnected(line), at: there.advanced(by: network.weather.latency()))
        case .write(let line, let bytes): onTransport(line) { $0.send(bytes, $1, from: 0, at: $2) }
        case .finish(let line): onTransport(line) { $0.finish($1, from: 0, at: $2) }
        case .reset(let line): onTransport(line) { $0.reset($1, from: 0, at: $2) }
        case .reads(let line, let on): onTransport(line) { $0.setReads($1, 0, on, at: $2) }
        case .wake(let instant):
            playWake = instant
            agenda.add(.playWake(instant), at: max(now, instant))
        case .played: agenda.add(.farewell, at: after(linger))
        case .over:
            isOver = true
            for line in lines.keys.sorted() { onTransport(line) { $0.leave($1, 0, at: $2) } }
            proxy.drain(&network)
            agenda.add(.cutAll, at: after(.seconds(2)))
        }
    }

    private mutating func onTransport(_ line: Int, _ body: (inout MemoryNetwork, Int, Instant) -> Void) {
        if let transport = lines[line] { body(&network, transport, now) }
    }

    // MARK: Server

    private mutating func tellServer(_ event: SimulatedServerEvent) {
        for command in server.handle(event, at: now) {
            switch command {
            case .write(let connection, let bytes): onConnection(connection) { $0.send(bytes, $1, from: 1, at: $2) }
            case .finish(let connection):
                onConnection(connection) { $0.finish($1, from: 1, at: $2) }
                agenda.add(.serverGone(connection), at: after(.seconds(1)))
            case .reset(let connection): onConnection(connection) { $0.reset($1, from: 1, at: $2) }
            case .wake(let instant):
                serverWake = instant
                agenda.add(.serverWake(instant), at: max(now, instant))
            }
        }
    }

    private mutating func onConnection(_ connection: Int, _ body: (inout MemoryNetwork, Int, Instant) -> Void) {
        if let transport = connections[connection] { body(&network, transport, now) }
    }
}
