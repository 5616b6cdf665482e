package import ArgumentParser
import Journaling
import Oracles
import Profiles
import ReferenceBackend
import Reporting

/// `miswire demo`: the whole idea on real sockets, with or without planted bugs.
package struct Demo: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Run users, faults, proxy and judge against a small agent-chat server.",
        discussion: """
            miswire demo
            miswire demo --bugs B08,B10
            miswire demo --stage crossed-streams --verbose
            """)

    @Option(help: "Plant these bugs in the server, separated by commas.")
    var bugs = ""
    @Option(help: "Seed of everything that is drawn.")
    var seed: UInt64 = 1
    @Option(help: "Directory for the plans of findings.")
    var findings = "."
    @Option(help: "Play only this stage.")
    var stage: String?
    @Option(help: "Let the stages play under this profile instead of their own: a name or a file, or several as a,b.")
    var profile: String?
    @Option(help: "Keep a recording of each stage in this directory.")
    var record: String?
    @Option(help: "Event loops of the proxy.")
    var loops = 1
    @Option(help: "Side file for the marks of planted bugs.")
    var marks: String?
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let console = Console(looks: looks)
        let planted = try Listening.bugs(bugs)
        var stages = DemoStage.all.filter { stage == nil || $0.name == stage }
        if let profile { for index in stages.indices { stages[index].profile = profile } }
        guard !stages.isEmpty else {
            throw Complaint(
                "no stage is called `\(SafeText.show(stage ?? ""))`",
                details: [("known", DemoStage.all.map(\.name).joined(separator: " "))], exit: .usage)
        }
        guard (1...64).contains(loops) else {
            throw Complaint("--loops \(loops) is out of range", details: [("expected", "1 to 64")], exit: .usage)
        }
        // What a stage would refuse is said before anything listens.
        for name in Set(stages.map(\.profile)).sorted() { _ = try Given.profile(forPlans: name) }
        let contract = try ContractLoader().load("demo")
        let server = try await Listening.backend(port: 0, bugs: planted, marks: marks)
        let demo = DemoRun(
            server: server, bugs: planted.sorted(), contract: contract, seed: seed, stages: stages,
            directory: findings, record: record, loops: loops,
            form: DemoForm(console: console, json: looks.json, verbose: looks.verbose))
        let reason: ExitReason
        do { reason = try await demo.run() } catch {
            await server.stop()
            throw error
        }
        await server.stop()
        throw Finished(reason)
    }
}
