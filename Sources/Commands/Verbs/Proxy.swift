package import ArgumentParser
import Contracts
import Faults
import Foundation
import Journaling
import Oracles
import Profiles
import ProxyRuntime
import Reporting

#if canImport(Glibc)
    import Glibc
#endif

/// `miswire proxy URL`: stands between real clients and a real server.
package struct Proxy: AsyncParsableCommand, StopsBySignal {
    package static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Relay WebSocket traffic, with the faults of a profile and the oracle live.",
        discussion: """
            miswire proxy ws://127.0.0.1:8080 --listen :9000
            miswire proxy ws://127.0.0.1:8080 --profile delayed-accept --contract agent-chat --record rec/
            miswire proxy ws://chat.staging:80 --listen :9000 --profile staging-safe --announce
            miswire proxy ws://127.0.0.1:8080 --http2 --upstream-http2
            miswire proxy ws://127.0.0.1:8080 --record rec/ --record-mode meta --purpose 'ticket 311' --retain 2d
            miswire proxy wss://chat.staging --listen :9443 --tls --ca-names chat.staging
            miswire proxy wss://chat.staging --listen :9000 --contract agent-chat --metrics 127.0.0.1:9464 --health-run 60s --webhook @hook.url
            miswire proxy --config listeners.yaml
            miswire proxy --forward --allow-upstream '*.staging.example' --listen 127.0.0.1:9000
            miswire proxy --forward --tls --allow-upstream '*.staging.example' --ca-names '*.staging.example'
            Profiles are read again when their files change, or at kill -HUP PID; what does not parse changes nothing.
            kill -USR1 PID stops every fault at once, and a second one brings them back; SIGTERM or Ctrl-C drains and reports.
            Faults need --i-am-staging where others could meet them, or a scope in the profile that says whom (users, paths
            or a share under 100 %) and how much (expires or budget.total).
            """)

    package enum Log: String, ExpressibleByArgument, CaseIterable, Sendable { case all, events, none }

    @Argument(help: "The server behind: ws://HOST:PORT or wss://HOST:PORT.")
    var url: String?
    @Option(help: "A file with several listeners, each with its own server, in place of URL, --listen and --profile.")
    var config: String?
    @Flag(help: "Be a forward proxy: each client names its server, by CONNECT or with a whole URL.")
    var forward = false
    @Option(
        parsing: .singleValue,
        help: "Whom a forward proxy may dial beside this machine: HOST or HOST:PORT, with * for any part.")
    var allowUpstream: [String] = []
    @Option(help: "Where clients connect: HOST:PORT or :PORT. Default: 127.0.0.1:9000.")
    var listen: String?
    @Option(parsing: .singleValue, help: "A shipped profile's name, or a file; several (repeated, or a,b) stand beside each other.")
    var profile: [String] = []
    @Flag(help: "Faults may act where others can meet them: on a listener or a server that is not on this machine.")
    var iAmStaging = false
    @Flag(help: "Tell clients: the 101 gets a field `Miswire` with the profile's name and hash.")
    var announce = false
    @Option(help: "A shipped contract's name, or a file. Default: what the profile names.")
    var contract: String?
    @Option(help: "Record every session into this directory, as --record-mode says.")
    var record: String?
    @OptionGroup var recording: RecordOptions
    @OptionGroup(title: "TLS") var secured: TLSArguments
    @OptionGroup(title: "Monitors") var monitoring: MonitorArguments
    @Flag(help: "Pack the recording's segments with gzip.")
    var gzip = false
    @Flag(help: "Clients may speak HTTP/2, by its preface or with --tls by ALPN; each WebSocket on it (RFC 8441) is a session of its own.")
    var http2 = false
    @Flag(help: "Speak HTTP/2 to the server, each WebSocket on a stream of its own (RFC 8441).")
    var upstreamHttp2 = false
    @Option(help: "Seed of every decision. Default: the profile's, else drawn and printed.")
    var seed: UInt64?
    @Option(help: "Event loops. Default: one a core.")
    var loops: Int?
    @Option(help: "How long sessions may go on after SIGTERM, such as 5s.")
    var grace = TimeSpan(seconds: 5)
    @Option(help: "How long to wait for the server before anything listens, such as 30s.")
    var wait = TimeSpan(seconds: 2)
    @Option(help: "Lines: events (folded over 50/s), all, none (only FAIL and ALERT).")
    var log: Log = .events
    @OptionGroup var root: RootOptions
    @OptionGroup var looks: Looks

    package init() {}

    package func run() async throws {
        try root.check("proxy")
        let console = Console(looks: looks)
        try checkRecord()
        let file = try file()
        let options = try options(console, file)
        if let record = options.record { try RawConsent.obtain(recording, out: record, console: console) }
        let form = ProxyForm(console: console, json: looks.json, log: log, started: Date())
        let watch = try await ProxyWatch(monitoring, options, form)
        for sentence in watch.warnings { console.talk(console.err.paint("warning:", .fault) + " \(sentence)\n") }
        let server: ProxyServer
        do {
            server = try await ProxyServer.start(
                options, patience: wait.duration,
                onEvent: { event in
                    watch.note(event)
                    form.event(event)
                })
        } catch { throw ProxyComplaint.of(error) }
        // Whoever reads that it listens may send a signal or change a file at once.
        let signals = Signals.stream([SIGTERM, SIGINT, SIGUSR1, SIGHUP])
        let watches = watches(file, server, form, options)
        form.open(options, server, pid: getpid(), watched: watch.words, metrics: watch.metricsAddress)
        let running = watch.begin(server)
        let tasks = [Task { await form.remind(server, pid: getpid()) }] + watches.map { watch in Task { await watch.watch() } } + running
        defer { for task in tasks { task.cancel() } }
        let result = await serve(server, form, watches, signals) { for task in running { task.cancel() } }
        let reason = ProxyForm.reason(result)
        form.close(result, options, reason: reason, webhook: await watch.end())
        throw Finished(reason)
    }

    /// `--record` names a directory. Whoever writes a mode there would get a redacted recording in `./raw`.
    private func checkRecord() throws {
        if let record, RecordMode(rawValue: record) != nil {
            throw Complaint(
                "--record takes a directory, and `\(record)` is a mode",
                details: [("remedy", "write --record rec/ --record-mode \(record), or --record ./\(record) for a directory of that name")],
                exit: .usage)
        }
        if record == nil, config == nil, recording.mode == .meta || recording.mode == .raw {
            throw Complaint(
                "--record-mode \(recording.mode.rawValue) says what is recorded, and nothing says where",
                details: [("remedy", "add --record rec/")], exit: .usage)
        }
    }

    func options() throws -> ProxyOptions { try options(nil, try file()) }

    private func options(_ console: Console?, _ file: ProxyFile?) throws -> ProxyOptions {
        guard (1...64).contains(loops ?? 1) else {
            throw Complaint("--loops \(loops ?? 0) is out of range", details: [("expected", "1 to 64")], exit: .usage)
        }
        if let console, let warnings = file?.warnings, !warnings.isEmpty {
            console.talk(ConfigurationForm.text(ConfigurationErrors(warnings), console.err))
        }
        let faults = try profile.isEmpty ? nil : Self.announced(ProfileLoader().load(profile), announce)
        let promise = try (contract ?? faults?.contract).map { try ContractLoader().load($0) } ?? file?.contract
        var options = try routed(file)
        if let faults { options.profile = faults }
        for route in options.routes {
            try checkScope(route.profile, promise, record: record ?? file?.record)
            try StagingGuard.check(route, isStaging: iAmStaging)
        }
        let now = Int64(Date().timeIntervalSince1970)
        try secured.apply(to: &options, minted: file.map(Listeners.minted) ?? [], at: now)
        options.changeRoutes { route in
            guard route.upstream != nil else { return }
            if http2 { route.http2.fromClients = true }
            if upstreamHttp2 { route.http2.toServer = true }
        }
        options.contract = promise
        options.seed = seed ?? file?.seed ?? options.routes.lazy.compactMap(\.profile?.seed).first ?? UInt64.random(in: 1...9_999)
        let mode = recording.mode == .redacted ? file?.recordMode.flatMap { RecordMode(rawValue: $0) } ?? .redacted : recording.mode
        if let header = mode.header {
            options.record = record ?? file?.record
            options.recordMode = header
        }
        options.purpose = recording.purpose()
        options.retention = recording.retention
        options.packsRecord = gzip
        options.judge = promise != nil
        options.program = Miswire.number
        let key = SigningKey.checking(promise)
        options.isKeyPresumed = key?.isPresumed ?? false
        // A health run signs with the same guess, which would then seem to be right.
        options.mintKey = options.isKeyPresumed && monitoring.healthRun != nil ? nil : key?.text
        if let loops { options.loops = loops }
        return options
    }

    private func file() throws -> ProxyFile? {
        guard let config else { return nil }
        let given = [
            ("URL", url != nil), ("--listen", listen != nil), ("--profile", !profile.isEmpty), ("--forward", forward),
            ("--allow-upstream", !allowUpstream.isEmpty),
        ]
        if let (option, _) = given.first(where: \.1) {
            throw Complaint(
                "\(option) and --config say the same thing twice",
                details: [("remedy", "leave \(option) out, or run that listener without --config")], exit: .usage)
        }
        var file = try ProxyFile.load(config, Listeners.words)
        for index in file.listeners.indices {
            file.listeners[index].profile = file.listeners[index].profile.map { Self.announced($0, announce) }
        }
        return file
    }

    /// Where it listens and where that leads.
    private func routed(_ file: ProxyFile?) throws -> ProxyOptions {
        do {
            if let file {
                let routes = try Listeners.routes(of: file)
                if let first = routes.first { return ProxyOptions(first, Array(routes.dropFirst())) }
            }
            let place = try HostPort(listen ?? "127.0.0.1:9000")
            if forward {
                try checkForward()
                var rules: [AllowList.Rule] = []
                for rule in allowUpstream { rules.append(try AllowList.Rule(rule)) }
                return ProxyOptions(Route(listen: place, way: .forward(AllowList(rules))))
            }
            guard allowUpstream.isEmpty else {
                throw Complaint(
                    "--allow-upstream says whom a forward proxy may dial", details: [("remedy", "add --forward, or leave it out")],
                    exit: .usage)
            }
            guard let url else {
                throw Complaint(
                    "nothing says where the traffic goes",
                    details: [("expected", "ws://HOST:PORT, --forward, or --config FILE")], exit: .usage)
            }
            return ProxyOptions(listen: place, upstream: try Upstream(url: url))
        } catch let error as RuntimeError { throw ProxyComplaint.of(error) }
    }

    private func checkForward() throws {
        if url != nil {
            throw Complaint(
                "a forward proxy has no server of its own", details: [("remedy", "leave out URL, or --forward")], exit: .usage)
        }
        if http2 || upstreamHttp2 {
            throw Complaint(
                "a forward proxy does not speak HTTP/2 yet",
                details: [
                    ("found", "--forward with \(http2 ? "--http2" : "--upstream-http2")"),
                    ("remedy", "leave one of them out: in its tunnels http/1.1 alone is offered"),
                ],
                exit: .usage)
        }
    }

    /// `--announce`: one fault more, of which nothing takes anything away.
    private static func announced(_ profile: Profile, _ announce: Bool) -> Profile {
        guard announce, !profile.faults.isEmpty else { return profile }
        var told = profile
        let settings = Settings([("value", ["\(profile.name) \(profile.hash)"])])
        var rule = FaultRule(id: Announce.name, kind: Announce.name, settings: settings, when: Trigger())
        var scope = Profile.Scope()
        scope.name = Announce.name
        scope.expires = nil
        rule.scope = scope
        told.faults.append(rule)
        return told
    }

    /// Reads the profiles again when they change, each listener's its own.
    private func watches(_ file: ProxyFile?, _ server: ProxyServer, _ form: ProxyForm, _ options: ProxyOptions) -> [ProfileWatch] {
        let (isStaging, announce) = (iAmStaging, self.announce)
        let users = options.recordedUsers?.users
        let isShared = options.record != nil && options.routes.count > 1
        return options.routes.enumerated().compactMap { place, route in
            let names = file.map { $0.listeners[place].profileName.map { [$0] } ?? [] } ?? profile
            guard !names.isEmpty else { return nil }
            return ProfileWatch(names, of: place, server: server, form: form) { profile in
                // Who is recorded was decided at the start, and is told to whoever reads the recording.
                if let users, profile.scope.users != users { return (profile, "the recording is limited to the users of its scope") }
                if isShared, profile.scope.limitsUsers { return (profile, "its users would limit the recording, which several listeners share") }
                return (Self.announced(profile, announce), StagingGuard.objection(profile, on: route, isStaging: isStaging))
            }
        }
    }

    /// A scope of users is a scope of the recording as well, and without a contract nobody has a name.
    private func checkScope(_ faults: Profile?, _ promise: Contract?, record: String?) throws {
        guard record != nil, recording.mode != .none, let faults, faults.scope.limitsUsers, promise?.identity.user.isEmpty ?? true else {
            return
        }
        throw Complaint(
            "nothing would be recorded: the profile \(SafeText.show(faults.name)) is limited to users, and nothing says who is one",
            details: [
                ("expected", "a contract with `identity.user`"),
                ("remedy", "name one with --contract, take `users` out of the profile's scope, or leave --record out"),
            ], exit: .usage)
    }

    /// The first signal to stop drains, a second cuts; USR1 is the kill switch and its way back, HUP reads profiles again.
    private func serve(
        _ server: ProxyServer, _ form: ProxyForm, _ watches: [ProfileWatch], _ signals: AsyncStream<Int32>, atItsEnd: () -> Void
    ) async -> RunResult {
        signals: for await number in signals {
            switch number {
            case SIGHUP: for watch in watches { await watch.reload() }
            case SIGUSR1 where server.faultsAreStopped:
                server.restoreFaults()
                form.faultsRestored(server)
            case SIGUSR1:
                server.stopFaults()
                form.faultsStopped(at: server.now)
            default: break signals
            }
        }
        atItsEnd()
        form.draining(server.liveSessions, grace: grace.duration)
        let begun = ContinuousClock.now
        let impatient = Task {
            for await number in signals where number != SIGUSR1 && number != SIGHUP { _ = await server.drain(grace: .zero) }
        }
        defer { impatient.cancel() }
        let result = await server.drain(grace: grace.duration)
        form.drained(in: begun.duration(to: ContinuousClock.now), whole: result.drained)
        return result
    }
}

