import Faults
import Journaling
import NIOCore
import Synchronization

/// What all loops of one proxy read and nobody changes, with the few counters that they share.
final class Shared: Sendable {
    let options: ProxyOptions
    let clock: MonotonicClock
    /// One for each route, in their order.
    let gateways: [Gateway]
    let directory = SessionDirectory()
    let loops = LoopTable()
    /// For promises and timers of the proxy as a whole.
    let anyLoop: any EventLoop
    private let faultsStopped = Atomic<Bool>(false)
    /// Faults come, change and go in one order.
    private let changes = Mutex(())
    /// Our own listeners, once they are bound.
    private let listeners = Mutex<[SocketAddress]>([])
    /// Values of variables that profiles of this run name.
    let hidden = HiddenTexts()
    private let gate = Mutex(Gate())

    private struct Gate: Sendable {
        var live = 0
        var ids: UInt32 = 0
        /// One for each listener that waits.
        var reopen: [@Sendable () -> Void] = []
        var whenEmpty: (@Sendable () -> Void)?
    }

    init(options: ProxyOptions, clock: MonotonicClock, gateways: [Gateway], anyLoop: any EventLoop) {
        self.anyLoop = anyLoop
        self.options = options
        self.clock = clock
        self.gateways = gateways
        for route in options.routes { hidden.add(route.profile?.secrets ?? []) }
    }

    /// The first route's profile; where there are several routes each has its own.
    var profile: Profile? { gateways[0].profile }
    var faults: [ListenerFaults] {
        let now = clock.now
        return gateways.map { gateway in
            ListenerFaults(
                listener: gateway.route.name, profile: gateway.profile, age: gateway.profileBegan.duration(to: now), acted: gateway.acted)
        }
    }
    /// Times that faults acted.
    var acted: Int { gateways.reduce(0) { $0 + $1.acted } }

    /// Another profile from now on, for sessions that live too. Never waits for a loop; loops hear of changes in one order.
    /// - Parameter route: the one whose profile it is; nil = all.
    func change(at route: Int? = nil, _ body: (Profile?) throws -> Profile?) rethrows {
        try changes.withLock { _ in
            for (index, gateway) in gateways.enumerated() where route == nil || route == index {
                let profile = try body(gateway.profile)
                // Before anything can act with them.
                hidden.add(profile?.secrets ?? [])
                gateway.take(up: profile, at: clock.now)
                if !faultsAreOff { tell(gateway) }
            }
        }
    }

    private func tell(_ gateway: Gateway) {
        for handle in loops.all { handle.execute { $0.reconfigure(gateway) } }
    }

    /// The server runs on this machine and shares its processors with us.
    var serverIsHere: Bool { gateways.contains { $0.upstream.allSatisfy { $0.ipAddress.map(Resolver.isLocal) ?? true } } }

    /// What a user said may be delivered to another.
    var crosses: Bool { gateways.contains(where: \.crosses) }

    /// The kill switch was pulled; sessions that begin later have no faults either.
    var faultsAreOff: Bool { faultsStopped.load(ordering: .relaxed) }

    func stopFaults() {
        changes.withLock { _ in
            faultsStopped.store(true, ordering: .relaxed)
            for handle in loops.all { handle.execute { $0.tellAll(.faultsOff) } }
        }
    }

    /// The way back: the profiles that are the last ones by now act again.
    func restoreFaults() {
        changes.withLock { _ in
            guard faultsAreOff else { return }
            faultsStopped.store(false, ordering: .relaxed)
            for gateway in gateways { tell(gateway) }
        }
    }

    // MARK: Where not to dial

    func listensAt(_ addresses: [SocketAddress]) { listeners.withLock { $0 = addresses } }

    /// Why this address must not be dialled (trust.md T14); nil when it may be.
    func objection(to target: SocketAddress, allowLinkLocal: Bool) -> String? {
        let own = listeners.withLock { $0 }
        let places: [SocketAddress?] = own.isEmpty ? [nil] : own
        return places.lazy.compactMap { Resolver.objection(to: target, listener: $0, allowLinkLocal: allowLinkLocal) }.first
    }

    // MARK: How many sessions there are

    /// A connection was accepted. False when it was the last one that L7 allows.
    func sessionBegan() -> Bool {
        gate.withLock { gate in
            gate.live += 1
            return gate.live < options.limits.sessions
        }
    }

    /// A fault wants one more connection. False when L7 leaves no room for it.
    func visitBegan() -> Bool {
        gate.withLock { gate in
            guard gate.live + 1 < options.limits.sessions else { return false }
            gate.live += 1
            return true
        }
    }

    /// Sessions that were given a name.
    var begun: Int { gate.withLock { Int($0.ids) } }

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
            gate.reopen.append(body)
            return false
        }
        if now { body() }
    }

    func sessionEnded() {
        let calls = gate.withLock { gate in
            gate.live -= 1
            var reopen: [@Sendable () -> Void] = []
            if gate.live < options.limits.sessions { swap(&reopen, &gate.reopen) }
            let empty = gate.live == 0 ? gate.whenEmpty.take() : nil
            return (reopen, empty)
        }
        for call in calls.0 { call() }
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
