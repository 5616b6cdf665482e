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
            miswire proxy ws://127.0.0.1:8080 --listen :9000 --profile delayed-accept --contract agent-chat --record rec/
            miswire proxy ws://127.0.0.1:8080 --http2 --upstream-http2
            miswire proxy ws://127.0.0.1:8080 --record rec/ --record-mode meta --purpose 'ticket 311' --retain 2d
            kill -USR1 PID stops every fault at once; SIGTERM or Ctrl-C drains and reports.
            """)

    package enum Log: String, ExpressibleByArgument, CaseIterable, Sendable { case all, events, none }

    @Argument(help: "The server behind: ws://HOST:PORT.")
    var url: String
    @Option(help: "Where clients connect: HOST:PORT or :PORT.")
    var listen = "127.0.0.1:9000"
    @Option(help: "A shipped profile's name, or a file.")
    var profile: String?
    @Option(help: "A shipped contract's name, or a file. Default: what the profile names.")
    var contract: String?
    @Option(help: "Record every session into this directory, as --record-mode says.")
    var record: String?
    @OptionGroup var recording: RecordOptions
    @Flag(help: "Pack the recording's segments with gzip.")
    var gzip = false
    @Flag(help: "Clients may speak HTTP/2 by its preface; each WebSocket on it (RFC 8441) is a session, others are served as ever.")
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
        let options = try options()
        if let record = options.record { try RawConsent.obtain(recording, out: record, console: console) }
        let form = ProxyForm(console: console, json: looks.json, log: log, started: Date())
        let server: ProxyServer
        do {
            server = try await ProxyServer.start(options, patience: wait.duration, onEvent: { event in form.event(event) })
        } catch { throw ProxyComplaint.of(error) }
        form.open(options, address: server.address, answered: server.targetAnswered, pid: getpid())
        let reminder = Task { await form.remind(options, pid: getpid()) }
        defer { reminder.cancel() }
        let result = await serve(server, form)
        let reason = ProxyForm.reason(result)
        form.close(result, reason: reason)
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
        if record == nil, recording.mode == .meta || recording.mode == .raw {
            throw Complaint(
                "--record-mode \(recording.mode.rawValue) says what is recorded, and nothing says where",
                details: [("remedy", "add --record rec/")], exit: .usage)
        }
    }

    func options() throws -> ProxyOptions {
        guard (1...64).contains(loops ?? 1) else {
            throw Complaint("--loops \(loops ?? 0) is out of range", details: [("expected", "1 to 64")], exit: .usage)
        }
        let faults = try profile.map { try ProfileLoader().load($0) }
        let promise = try (contract ?? faults?.contract).map { try ContractLoader().load($0) }
        var options: ProxyOptions
        do {
            options = ProxyOptions(listen: try HostPort(listen), upstream: try Upstream(url: url))
        } catch { throw ProxyComplaint.of(error) }
        try checkScope(faults, promise)
        options.http2 = HTTP2Options(fromClients: http2, toServer: upstreamHttp2)
        options.profile = faults
        options.contract = promise
        options.seed = seed ?? faults?.seed ?? UInt64.random(in: 1...9_999)
        if let mode = recording.mode.header {
            options.record = record
            options.recordMode = mode
        }
        options.purpose = recording.purpose()
        options.retention = recording.retention
        options.packsRecord = gzip
        options.judge = promise != nil
        options.program = Miswire.number
        options.mintKey = SigningKey.value()
        if let loops { options.loops = loops }
        return options
    }

    /// A scope of users is a scope of the recording as well, and without a contract nobody has a name.
    private func checkScope(_ faults: Profile?, _ promise: Contract?) throws {
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

    /// The first signal to stop drains, a second cuts; USR1 is the kill switch.
    private func serve(_ server: ProxyServer, _ form: ProxyForm) async -> RunResult {
        let signals = Signals.stream([SIGTERM, SIGINT, SIGUSR1])
        for await number in signals {
            guard number == SIGUSR1 else { break }
            server.stopFaults()
            form.faultsStopped(at: server.now)
        }
        form.draining(server.liveSessions, grace: grace.duration)
        let begun = ContinuousClock.now
        let impatient = Task {
            for await number in signals where number != SIGUSR1 { _ = await server.drain(grace: .zero) }
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
                "\(SafeText.show(url)) cannot be a target", details: [("found", why), ("expected", "ws://HOST:PORT, such as ws://127.0.0.1:8080")],
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
        }
    }

    static func cannotRecord(_ directory: String, _ why: String) -> Complaint {
        Complaint(
            "nothing can be recorded into \(SafeText.show(directory))",
            details: [("found", SafeText.show(why)), ("remedy", "name another directory with --record")], exit: .usage)
    }
}
