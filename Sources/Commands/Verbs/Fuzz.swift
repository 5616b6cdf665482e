package import ArgumentParser
import Foundation
import Fuzzing
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// `miswire fuzz URL`: makes plans by itself, plays them, and keeps what breaks a promise.
package struct Fuzz: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "fuzz", abstract: "Make plans from a contract, play them against a server, keep what breaks a promise.",
        discussion: """
            miswire fuzz ws://127.0.0.1:8080/ws --contract agent-chat --max-total-time 10m
            miswire fuzz ws://127.0.0.1:8080/ws corpus/ --seed 42 --report junit=junit.xml,sarif=miswire.sarif
            miswire fuzz --exec 'python3 server.py --port {port}' /ws --contract echo --max-total-time 60s
            miswire fuzz ws://127.0.0.1:8080/ws corpus/ from-ci/ --merge
            miswire fuzz ws://10.0.0.7:80/ws --credential alice=@alice.token --credential bob=env:BOB_TOKEN
            Without --max-total-time and --runs it goes on until Ctrl-C, which writes findings and reports.
            """)

    @Argument(help: "The server: ws://HOST:PORT/PATH; with --exec nothing or /PATH. Then corpus directories, the first is written to.")
    var places: [String] = []
    @Option(help: "What the server promises: a shipped contract's name, or a file.")
    var contract = "agent-chat"
    @Option(help: "Faults that act on every case: a profile's name, or a file, or several as a,b.")
    var profile: String?
    @Option(help: "Distinct users in the run. Default: 50, or one a credential.")
    var users: String?
    @Option(help: "Seed of everything that is drawn.")
    var seed = "1"
    @Option(help: "End after so many executions.")
    var runs: String?
    @Option(help: "End after this time: 90s, 10m, 2h, or seconds.")
    var maxTotalTime: String?
    @Option(help: "Cases that are played side by side. Default: one a core, at most 8.")
    var workers: String?
    @Option(help: ArgumentHelp("Words for mutations, as for AFL++ and libFuzzer; may be given again.", valueName: "file"))
    var dict: [String] = []
    @Option(help: "Start this command as the server, again when it ends; {port} becomes a free port.")
    var exec: String?
    @Option(help: ArgumentHelp("A credential: USER=@FILE, USER=env:NAME or USER=- for standard input.", valueName: "user=@file"))
    var credential: [String] = []
    @Option(help: "Directory for the plans of findings.")
    var findings = "findings"
    @Option(help: ArgumentHelp("Reports: html=FILE,junit=FILE,sarif=FILE,ndjson=FILE.", valueName: "kind=file"))
    var report: [String] = []
    @Option(help: ArgumentHelp("Only these phases: \(Phase.words.joined(separator: ", ")). Calibration comes first in any case.", valueName: "names"))
    var phases: [String] = []
    @Option(help: ArgumentHelp("Only these properties count, such as I2,E3.", valueName: "ids"))
    var checks: [String] = []
    @Option(help: ArgumentHelp("These properties do not count.", valueName: "ids"))
    var excludeChecks: [String] = []
    @Option(help: "End after so many confirmed findings.")
    var maxFailures: String?
    @Flag(help: "Keep findings as they were found.")
    var noShrink = false
    @Option(help: "Messages a second at most, such as 500/s.")
    var rateLimit: String?
    @Option(help: "How progress shows: board, line or plain. Default: what the terminal can do.")
    var progress: FuzzForm.Mode?
    @Option(help: "Host of a server outside of private networks that you may test.")
    var authorisedTarget: String?
    @Flag(help: "Only play the corpora: what shows something that the first does not is added to the first.")
    var merge = false
    @Flag(help: "Only play the corpus: what shows nothing that the rest does not is deleted from it.")
    var minimize = false
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        let order = try await FuzzOrder.read(request)
        if order.task != .fuzz {
            let run = CorpusRun(
                order: order, console: Console(looks: looks), json: looks.json, signals: Signals.stream([SIGINT, SIGTERM]),
                meter: { options, body in try await Campaign(options, onEvent: { _ in }).measuring(body) })
            throw Finished(try await run.run())
        }
        let environment = ProcessInfo.processInfo.environment
        let form = FuzzForm(
            console: Console(looks: looks), json: looks.json, mode: progress, order: order,
            guards: FuzzGitHub.isOn(environment))
        let run = FuzzRun(
            order: order, form: form, verbose: looks.verbose, signals: Signals.stream([SIGINT, SIGTERM]),
            engine: { options, onEvent in Campaign(options, onEvent: onEvent) })
        throw Finished(try await run.run())
    }

    private var request: FuzzRequest {
        var request = FuzzRequest()
        request.places = places
        request.contract = contract
        request.profile = profile
        request.users = users
        request.seed = seed
        request.runs = runs
        request.maxTotalTime = maxTotalTime
        request.workers = workers
        request.dictionaries = dict
        request.exec = exec
        request.credentials = credential
        request.findings = findings
        request.reports = report
        request.phases = phases
        request.checks = checks
        request.excluded = excludeChecks
        request.maxFailures = maxFailures
        request.shrinks = !noShrink
        request.rateLimit = rateLimit
        request.authorised = authorisedTarget
        request.merges = merge
        request.minimizes = minimize
        return request
    }
}
