import Faults
import Journaling
import NIOCore
import Synchronization

/// What all loops of one proxy read and nobody changes, with the few counters that they share.
final class Shared: Sendable {
    let options: ProxyOptions
    let clock: MonotonicClock
    /// Resolved once (trust.md T14).
    let upstream: [SocketAddress]
    let tls: TLSPair
    let directory = SessionDirectory()
    let loops = LoopTable()
    /// For promises and timers of the proxy as a whole.
    let anyLoop: any EventLoop
    private let faultsStopped = Atomic<Bool>(false)
    private let machines: Mutex<SessionConfiguration>
    private let gate = Mutex(Gate())

    private struct Gate: Sendable {
        var live = 0
        var ids: UInt32 = 0
        var reopen: (@Sendable () -> Void)?
        var whenEmpty: (@Sendable () -> Void)?
    }

    init(options: ProxyOptions, clock: MonotonicClock, upstream: [SocketAddress], tls: TLSPair, anyLoop: any EventLoop) {
        self.tls = tls
        self.anyLoop = anyLoop
        self.options = options
        self.clock = clock
        self.upstream = upstream
        let finder = options.finder
        let enrolment = Enrolment()
        enrolment.take(up: options.profile?.name ?? "", at: .zero)
        enrolment.begin(at: .zero)
        var machines = SessionConfiguration(
            profile: options.profile, contract: options.contract, seed: options.seed, limits: options.limits,
            finder: finder, record: options.keepsTraffic, enrolment: enrolment, followsContexts: options.judge)
        machines.followsExchanges = true
        self.machines = Mutex(machines)
    }

    func machine(for id: SessionID) -> SessionMachine {
        var machine = SessionMachine(configuration: machines.withLock { $0 }, id: id)
        machine.hops = tls.hops
        // Which protocol it is to be is known behind the handshake; a stream has none of its own.
        if options.http2.fromClients { machine.hops.clientIsOpen = false }
        if options.http2.toServer { machine.hops.server = .plain }
        return machine
    }

    var profile: Profile? { machines.withLock { $0.profile } }
    /// Times that faults of the profile acted.
    var acted: Int { machines.withLock { $0.enrolment.acted } }
    /// When the profile's clock began.
    var profileBegan: Instant { machines.withLock { $0.enrolment.began } ?? .zero }

    /// Another profile from now on, for sessions that live too. Never waits for a loop; loops hear of changes in one order.
    func change(_ body: (Profile?) throws -> Profile?) rethrows {
        try machines.withLock { machines in
            let profile = try body(machines.profile)
            options.words.learn(profile?.secrets ?? [])
            machines = machines.with(profile)
            machines.enrolment.take(up: profile?.name ?? "", at: clock.now)
            if !faultsAreOff { tell(machines) }
        }
    }

    private func tell(_ machines: SessionConfiguration) {
        for handle in loops.all { handle.execute { $0.tellAll(.reconfigure(machines)) } }
    }

    /// The server runs on this machine and shares its processors with us.
    var serverIsHere: Bool { upstream.allSatisfy { $0.ipAddress.map(Resolver.isLocal) ?? true } }

    /// What a user said may be delivered to another.
    var crosses: Bool { machines.withLock { $0.crosses } }

    /// The kill switch was pulled; sessions that begin later have no faults either.
    var faultsAreOff: Bool { faultsStopped.load(ordering: .relaxed) }

    func stopFaults() {
        machines.withLock { _ in
            faultsStopped.store(true, ordering: .relaxed)
            for handle in loops.all { handle.execute { $0.tellAll(.faultsOff) } }
        }
    }

    /// The way back: the profile that is the last one by now acts again.
    func restoreFaults() {
        machines.withLock { machines in
            guard faultsAreOff else { return }
            faultsStopped.store(false, ordering: .relaxed)
            tell(machines)
        }
    }

    // MARK: How many sessions there are

    /// A connection was accepted. False when it was the last one that L7 allows.
    func sessionBegan() -> Bool {
        gate.withLock { gate in
            gate.live += 1
            return gate.live < options.limits.sessions
        }
    }

    func nextID() -> SessionID {
        gate.withLock { gate in
            gate.ids &+= 1
            return SessionID(gate.ids)
        }
    }

    /// Called back when there is room again; at once when there is already.
    func whenRoom(_ body: @escaping @Sendable () -> Void) {
        let now = gate.withLock { gate in
            if gate.live < options.limits.sessions { return true }
            gate.reopen = body
            return false
        }
        if now { body() }
    }

    func sessionEnded() {
        let calls = gate.withLock { gate in
            gate.live -= 1
            let reopen = gate.live < options.limits.sessions ? gate.reopen.take() : nil
            let empty = gate.live == 0 ? gate.whenEmpty.take() : nil
            return (reopen, empty)
        }
        calls.0?()
        calls.1?()
    }

    func whenEmpty(_ body: @escaping @Sendable () -> Void) {
        let now = gate.withLock { gate in
            if gate.live == 0 { return true }
            gate.whenEmpty = body
            return false
        }
        if now { body() }
    }

    var live: Int { gate.withLock { $0.live } }
}

/// The way to a loop's state from any thread.
struct LoopHandle: Sendable {
    let eventLoop: any EventLoop
    private let state: NIOLoopBound<Loop>

    /// To be called on that loop.
    init(_ loop: Loop) {
        eventLoop = loop.eventLoop
        state = NIOLoopBound(loop, eventLoop: loop.eventLoop)
    }

    /// To be called on that loop.
    var loop: Loop { state.value }

    func execute(_ body: @escaping @Sendable (Loop) -> Void) {
        eventLoop.execute { body(state.value) }
    }
}

/// The loops by number; filled while the proxy starts.
final class LoopTable: Sendable {
    private let handles = Mutex<[LoopHandle]>([])

    func fill(_ all: [LoopHandle]) { handles.withLock { $0 = all } }

    subscript(index: Int) -> LoopHandle? {
        handles.withLock { $0.indices.contains(index) ? $0[index] : nil }
    }

    var all: [LoopHandle] { handles.withLock { $0 } }

    func execute(on index: Int, _ body: @escaping @Sendable (Loop) -> Void) { self[index]?.execute(body) }
}
