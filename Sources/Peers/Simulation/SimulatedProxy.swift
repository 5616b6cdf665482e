import Faults
import Journaling
import NIOCore
import ProxyRuntime
import Wire

/// The proxy without sockets: session machines of several loops over transports in memory. It performs what the machines
/// say, in order, and invents nothing; the shell in `ProxyRuntime` does the same over sockets.
struct SimulatedProxy {
    struct Session {
        enum Dialling { case no, yes, abandoned }
        let id: SessionID
        let loop: Int
        var machine: SessionMachine
        /// Nil where a fault opened the session: its client is in its machine.
        var client: SimulatedLink?
        var server: SimulatedLink?
        var dialling = Dialling.no
        var isOver = false
        var wakeAt: Instant?
        /// Those that its faults opened; they leave with it.
        var visits: [Int] = []

        func link(_ side: Side) -> SimulatedLink? { side == .client ? client : server }
        mutating func change(_ side: Side, _ body: (inout SimulatedLink) -> Void) {
            guard var link = link(side) else { return }
            body(&link)
            if side == .client { client = link } else { server = link }
        }
        var hasNoSockets: Bool {
            (client?.isClosed ?? machine.isGuestGone) && (server?.isClosed ?? true) && dialling != .yes
        }
        var totals: Totals {
            let guest = machine.guestBytes
            return Totals(
                clientIn: client?.bytesIn ?? guest?.in ?? 0, clientOut: client?.bytesOut ?? guest?.out ?? 0, serverIn: server?.bytesIn ?? 0,
                serverOut: server?.bytesOut ?? 0)
        }
    }
    /// What a session asks of the world.
    enum Ask {
        case dial(session: Int)
        case wake(session: Int)
        case linger(session: Int, Side)
        /// A message or its answer on the way to another loop.
        case arrive(Crossing, at: SessionID)
        case answer(Crossing, refused: String?)
        case rouse(Int)
        case handOver(loop: Int)
    }
    private enum Work {
        case event(Int, SessionEvent)
        case endIfOver(Int)
    }

    var now = Instant.zero
    var sessions: [Session] = []
    var asks: [(ask: Ask, at: Instant)] = []
    private let machines: SessionConfiguration
    private let mayCross: Bool
    private let directory = SessionDirectory()
    private var output = SessionOutput()
    private var queue: [Work] = []
    private var isRunning = false
    /// Entries on their way to the recorder, by loop.
    private var outboxes: [[RawEntry]]

    init(_ machines: SessionConfiguration, loops: Int) {
        self.machines = machines
        mayCross = machines.profile?.faults.isEmpty == false
        outboxes = Array(repeating: [], count: loops)
    }

    var isEmpty: Bool { sessions.allSatisfy(\.isOver) }

    mutating func takeAsks() -> [(ask: Ask, at: Instant)] {
        defer { asks.removeAll(keepingCapacity: true) }
        return asks
    }

    mutating func takeEntries(loop: Int) -> [RawEntry] {
        defer { outboxes[loop].removeAll(keepingCapacity: true) }
        return outboxes[loop]
    }

    /// A client's transport was accepted; the proxy's end of it is 1.
    mutating func accept(_ transport: Int, session index: Int, peer: String, _ network: inout MemoryNetwork) {
        let id = SessionID(UInt32(clamping: index + 1))
        let loop = network.weather.loop()
        sessions.append(
            Session(
                id: id, loop: loop, machine: SessionMachine(configuration: machines, id: id),
                client: SimulatedLink(transport: transport, end: 1)))
        if mayCross { directory.list(.init(session: id, loop: loop, label: nil)) }
        deliver(.accepted(Opened(transport: TransportID(id.value), peer: peer)), to: index, &network)
    }

    /// The server's transport is there; the proxy's end of it is 0.
    mutating func connected(_ transport: Int, session index: Int, _ network: inout MemoryNetwork) {
        if sessions[index].dialling == .abandoned {
            sessions[index].dialling = .no
            network.reset(transport, from: 0, at: now)
            return endIfOver(index, &network)
        }
        sessions[index].dialling = .no
        sessions[index].server = SimulatedLink(transport: transport, end: 0)
        deliver(.connected, to: index, &network)
    }

    mutating func come(_ ask: Ask, _ network: inout MemoryNetwork) {
        switch ask {
        case .dial, .handOver: break
        case .wake(let index):
            guard let wake = sessions[index].wakeAt, wake <= now else { return }
            sessions[index].wakeAt = nil
            deliver(.wake, to: index, &network)
        case .rouse(let index): deliver(.roused, to: index, &network)
        case .linger(let index, let side): leave(index, side, &network)
        case .arrive(let crossing, let id):
            guard let index = index(of: id), !sessions[index].isOver else {
                return asks.append(
                    (.answer(crossing, refused: "the partner's session had ended"), now.advanced(by: network.weather.hop())))
            }
            deliver(.crossed(crossing), to: index, &network)
        case .answer(let crossing, let refused):
            guard let index = index(of: crossing.from), !sessions[index].isOver else { return }
            deliver(
                refused.map { .crossingRefused(crossing, reason: $0) } ?? .crossingTaken(crossing), to: index, &network)
        }
    }

