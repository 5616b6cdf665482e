package import ArgumentParser
import Contracts
import Faults
import Foundation
import Fuzzing
import Journaling
import Peers
import Plans
import Profiles
import Reporting

/// `miswire replay FILE.plan URL | --exec CMD`: plays a finding again and says what became of it.
package struct Replay: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Play a plan against a live server and say STILL FAILING, FIXED or CANNOT REPLAY.",
        discussion: """
            miswire replay I2-7c1e44.plan ws://127.0.0.1:8080/ws
            miswire replay I2-7c1e44.plan --exec 'miswire backend --bugs B10 --port {port}'
            """)

    @Argument(help: "The plan.")
    var plan: String
    @Argument(help: "The server: ws://HOST:PORT. Leave out with --exec.")
    var url: String?
    @Option(help: "Start this command as the server; {port} becomes a free port.")
    var exec: String?
    @Option(help: "Contract to judge by: a name or a file. Default: the one the plan names, else agent-chat.")
    var contract: String?
    @Option(help: "How often to play it.")
    var runs = 5
    @Option(help: "Seed of variables and dice.")
    var seed: UInt64 = 1
    @Option(help: ArgumentHelp("A credential: USER=@FILE, USER=env:NAME or USER=- for standard input.", valueName: "user=@file"))
    var credential: [String] = []
    @Option(help: "Host of a server outside of private networks that you may test; it gets at most 1,000 messages/s.")
    var authorisedTarget: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let console = Console(looks: looks)
        guard (1...100).contains(runs) else {
            throw Complaint("--runs \(runs) is out of range", details: [("expected", "1 to 100")], exit: .usage)
        }
        let read = try PlanFile.read(plan)
        let contract = try ContractLoader().load(contract ?? PlanFile.contractName(read) ?? "agent-chat")
        let credentials = try GivenCredentials(credential)
        for sentence in credentials.warnings { console.talk(console.err.paint("warning:", .fault) + " \(sentence)\n") }
        let named = try await Target.resolve(url: url, exec: exec, authorised: authorisedTarget)
        if named.isPublic { try slow(read) }
        let keeper = TargetKeeper(named.source, settings: Self.watch(read))
        do {
            if exec != nil { _ = try await keeper.start() }
            let report = try await replay(read, contract, credentials, at: named, keeper)
            await keeper.stop()
            let reason = ReplayForm(plan: read, file: plan, report: report).print(to: console, json: looks.json)
            throw Finished(reason)
        } catch let error as RigError {
            await keeper.stop()
            throw Target.complaint(error)
        } catch let error as TargetError {
            await keeper.stop()
            throw Target.complaint(error, exec, at: url ?? "")
        }
    }

    /// As in the run that found it: a target that takes connections and answers none of them is down as well.
    private static func watch(_ plan: Plan) -> TargetKeeper.Settings {
        var settings = TargetKeeper.Settings()
        guard Replayer.isAboutSurvival(plan) else { return settings }
        for case .connect(let path, _, _) in plan.steps.map(\.verb) where path.hasPrefix("/") && !path.contains("$") {
            settings.upgrade = path
            break
        }
        return settings
    }

    /// T25: a server that is not ours gets at most 1,000 messages a second, so no plan may send more at once.
    private func slow(_ plan: Plan) throws {
        let messages = Pace.messages(of: plan)
        guard messages > Int(TargetGuard.publicRate) else { return }
        throw Complaint(
            "the plan sends more at once than a target outside of private networks may get",
            details: [("found", Figures.plural(messages, "message")), ("expected", "at most 1,000, for 1,000/s")], exit: .usage)
    }

    private func replay(
        _ plan: Plan, _ contract: Contract, _ credentials: GivenCredentials, at named: Target.Named, _ keeper: TargetKeeper
    ) async throws -> ReplayReport {
        var profile: Faults.Profile?
        if !plan.faults.isEmpty { profile = try PlanFile.profile(plan) }
        let place: Endpoint
        switch named.source {
        case .address(let endpoint): place = endpoint
        // The keeper says where each process listens.
        case .command: place = Endpoint(host: "127.0.0.1", port: 0)
        }
        var rig = Rig(
            target: place, contract: contract, profile: profile, seed: seed, key: Array(SigningKey.value().utf8))
        for (user, token) in credentials.tokens { rig.cast.tokens[user] = token }
        var replayer = Replayer(rig: rig)
        replayer.runs = runs
        replayer.target = ReplayedTarget(keeper)
        let cast = rig.cast
        replayer.blame = { crash, plan, run in
            let last = LastInput(in: run.entries, contract: contract, cast: cast)
            return CrashFinding.make(crash, plan: plan, lastInput: last, contract: contract)
        }
        if named.isPublic, Pace.messages(of: plan) * runs > Int(TargetGuard.publicRate) { replayer.pause = .seconds(1) }
        return try await replayer.replay(plan)
    }
}
