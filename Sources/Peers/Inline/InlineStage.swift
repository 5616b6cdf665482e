import Faults
package import Journaling
import NIOCore
import NIOPosix
import Oracles
package import Contracts
package import Plans
import ProxyRuntime
import Wire

/// Plays plans through session machines in this process, many side by side on one event loop: no proxy's sockets, no
/// recorder's thread, only the server's own connections. The machines and the judge are the proxy's, and so is what is
/// found.
package final class InlineStage: CaseRunner {
    package struct Settings: Sendable {
        package var target: Endpoint
        package var contract: Contract?
        /// Signs credentials, and lets the judge check them.
        package var key: [UInt8]
        /// Credentials that somebody else made.
        package var given: Set<String> = []
        /// Seconds since 1970 for `{now}` and credentials; nil = this machine's clock when a case begins.
        package var epoch: Int64?
        package var limits = Limits.standard
        /// Shared by all whose cases are played at the same time.
        package var memory = CaseMemory.shared
        package init(target: Endpoint, contract: Contract?, key: [UInt8]) {
            self.target = target
            self.contract = contract
            self.key = key
        }
    }

    private let settings: Settings
    private let loop: any EventLoop
    private let hands: NIOLoopBoundBox<Stagehands?>
    private let judge: Judge
    private let machines: SessionConfiguration
    private let addresses: [SocketAddress]
    private let patience: Duration

    /// - Throws: `RigError.unreachable` when the host has no address.
    package init(_ settings: Settings) throws(RigError) {
        var settings = settings
        // Many cases wait at the same time, each with sockets of its own.
        settings.limits = SystemLimits.fitted(settings.limits)
        self.settings = settings
        loop = MultiThreadedEventLoopGroup.singleton.next()
        do throws(RuntimeError) {
            addresses = try Resolver.addresses(of: HostPort(host: settings.target.host, port: settings.target.port))
        } catch { throw .unreachable("\(settings.target.host): \(error)") }
        judge = Judge(contract: settings.contract)
        let finder: any SecretFinder =
            settings.contract.map { ContractSecrets($0, key: settings.key, given: settings.given) } ?? StandardSecrets()
        machines = SessionConfiguration(contract: settings.contract, limits: settings.limits, finder: finder)
        patience = Deadlines.longest(in: settings.contract) * 3 + .milliseconds(500)
        hands = NIOLoopBoundBox.makeBoxSendingValue(nil, eventLoop: loop)
    }

    package func run(_ plan: Plan, _ options: CaseOptions) async -> CaseRun {
        let promise = loop.makePromise(of: CaseRun.self)
        let id = CaseTicket()
        loop.execute { self.begin(plan, options, id, promise) }
        return await withTaskCancellationHandler {
            do { return try await promise.futureResult.get() } catch {
                return CaseRun(steps: [], judgement: Judgement(), entries: [], took: .zero)
            }
        } onCancel: {
            loop.execute { self.hands.value?.stop(id) }
        }
    }

    /// Ends every case that is under way; what is undecided stays so.
    package func stopAll() { loop.execute { self.hands.value?.stopAll() } }

    private func begin(_ plan: Plan, _ options: CaseOptions, _ id: CaseTicket, _ promise: EventLoopPromise<CaseRun>) {
        let stagehands = hands.value ?? Stagehands(loop: loop, isHere: serverIsHere)
        hands.value = stagehands
        let epoch = settings.epoch ?? WallClock.seconds()
        var play = PlayMachine.Settings(
            host: String(settings.target.description.dropFirst("ws://".count)), contract: settings.contract,
            seed: options.seed, key: settings.key, epoch: epoch)
        play.cast = options.cast
        play.missesAllowed = options.missesAllowed
        play.mostPatience = options.mostPatience
        play.gaps = options.gaps
        play.rests = options.rests
        play.reprieve = options.reprieve
        let ground = InlineCase.Ground(
            loop: loop, addresses: addresses, limits: settings.limits,
            transcript: Transcriber.Configuration(
                limits: settings.limits, finder: machines.finder,
                redactionKey: Digest.sha256(Array("\(options.seed)".utf8)), epochSeconds: epoch),
            judge: judge, memory: settings.memory)
        let one = InlineCase(
            plan, options, settings: play, machines: machines(for: plan, options), patience: options.patience ?? patience,
            on: ground
        ) { run in
            stagehands.ended(id)
            promise.succeed(run)
        }
        stagehands.add(one, id)
        one.start()
    }

    private var serverIsHere: Bool { addresses.allSatisfy { $0.ipAddress.map(Resolver.isLocal) ?? true } }

    /// The plan's faults, with users by the names that the proxy sees.
    private func machines(for plan: Plan, _ options: CaseOptions) -> SessionConfiguration {
        if let profile = options.profile {
            return SessionConfiguration(
                profile: profile, contract: settings.contract, seed: options.seed, limits: settings.limits,
                finder: machines.finder)
        }
        guard !plan.faults.isEmpty else {
            var mine = machines
            mine.enrolment = Enrolment()
            mine.rendezvous = Rendezvous()
            mine.held = HeldBytes()
            mine.past = Past()
            mine.seed = options.seed
            return mine
        }
        var profile = Profile(name: "plan")
        let users = Set(plan.users.map(\.name))
        profile.faults = plan.faults.compactMap { line in
            var line = line
            line.words = line.words.map { users.contains($0) ? options.cast.principal(of: $0) : $0 }
            return try? line.rule()
        }
        return SessionConfiguration(
            profile: profile, contract: settings.contract, seed: options.seed, limits: settings.limits,
            finder: machines.finder)
    }
}

/// Names a case while it is played.
final class CaseTicket: Sendable {}

/// The timers that all cases of one loop share.
private final class Stagehands {
    private let loop: any EventLoop
    private var cases: [ObjectIdentifier: InlineCase] = [:]
    private var tickets: [ObjectIdentifier: CaseTicket] = [:]
    /// Nil when the server is elsewhere: our processors are not its own.
    private var pressure: Pressure?
    private var last = NIODeadline.now()
    private var isBeating = false

    init(loop: any EventLoop, isHere: Bool) {
        self.loop = loop
        pressure = isHere ? Pressure() : nil
    }

    func add(_ one: InlineCase, _ ticket: CaseTicket) {
        cases[ObjectIdentifier(ticket)] = one
        tickets[ObjectIdentifier(ticket)] = ticket
        guard !isBeating else { return }
        isBeating = true
        last = .now()
        _ = pressure?.sample(span: .zero)
        rest()
    }

    private func rest() {
        _ = loop.assumeIsolated().scheduleTask(in: .milliseconds(25)) { self.beat() }
    }

    func ended(_ ticket: CaseTicket) {
        cases[ObjectIdentifier(ticket)] = nil
        tickets[ObjectIdentifier(ticket)] = nil
    }

    func stop(_ ticket: CaseTicket) { cases[ObjectIdentifier(ticket)]?.stop(cut: true) }

    func stopAll() { for one in Array(cases.values) { one.stop(cut: true) } }

    private func beat() {
        if cases.isEmpty {
            isBeating = false
            return
        }
        defer { rest() }
        let present = NIODeadline.now()
        let span = present - last
        guard span >= .milliseconds(95) else {
            for one in Array(cases.values) { one.look() }
            return
        }
        last = present
        let crowded = pressure?.sample(span: .nanoseconds(span.nanoseconds)) ?? 0
        for one in Array(cases.values) { one.tick(crowded: crowded) }
    }
}