    mutating func drain(_ network: inout MemoryNetwork) {
        for index in sessions.indices where !sessions[index].isOver { deliver(.drain, to: index, &network) }
    }

    mutating func cutAll(_ network: inout MemoryNetwork) {
        for index in sessions.indices where !sessions[index].isOver {
            close(index, .client, .reset, &network)
            close(index, .server, .reset, &network)
        }
    }

    // MARK: Running machines

    /// Called again from within, it only queues, so that no machine is entered while another acts.
    mutating func deliver(_ event: SessionEvent, to index: Int, _ network: inout MemoryNetwork) {
        queue.append(.event(index, event))
        run(&network)
    }

    mutating func endIfOver(_ index: Int, _ network: inout MemoryNetwork) {
        queue.append(.endIfOver(index))
        run(&network)
    }

    private mutating func run(_ network: inout MemoryNetwork) {
        guard !isRunning else { return }
        isRunning = true
        var next = 0
        while next < queue.count {
            switch queue[next] {
            case .event(let index, let event): step(index, event, &network)
            case .endIfOver(let index):
                if sessions[index].hasNoSockets, !sessions[index].isOver {
                    queue.append(.event(index, .closed(sessions[index].totals)))
                }
            }
            next += 1
        }
        queue.removeAll(keepingCapacity: true)
        isRunning = false
    }

    private mutating func step(_ index: Int, _ event: SessionEvent, _ network: inout MemoryNetwork) {
        guard !sessions[index].isOver else { return }
        var output = self.output
        self.output = SessionOutput()
        sessions[index].machine.handle(event, at: now, into: &output)
        let loop = sessions[index].loop
        outboxes[loop] += output.entries
        for command in output.commands { perform(command, index, &network) }
        output.removeAll()
        self.output = output
        if case .closed = event {
            sessions[index].isOver = true
            directory.remove(sessions[index].id)
            for visit in sessions[index].visits { deliver(.leave, to: visit, &network) }
        } else if sessions[index].client == nil {
            // No link of a client will say that it has ended.
            endIfOver(index, &network)
        }
        if network.weather.handsOver() { asks.append((.handOver(loop: loop), now)) }
    }

    private mutating func perform(_ command: SessionCommand, _ index: Int, _ network: inout MemoryNetwork) {
        switch command {
        case .connect:
            guard sessions[index].server == nil, sessions[index].dialling == .no else { return }
            sessions[index].dialling = .yes
            asks.append((.dial(session: index), now))
        case .write(let side, let bytes): write(bytes, index, side, &network)
        case .flush: break
        case .finish(let side), .truncate(let side): finish(index, side, &network)
        // No hop here speaks TLS, and the machine knows it.
        case .secure: break
        case .close(let side, let style):
            if side == .server, sessions[index].server == nil, sessions[index].dialling == .yes {
                sessions[index].dialling = .abandoned
                return endIfOver(index, &network)
            }
            close(index, side, style, &network)
        case .reads(let side, let on): setReads(on, index, side, &network)
        case .cross(let crossing): cross(crossing, index, &network)
        case .answer(let crossing, let refused):
            asks.append((.answer(crossing, refused: refused), now.advanced(by: network.weather.hop())))
        case .visit(let visit): open(visit, index, &network)
        case .rouse:
            for other in sessions.indices where other != index && !sessions[other].isOver {
                if sessions[other].loop == sessions[index].loop {
                    deliver(.roused, to: other, &network)
                } else {
                    asks.append((.rouse(other), now.advanced(by: network.weather.hop())))
                }
            }
        case .wake(let instant):
            sessions[index].wakeAt = instant
            if instant < .distantFuture { asks.append((.wake(session: index), max(now, instant))) }
            if instant < now { sessions[index].wakeAt = now }
        // Its machines follow no exchanges.
        case .succeed: break
        case .label(let text):
            directory.list(.init(session: sessions[index].id, loop: sessions[index].loop, label: text))
        }
    }

    /// A connection of ours.
    private mutating func open(_ visit: Visit, _ index: Int, _ network: inout MemoryNetwork) {
        let id = SessionID(UInt32(clamping: sessions.count + 1))
        let ours = sessions.count
        sessions.append(
            Session(
                id: id, loop: sessions[index].loop, machine: SessionMachine(configuration: machines, id: id, visit: visit), client: nil))
        sessions[index].visits.append(ours)
        deliver(.visited(number: visit.number, id, refused: nil), to: index, &network)
        deliver(.accepted(visit.opened(as: id)), to: ours, &network)
    }

    private mutating func cross(_ crossing: Crossing, _ index: Int, _ network: inout MemoryNetwork) {
        guard let place = directory.partner(for: crossing) else {
            return deliver(.crossingRefused(crossing, reason: "no live session of another user"), to: index, &network)
        }
        var crossing = crossing
        crossing.partner = place.label
        asks.append((.arrive(crossing, at: place.session), now.advanced(by: network.weather.hop())))
    }

    private func index(of id: SessionID) -> Int? {
        let index = Int(id.value) - 1
        return sessions.indices.contains(index) ? index : nil
    }
}
