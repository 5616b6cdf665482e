package import ArgumentParser
import Fuzzing
import Oracles
import Plans
import Profiles
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// `miswire corpus`: what a corpus holds, and less of it that shows as much.
package struct CorpusVerb: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "corpus", abstract: "List, count, minimize or merge corpora of plans and recordings.",
        discussion: """
            miswire corpus list corpus/
            miswire corpus stats corpus/ --json
            miswire corpus minimize ws://127.0.0.1:8080/ws corpus/
            miswire corpus merge ws://127.0.0.1:8080/ws corpus/ from-ci/
            """,
        subcommands: [CorpusList.self, CorpusStats.self, CorpusMinimize.self, CorpusMerge.self])
    package init() {}
}

/// What `list` and `stats` are asked.
package struct CorpusPlaces: ParsableArguments {
    @Argument(help: "Directories or files of plans and recordings.")
    var places: [String]
    @Option(help: "The contract by which recordings become plans: a name, or a file.")
    var contract = "agent-chat"
    @OptionGroup var looks: Looks
    package init() {}
}

/// What is read of a corpus without playing it.
private struct CorpusReading {
    let loaded: CorpusDirectory.Loaded

    init(_ places: [String], contract: String, _ console: Console, json: Bool) throws {
        let promise = try ContractLoader().load(contract)
        for place in places where RecordingPlace.isMissing(place) {
            throw Complaint(
                "there is no corpus at \(SafeText.show(place))", details: [("remedy", "name a directory that exists")], exit: .usage)
        }
        loaded = CorpusDirectory(places).load(contract: promise, lift: GivenCorpora.lift)
        for warning in loaded.warnings {
            if json { console.emit(JSONLine("warning", time: Console.utc()).adding("sentence", warning)) } else {
                console.talk(console.err.paint("warning:", .fault) + " \(SafeText.show(warning))\n")
            }
        }
    }

    /// A corpus of which nothing can be played is worth nothing.
    var reason: ExitReason { loaded.seeds.isEmpty ? .nothingExercised : .pass }
}

private enum RecordingPlace {
    static func isMissing(_ path: String) -> Bool { unsafe access(path, F_OK) != 0 }
}

/// `miswire corpus list DIR…`
package struct CorpusList: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "list", abstract: "One line a plan: hash, origin, users, steps, file.")
    @OptionGroup var corpus: CorpusPlaces
    package init() {}

    package func run() throws {
        let looks = corpus.looks
        let console = Console(looks: looks)
        let reading = try CorpusReading(corpus.places, contract: corpus.contract, console, json: looks.json)
        let time = Console.utc()
        var table = Columns([.init(10), .init(11), .init(7), .init(7)])
        table.add("hash", "origin", "users", "steps", "file")
        for seed in reading.loaded.seeds {
            if looks.json {
                console.emit(
                    JSONLine("seed", time: time).adding("hash", seed.hash).adding("origin", seed.origin.rawValue)
                        .adding("users", seed.plan.users.count).adding("steps", seed.plan.steps.count).adding("file", seed.path))
            }
            table.add(
                String(seed.hash.prefix(8)), seed.origin.rawValue, Figures.count(seed.plan.users.count),
                Figures.count(seed.plan.steps.count), SafeText.show(seed.path))
        }
        let reason = reading.reason
        if looks.json { console.emit(.summary("corpus", reason, time: time).adding("plans", reading.loaded.seeds.count)) } else {
            console.answer(table.text(console.out))
            let plans = Figures.plural(reading.loaded.seeds.count, "plan")
            console.answer("\n" + reason.ending("corpus  \(plans), \(Figures.plural(reading.loaded.duplicates, "duplicate"))") + "\n")
        }
        throw Finished(reason)
    }
}

