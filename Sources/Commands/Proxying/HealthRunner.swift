import Contracts
import ControlServer
import Fuzzing
import Journaling
import Oracles
import Peers
import Plans
import ProxyRuntime
import Reporting
import Synchronization

/// Drives one complete synthetic run through the proxy and the target, again and again, as a user of its own (incidents.md I5:
/// "a health endpoint that validates a complete event flow").
final class HealthRunner: Sendable {
    private let plan: Plan
    private let player: Player
    private let every: Duration
    let flow: String
    let warnings: [String]

    private struct State {
        var last: HealthRun?
        var count = 0
        /// Faults of ours that acted since the run under way began, and on whose connection, the latest.
        var acted: [(peer: String, fault: String)] = []
    }
    private static let mostActed = 1_024
    /// How long a failure waits for the journal, which tells what faults did.
    private static let patience: Duration = .seconds(2)
    /// How far the journal is behind; nil when nobody knows any more.
    typealias Lag = @Sendable () async -> Duration?
    private let state = Mutex(State())
    /// The plan's name of its user.
    private static let user = "health"

    /// Refuses contracts without a flow that can be played, and ways in that a plan cannot take.
    init(_ options: ProxyOptions, every: Duration, credential: String?) throws {
        self.every = max(every, .seconds(1))
        guard let contract = options.contract else {
            throw Complaint("--health-run plays a flow of the contract, and there is none", details: [("remedy", "name one with --contract")], exit: .usage)
        }
        guard let first = options.routes.first, first.upstream != nil, first.tls.listener == nil else {
            throw Complaint(
                "--health-run goes by the first listener, and that one takes no plain ws", details: [("expected", "a listener without --tls that has a server of its own")],
                exit: .usage)
        }
        guard let flow = contract.health.map({ name in contract.flows.first { $0.name == name } }) ?? contract.flows.first else {
            throw Complaint(
                "the contract \(SafeText.show(contract.name)) has no flow that could be run", details: [("expected", "`flows` with one flow, or `health` that names one")],
                exit: .usage)
        }
        self.flow = flow.name
        let given = try credential.map { try GivenCredentials(["\(Self.user)=\($0)"]) }
        let isLiteral = given?.warnings.isEmpty == false
        warnings = isLiteral ? ["a credential on the command line can be read by every user of this machine; give --health-credential @FILE"] : []
        plan = try Self.plan(flow, contract)
        var settings = Player.Options(contract: contract)
        settings.seed = options.seed
        settings.key = Array(SigningKey.signing(contract).utf8)
        settings.cast.principals[Self.user] = MonitorArguments.healthUser
        for (user, token) in given?.tokens ?? [] { settings.cast.tokens[user] = token }
        player = Player(options: settings)
    }

    private static func plan(_ flow: Flow, _ contract: Contract) throws -> Plan {
        let stage = Stage(Workshop(contract: contract, users: [user]))
        let script: FlowScript
        do { script = try FlowScript(flow, in: contract, user: user) } catch {
            throw Complaint("the flow \(SafeText.show(flow.name)) cannot be run", details: [("found", SafeText.show(error.reason))], exit: .usage)
        }
        var builder = PlanBuilder()
        builder.user(user, stage.credential)
        // Monitors know by it that it is nobody's.
        builder.add(user, [stage.connect(headers: [Plan.Header(name: "User-Agent", value: SyntheticRuns.agent)])] + stage.arrival)
        builder.add(user, script.verbs)
        builder.add(user, .close(code: 1000, reason: ""))
        return builder.plan
    }

    var last: HealthRun? { state.withLock { $0.last } }

    /// A fault that acted on this run says nothing of the target.
    func note(_ event: RuntimeEvent) {
        guard case .fault(let fault) = event.kind, fault.applied, let peer = event.peer else { return }
        state.withLock { state in
            if state.acted.count >= Self.mostActed { state.acted.removeFirst(Self.mostActed / 2) }
            state.acted.append((Self.plain(peer), fault.id))
        }
    }

    /// A listener for both protocols sees IPv4 clients as `[::ffff:127.0.0.1]:50001`.
    private static func plain(_ address: String) -> String {
        guard address.hasPrefix("[::ffff:"), address.contains(".") else { return address }
        return String(address.dropFirst("[::ffff:".count)).replacing("]", with: "")
    }

    /// Until the task is cancelled.
    func run(at endpoint: Endpoint, lag: @escaping Lag) async {
        while !Task.isCancelled {
            await once(at: endpoint, lag: lag)
            try? await Task.sleep(for: every)
        }
    }

    func once(at endpoint: Endpoint, lag: @escaping Lag) async {
        state.withLock { $0.acted = [] }
        let clock = ContinuousClock()
        let began = clock.now
        let performance = player.begin(plan, at: endpoint)
        let steps = await performance.played()
        await performance.finish()
        if Task.isCancelled { return }
        let took = began.duration(to: clock.now)
        let why = problem(in: steps)
        if why != nil { await settle(lag) }
        let ours = Set(performance.addresses.map(Self.plain))
        state.withLock { state in
            state.count += 1
            // What a fault disturbed leaves the last word to the run before.
            if why != nil, let fault = state.acted.first(where: { ours.contains($0.peer) })?.fault {
                state.last?.why = "disturbed by \(fault)"
                state.last?.count = state.count
                return
            }
            state.last = HealthRun(flow: flow, isOK: why == nil, took: took, why: why ?? "", at: Console.utc(), count: state.count)
        }
    }

    /// Until the journal has come to this instant.
    private func settle(_ lag: Lag) async {
        let clock = ContinuousClock()
        let end = clock.now
        while end.duration(to: clock.now) < Self.patience {
            let asked = end.duration(to: clock.now)
            guard let behind = await lag(), behind > asked else { return }
            do { try await Task.sleep(for: .milliseconds(50)) } catch { return }
        }
    }

    /// The first step that did not come true, without what was said to anybody.
    private func problem(in steps: [StepResult]) -> String? {
        for step in plan.steps {
            guard let result = steps.first(where: { $0.number == step.number }) else { return "it did not come to step \(step.number)" }
            switch (result.outcome, step.verb) {
            case (.ok, _): continue
            case (_, .connect): return "no connection"
            case (_, .until(let names, let within)): return "no \(names.joined(separator: " and ")) within \(Figures.duration(within))"
            case (_, .close): return "the connection was gone before its end"
            default: return "a message could not be sent"
            }
        }
        return nil
    }
}
