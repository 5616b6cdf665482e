package import ArgumentParser
import Contracts
import Faults
import Foundation
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
    @Option(help: "Host of a server outside of private networks that you may test.")
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
        let target = try await Target.resolve(url: url, exec: exec, authorised: authorisedTarget, console: console)
        do {
            let report = try await replay(read, contract, credentials, at: target.endpoint)
            await target.stop()
            let reason = ReplayForm(plan: read, file: plan, report: report).print(to: console, json: looks.json)
            throw Finished(reason)
        } catch let error as RigError {
            await target.stop()
            throw Target.complaint(error)
        }
    }

    private func replay(
        _ plan: Plan, _ contract: Contract, _ credentials: GivenCredentials, at endpoint: Endpoint
    ) async throws -> ReplayReport {
        var profile: Faults.Profile?
        if !plan.faults.isEmpty { profile = try PlanFile.profile(plan) }
        var rig = Rig(
            target: endpoint, contract: contract, profile: profile, seed: seed, key: Array(SigningKey.value().utf8))
        for (user, token) in credentials.tokens { rig.cast.tokens[user] = token }
        var replayer = Replayer(rig: rig)
        replayer.runs = runs
        return try await replayer.replay(plan)
    }
}
