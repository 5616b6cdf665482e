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

/// `miswire replay FILE.plan URL | --exec CMD`: plays a finding again and says what became of it. Of a recording it plays
/// either side and says which answers are the same.
package struct Replay: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "replay", abstract: "Play a plan or a recording again and say what became of it.",
        discussion: """
            miswire replay I2-7c1e44.plan ws://127.0.0.1:8080/ws
            miswire replay I2-7c1e44.plan --exec 'miswire backend --bugs B10 --port {port}'
            miswire replay rec/s31 ws://127.0.0.1:8080/ws --credential alice=@alice.token --speed 10x
            miswire replay rec/ --as server --listen 127.0.0.1:9000
            miswire replay I2-7c1e44.plan ws://127.0.0.1:8080/ws --confirm
            A plan says STILL FAILING, FIXED or CANNOT REPLAY; with --confirm each finding comes with its evidence and the
            faults that it needs. Of a recording each answer is SAME, CHANGED, MISSING or
            EXTRA: ids, times and tokens are bound anew, and the contract's properties are judged as well.
            """)

    @Argument(help: ArgumentHelp("A plan, a recording, or RECORDING/SESSION.", valueName: "plan or recording"))
    var plan: String
    @Argument(help: "The server: ws://HOST:PORT. Leave out with --exec.")
    var url: String?
    @Option(help: "Start this command as the server; {port} becomes a free port.")
    var exec: String?
    @Option(help: "Contract to judge by: a name or a file. Default: the one the plan names, else agent-chat.")
    var contract: String?
    @Option(help: "How often to play a plan. Default: 5.")
    var runs: Int?
    @Flag(help: "Of a plan, rerun each finding with and without faults, and show its evidence.")
    var confirm = false
    @Option(help: "Of a recording, how fast users act: 1x, 10x or max. Default: 1x.")
    var speed: String?
    @Option(
        parsing: .singleValue,
        help: "Of a recording, faults that act meanwhile: a name or a file; several (repeated, or a,b) stand beside each other.")
    var profile: [String] = []
    @Option(name: .customLong("as"), help: "Of a recording, the side to play: client or server. Default: client.")
    var role: String?
    @Option(help: "With --as server: HOST:PORT to listen on; port 0 takes a free one.")
    var listen: String?
    @Option(help: "Play a plan so often before one proxy, as one run: a soak, whose checkpoints show what the server keeps (R1).")
    var rounds = 1
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
        if RecordingFile.isRecording(plan) { return try await replayRecording(console) }
        let alien = [("--speed", speed), ("--profile", profile.first), ("--as", role), ("--listen", listen)].first { $0.1 != nil }
        if let alien {
            throw Complaint(
                "\(alien.0) is for recordings, and \(SafeText.show(plan)) is a plan", details: [("remedy", "leave it out")],
                exit: .usage)
        }
        let runs = runs ?? 5
        guard (1...100).contains(runs) else {
            throw Complaint("--runs \(runs) is out of range", details: [("expected", "1 to 100")], exit: .usage)
        }
        guard (1...10_000).contains(rounds) else {
            throw Complaint("--rounds \(rounds) is out of range", details: [("expected", "1 to 10,000")], exit: .usage)
        }
        let read = try PlanFile.read(plan)
        let contract = try ContractLoader().load(contract ?? PlanFile.contractName(read) ?? "agent-chat")
        let credentials = try GivenCredentials(credential)
        for sentence in credentials.warnings { console.talk(console.err.paint("warning:", .fault) + " \(sentence)\n") }
        let named = try await Target.resolve(url: url, exec: exec, authorised: authorisedTarget, contract: contract)
        if named.isPublic { try slow(read) }
        let keeper = TargetKeeper(named.source, settings: Self.watch(read))
        do {
            if exec != nil { _ = try await keeper.start() }
            let rig = try rig(read, contract, credentials, at: named)
            let report = try await replay(read, runs, rig, named, keeper)
            await keeper.stop()
            var form = ReplayForm(plan: read, file: plan, report: report)
            if confirm {
                let confirmed = ConfirmedReplay(
                    plan: read, file: plan, rig: rig, place: TargetStand(named.source), command: again(), seed: seed)
                form.confirmed = try await confirmed.findings(of: report)
            }
            let reason = form.print(to: console, json: looks.json)
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
        settings.sampleInterval = .milliseconds(10)
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

    private func rig(
        _ plan: Plan, _ contract: Contract, _ credentials: GivenCredentials, at named: Target.Named
    ) throws -> Rig {
        var profile: Faults.Profile?
        if !plan.faults.isEmpty { profile = try PlanFile.profile(plan) }
        let place: Endpoint
        switch named.source {
        case .address(let endpoint): place = endpoint
        // The keeper says where each process listens.
        case .command: place = Endpoint(host: "127.0.0.1", port: 0)
        }
        var rig = Rig(
            target: place, contract: contract, profile: profile, seed: seed, key: Array(SigningKey.signing(contract).utf8))
        for (user, token) in credentials.tokens { rig.cast.tokens[user] = token }
        rig.rounds = rounds
        return rig
    }

    /// What was typed, with what is not the default spelt out.
    private func again() -> String {
        var words = ["\(OwnName.command) replay", FuzzCommandLine.quoted(plan)]
        if let url { words.append(FuzzCommandLine.quoted(url)) }
        if let exec { words += ["--exec", FuzzCommandLine.quoted(exec)] }
        if let name = self.contract { words += ["--contract", FuzzCommandLine.quoted(name)] }
        if seed != 1 { words += ["--seed", "\(seed)"] }
        if rounds != 1 { words += ["--rounds", "\(rounds)"] }
        // USER=@FILE names a secret and is none.
        for one in credential { words += ["--credential", FuzzCommandLine.quoted(one)] }
        if let authorisedTarget { words += ["--authorised-target", FuzzCommandLine.quoted(authorisedTarget)] }
        return words.joined(separator: " ")
    }

    private func replay(
        _ plan: Plan, _ runs: Int, _ rig: Rig, _ named: Target.Named, _ keeper: TargetKeeper
    ) async throws -> ReplayReport {
        var replayer = Replayer(rig: rig)
        replayer.runs = runs
        replayer.target = ReplayedTarget(keeper)
        let cast = rig.cast
        let contract = rig.contract
        replayer.blame = { crash, plan, run in
            guard let contract else { return nil }
            let last = LastInput(in: run.entries, contract: contract, cast: cast)
            return CrashFinding.make(crash, plan: plan, lastInput: last, contract: contract)
        }
        if named.isPublic, Pace.messages(of: plan) * runs > Int(TargetGuard.publicRate) { replayer.pause = .seconds(1) }
        return try await replayer.replay(plan)
    }
}