/// `miswire corpus stats DIR…`
package struct CorpusStats: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "What a corpus holds, in numbers.")
    @OptionGroup var corpus: CorpusPlaces
    package init() {}

    package func run() throws {
        let looks = corpus.looks
        let console = Console(looks: looks)
        let reading = try CorpusReading(corpus.places, contract: corpus.contract, console, json: looks.json)
        let seeds = reading.loaded.seeds
        let users = seeds.map(\.plan.users.count), steps = seeds.map(\.plan.steps.count)
        let messages = seeds.map { Pace.messages(of: $0.plan) }
        let reason = reading.reason
        if looks.json {
            var line = JSONLine.summary("corpus", reason, time: Console.utc()).adding("plans", seeds.count)
            for origin in Self.origins { line = line.adding(origin.rawValue, seeds.count { $0.origin == origin }) }
            line = line.adding("users", users.reduce(0, +)).adding("steps", steps.reduce(0, +))
                .adding("messages", messages.reduce(0, +)).adding("faults", seeds.reduce(0) { $0 + $1.plan.faults.count })
                .adding("duplicates", reading.loaded.duplicates).adding("leftOut", reading.loaded.warnings.count)
            console.emit(line)
            throw Finished(reason)
        }
        let origins = Self.origins.map { origin in "\(Figures.count(seeds.count { $0.origin == origin })) \(origin.rawValue)" }
        let rows = [
            ("plans", "\(Figures.count(seeds.count)): \(origins.joined(separator: ", "))"),
            ("users", Self.spread(users)), ("steps", Self.spread(steps)), ("messages", Self.spread(messages)),
            ("faults", "\(Figures.count(seeds.count { !$0.plan.faults.isEmpty })) plans have some"),
            ("duplicates", Figures.count(reading.loaded.duplicates)), ("left out", Figures.count(reading.loaded.warnings.count)),
        ]
        for (label, text) in rows { console.answer("  " + label.left(12) + text + "\n") }
        console.answer("\n" + reason.ending("corpus  \(Figures.plural(seeds.count, "plan"))") + "\n")
        throw Finished(reason)
    }

    private static let origins: [CorpusSeed.Origin] = [.plan, .finding, .recording]

    /// `412 in all, 1 to 40 a plan, half have at most 7`
    private static func spread(_ values: [Int]) -> String {
        let sorted = values.sorted()
        guard let least = sorted.first, let most = sorted.last else { return "–" }
        let all = "\(Figures.count(values.reduce(0, +))) in all"
        if least == most { return all + ", \(Figures.count(least)) a plan" }
        return all + ", \(Figures.count(least)) to \(Figures.count(most)) a plan, half have at most \(Figures.count(sorted[sorted.count / 2]))"
    }
}

/// What `minimize` and `merge` need to play plans; the same as `miswire fuzz --minimize` and `--merge`.
package struct CorpusTarget: ParsableArguments {
    @Argument(help: "The server: ws://HOST:PORT/PATH; with --exec nothing or /PATH. Then the corpus, which is written to.")
    var places: [String] = []
    @Option(help: "What the server promises: a shipped contract's name, or a file.")
    var contract = "agent-chat"
    @Option(help: "Start this command as the server, again when it ends; {port} becomes a free port.")
    var exec: String?
    @Option(help: ArgumentHelp("A credential: USER=@FILE, USER=env:NAME or USER=- for standard input.", valueName: "user=@file"))
    var credential: [String] = []
    @Option(help: "Messages a second at most, such as 500/s.")
    var rateLimit: String?
    @Option(help: "End after this time, with nothing changed: 90s, 10m, or seconds.")
    var maxTotalTime: String?
    @Option(help: "Host of a server outside of private networks that you may test.")
    var authorisedTarget: String?
    @OptionGroup var looks: Looks
    package init() {}

    func run(_ task: CorpusTask) async throws {
        var request = FuzzRequest()
        request.places = places
        request.contract = contract
        request.exec = exec
        request.credentials = credential
        request.rateLimit = rateLimit
        request.maxTotalTime = maxTotalTime
        request.authorised = authorisedTarget
        request.merges = task == .merge
        request.minimizes = task == .minimize
        let order = try await FuzzOrder.read(request)
        let run = CorpusRun(
            order: order, console: Console(looks: looks), json: looks.json, signals: Signals.stream([SIGINT, SIGTERM]),
            meter: { options, body in try await Campaign(options, onEvent: { _ in }).measuring(body) })
        throw Finished(try await run.run())
    }
}

/// `miswire corpus minimize URL DIR`
package struct CorpusMinimize: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "minimize", abstract: "Play the corpus; what shows nothing that the rest does not is deleted from it.")
    @OptionGroup var target: CorpusTarget
    package init() {}
    package func run() async throws { try await target.run(.minimize) }
}

/// `miswire corpus merge URL DIR FROM…`
package struct CorpusMerge: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Play the corpora; what shows something that the first does not is added to the first.")
    @OptionGroup var target: CorpusTarget
    package init() {}
    package func run() async throws { try await target.run(.merge) }
}
