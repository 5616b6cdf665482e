import Contracts
import Foundation
import Fuzzing
import Journaling
import Oracles
import Peers
import Plans
import Profiles
import Reporting

/// A request with every value read and checked, before anything is sent.
struct FuzzOrder: Sendable {
    var task = CorpusTask.fuzz
    var options: CampaignOptions
    /// As given: `ws://127.0.0.1:8080/ws`; with `--exec` the command.
    var target: String
    var corpora: GivenCorpora
    /// Directory for plans of findings.
    var findings: String
    var reports: [ReportKind.Order]
    /// The command line that repeats the run, without secrets.
    var again: String
    /// What stands behind `miswire replay FILE`.
    var replay: String
    var warnings: [String] = []

    /// Longest time that a run may be given.
    static let longest = Duration.seconds(7 * 86_400)
    static let defaultUsers = 50

    /// Nothing of this touches the target but a look-up of its name.
    static func read(
        _ request: FuzzRequest, sources: GivenCredentials.Sources = .init(),
        processors: Int = ProcessInfo.processInfo.activeProcessorCount
    ) async throws -> FuzzOrder {
        var places = request.places
        let url = takeURL(&places, exec: request.exec)
        let place = try aim(url, exec: request.exec)
        let task = try CorpusTask(request, places: places)
        let contract = try ContractLoader().load(request.contract)
        let credentials = try GivenCredentials(request.credentials, sources: sources)
        var options = CampaignOptions(target: place.endpoint, path: place.path, contract: contract)
        options.exec = request.exec
        options.seed = try Given.seed(request.seed, "--seed")
        options.workers = try request.workers.map { try Given.count($0, "--workers", 1...256) } ?? max(1, min(8, processors))
        options.users = try users(request, credentials)
        try share(credentials, users: options.users)
        options.runs = try request.runs.map { try Given.count($0, "--runs", 1...1_000_000_000) }
        options.maxTotalTime = try request.maxTotalTime.map { try Given.duration($0, "--max-total-time", most: longest) }
        options.maxFailures = try request.maxFailures.map { try Given.count($0, "--max-failures", 1...1_000_000) }
        options.ratePerSecond = try request.rateLimit.map { try Given.rate($0, "--rate-limit") }
        options.shrinks = request.shrinks
        options.credentials = credentials.tokens
        options.checks = try checks(request)
        options.phases = try phases(request)
        options.dictionary = try request.dictionaries.flatMap { try FuzzDictionary.load($0).texts }
        options.profile = try request.profile.map { try Given.profile(forPlans: $0) }
        options.key = Array(SigningKey.signing(contract).utf8)
        if request.exec != nil { options.variables = SigningKey.telling(contract) }
        let corpora = try GivenCorpora(places, contract: contract)
        options.seeds = corpora.seeds
        let reports = try GivenReports(request.reports)
        try reports.tryThem()
        try GivenReports.tryDirectory(request.findings)
        var warnings = credentials.warnings + corpora.warnings
        if request.exec == nil {
            let admitted = try await TargetGuard.admit(place.endpoint, authorised: request.authorised)
            options.target = admitted.endpoint
            if admitted.isPublic { try slowDown(&options, &warnings) }
        }
        let words = FuzzCommandLine(request: request, url: url, places: places, options: options, credentials: credentials.shown)
        return FuzzOrder(
            task: task, options: options, target: url ?? request.exec ?? "", corpora: corpora, findings: request.findings,
            reports: reports.files, again: words.again, replay: words.replay, warnings: warnings)
    }

    /// T25: a server that is not ours gets at most 1,000 messages a second.
    private static func slowDown(_ options: inout CampaignOptions, _ warnings: inout [String]) throws {
        if let asked = options.ratePerSecond, asked > TargetGuard.publicRate {
            throw Complaint(
                "--rate-limit is more than a target outside of private networks may get",
                details: [("found", "\(Figures.count(Int(asked.rounded())))/s"), ("expected", "at most 1,000/s")], exit: .usage)
        }
        if options.ratePerSecond == nil {
            options.ratePerSecond = TargetGuard.publicRate
            warnings.append("the target is outside of private networks: at most 1,000 messages/s")
        }
    }

    /// The first word is the URL when it is one; with `--exec` it may be a path, unless something of that name is there.
    private static func takeURL(_ places: inout [String], exec: String?) -> String? {
        guard let first = places.first else { return nil }
        let isURL = first.hasPrefix("ws://") || first.hasPrefix("wss://")
        let isPath = exec != nil && first.hasPrefix("/") && !FileManager.default.fileExists(atPath: first)
        return isURL || isPath ? places.removeFirst() : nil
    }

    private static func aim(_ url: String?, exec: String?) throws -> (endpoint: Endpoint, path: String) {
        if let exec {
            do { _ = try ExecCommand.split(exec, port: 1) } catch TargetError.badCommand(let why) {
                throw Complaint(
                    "--exec cannot be read: \(SafeText.show(why))", details: [("found", SafeText.show(exec))], exit: .usage)
            }
            let nowhere = Endpoint(host: "127.0.0.1", port: 0)
            guard let url else { return (nowhere, "/") }
            return (nowhere, url.hasPrefix("/") ? url : try Target.path(url))
        }
        guard let url else {
            throw Complaint(
                "no server is named", details: [("remedy", "add ws://HOST:PORT/PATH, or --exec 'CMD {port}'")], exit: .usage)
        }
        return (try Target.endpoint(url), try Target.path(url))
    }

    private static func users(_ request: FuzzRequest, _ credentials: GivenCredentials) throws -> Int {
        guard let text = request.users else {
            return credentials.tokens.isEmpty ? defaultUsers : credentials.tokens.count
        }
        return try Given.count(text, "--users", 1...10_000)
    }

    /// Given credentials are all that there are: none can be made for further users.
    private static func share(_ credentials: GivenCredentials, users: Int) throws {
        let have = credentials.tokens.count
        guard have == 0 || users <= have else {
            throw Complaint(
                "\(Figures.plural(users, "user")) cannot share \(Figures.plural(have, "credential"))",
                details: [
                    ("place", "--users \(users)"), ("found", credentials.tokens.map(\.user).joined(separator: " ")),
                    ("remedy", "give a credential for each user, or --users \(have)"),
                ], exit: .usage)
        }
    }

    private static func phases(_ request: FuzzRequest) throws -> Set<Phase> {
        let asked = request.phases.flatMap { $0.split(separator: ",") }.map { $0.trimmingCharacters(in: .whitespaces) }
        if asked.isEmpty { return Set(Phase.allCases) }
        // Without it there is nothing to measure by; what is found is always confirmed.
        return try asked.reduce(into: [.calibration, .confirm]) { phases, word in
            guard let phase = Phase(word: word) else {
                throw Given.no(word, "--phases", expected: Phase.words.joined(separator: ", "))
            }
            phases.insert(phase)
        }
    }

    private static func checks(_ request: FuzzRequest) throws -> Set<String>? {
        let known = PropertyRegistry.all.map { $0.id }
        let asked = try Given.properties(request.checks, "--checks", known: known)
        let excluded = try Given.properties(request.excluded, "--exclude-checks", known: known)
        guard !asked.isEmpty || !excluded.isEmpty else { return nil }
        let left = (asked.isEmpty ? known : asked).filter { !excluded.contains($0) }
        guard !left.isEmpty else {
            throw Complaint(
                "no property is left to check",
                details: [("place", "--exclude-checks"), ("remedy", "leave one in --checks")], exit: .usage)
        }
        return Set(left)
    }
}