/// Errors of the runtime in the words of looks.md section 4.
enum ProxyComplaint {
    static func of(_ error: RuntimeError) -> Complaint {
        switch error {
        case .malformedAddress(let text):
            return Complaint(
                "\(SafeText.show(text)) is not an address", details: [("expected", "HOST:PORT or :PORT, such as 127.0.0.1:9000")],
                exit: .usage)
        case .malformedURL(let url, let why):
            return Complaint(
                "\(SafeText.show(url)) cannot be a target", details: [("found", why), ("expected", "ws://HOST:PORT or wss://HOST:PORT, such as ws://127.0.0.1:8080")],
                exit: .usage)
        case .portInUse(let address, let owner):
            return Complaint(
                "port \(address.port) is in use",
                details: PortWords.by(owner)
                    + [("remedy", "choose another with --listen :\(min(address.port + 1, 65_535)), or :0 for a free one")],
                exit: .usage)
        case .cannotListen(let address, let why):
            return Complaint("\(address) cannot be listened on", details: [("found", SafeText.show(why))], exit: .usage)
        case .hostNotFound(let host, let why):
            return Complaint(
                "the host \(SafeText.show(host)) is not found", details: [("found", SafeText.show(why))], exit: .targetUnreachable)
        case .forbiddenTarget(let address, let why):
            return Complaint("\(address) may not be a target", details: [("found", SafeText.show(why))], exit: .usage)
        case .targetSilent(let address, let why, let attempts, let elapsed):
            return Complaint(
                "the target ws://\(address) does not answer",
                details: [
                    ("tried", "\(address), \(SafeText.show(why)), \(attempts) times in \(Figures.duration(elapsed))"),
                    ("remedy", "start it, name another address, or --wait 30s"),
                ], exit: .targetUnreachable)
        case .cannotRecord(let directory, let why): return cannotRecord(directory, why)
        case .targetInsecure(let address, let why):
            return Complaint(
                "the target wss://\(address) answers, and no TLS comes of it",
                details: [
                    ("found", SafeText.show(why)),
                    ("remedy", "name its CA with --ca-file, its name with --server-name, or take anything with --insecure-upstream"),
                ], exit: .targetUnreachable)
        case .tls(let problem): return TLSComplaint.of(problem)
        }
    }

    static func cannotRecord(_ directory: String, _ why: String) -> Complaint {
        Complaint(
            "nothing can be recorded into \(SafeText.show(directory))",
            details: [("found", SafeText.show(why)), ("remedy", "name another directory with --record")], exit: .usage)
    }
}