/// Recordings.
extension Replay {
    /// It waits for clients, and a signal ends the wait.
    var isServing: Bool { role == "server" }

    private func replayRecording(_ console: Console) async throws {
        if runs != nil { throw Self.usage("--runs is for plans", "a recording is played once") }
        guard let speed = Speed(rawValue: speed ?? "1x") else {
            throw Complaint(
                "`\(SafeText.show(speed ?? ""))` is not a value of `--speed`: one of `1x`, `10x`, `max`", exit: .usage)
        }
        let isServer: Bool
        switch role ?? "client" {
        case "client": isServer = false
        case "server": isServer = true
        default:
            throw Complaint(
                "`\(SafeText.show(role ?? ""))` is not a value of `--as`: one of `client`, `server`", exit: .usage)
        }
        let run = RecordingRun(
            console: console, looks: looks, file: try RecordingFile(plan, contract: contract), pace: speed.pace, seed: seed)
        if isServer { throw Finished(try await serve(run)) }
        guard listen == nil else { throw Self.usage("--listen is for --as server", "name the server's address instead") }
        let credentials = try GivenCredentials(credential)
        let named = try await Target.resolve(url: url, exec: exec, authorised: authorisedTarget, contract: run.file.contract)
        // T25: as fast as its users were, and no faster.
        if named.isPublic, speed != .recorded {
            throw Self.usage("a target outside of private networks is not to be hurried", "leave out --speed")
        }
        let keeper = TargetKeeper(named.source, settings: TargetKeeper.Settings())
        do {
            let started = exec == nil ? nil : try await keeper.start()
            let reason = try await run.asClient(profile: profile, credentials: credentials) {
                switch named.source {
                case .address(let endpoint): endpoint
                case .command: started ?? Endpoint(host: "127.0.0.1", port: 0)
                }
            }
            await keeper.stop()
            throw Finished(reason)
        } catch let error as RigError {
            await keeper.stop()
            throw Target.complaint(error)
        } catch let error as TargetError {
            await keeper.stop()
            throw Target.complaint(error, exec, at: url ?? "")
        } catch let error as Complaint {
            await keeper.stop()
            throw error
        }
    }

    private func serve(_ run: RecordingRun) async throws -> ExitReason {
        let alien = [("a URL", url), ("--exec", exec), ("--profile", profile.first)].first { $0.1 != nil }
        if let alien { throw Self.usage("\(alien.0) is for the client's side", "with --as server the client comes to us") }
        guard let listen else {
            throw Self.usage("--as server needs an address to listen on", "add --listen 127.0.0.1:9000, or port 0 for a free one")
        }
        return try await run.asServer(listen: listen)
    }

    private static func usage(_ sentence: String, _ remedy: String) -> Complaint {
        Complaint(sentence, details: [("remedy", remedy)], exit: .usage)
    }
}
