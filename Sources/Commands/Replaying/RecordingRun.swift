import Contracts
import Faults
import Foundation
import Journaling
import Peers
import Plans
import Profiles
import ProxyRuntime
import Reporting
import Synchronization

/// One replay of a recording, in either role.
struct RecordingRun {
    var console: Console
    var looks: Looks
    var file: RecordingFile
    var pace: Double
    var seed: UInt64

    /// The client side against a server: `target` says where it is, once it is there.
    func asClient(
        profile names: [String], credentials: GivenCredentials, target: @Sendable () async throws -> Endpoint
    ) async throws -> ExitReason {
        warn(credentials.warnings)
        let profile = try names.isEmpty ? nil : ProfileLoader().load(names)
        var contract = file.contract
        if contract == nil, let promised = profile?.contract { contract = try ContractLoader().load(promised) }
        var settings = RecordingReplay.Settings(
            target: try await target(), contract: contract, key: Array(SigningKey.signing(contract).utf8))
        settings.seed = seed
        settings.profile = profile
        settings.pace = pace
        settings.recordedEpoch = file.epoch
        for (user, token) in credentials.tokens { settings.tokens[user] = token }
        let counter = Counter(console)
        let report: RecordingReport
        do {
            report = try await RecordingReplay(settings).run(file.entries) { counter.count($0.comparison.sessions.count) }
        } catch let obstacle as ReplayObstacle {
            throw Self.complaint(obstacle)
        }
        if let reason = report.unreachable {
            throw Complaint(
                "the target does not answer",
                details: [("tried", SafeText.show(reason)), ("remedy", "start it, or name another address")],
                exit: .targetUnreachable)
        }
        let reason = form.print(report)
        if let refused = report.refusedEverywhere {
            let user = refused.user ?? "USER"
            console.talk(
                "CANNOT REPLAY  every upgrade is refused with \(refused.status); give a credential: --credential \(SafeText.show(user))=@FILE\n")
        }
        return reason
    }

    private static func complaint(_ obstacle: ReplayObstacle) -> Complaint {
        Complaint(
            SafeText.show(obstacle.sentence),
            details: [("found", SafeText.show(obstacle.found))]
                + (obstacle.remedy.isEmpty ? [] : [("remedy", SafeText.show(obstacle.remedy))]),
            exit: .inconclusive)
    }

    /// The server side for a client under test. The first signal to stop ends the wait for more.
    func asServer(listen: String) async throws -> ExitReason {
        warn([])
        var settings = ServingMachine.Settings(contract: file.contract)
        settings.pace = pace
        settings.recordedEpoch = file.epoch
        settings.nowEpoch = Int64(Date().timeIntervalSince1970)
        let machine = ServingMachine(file.entries, settings)
        guard machine.count > 0 else {
            throw Complaint(
                "no session of the recording can be replayed",
                details: [("found", "it holds no upgrade that was answered")], exit: .inconclusive)
        }
        let host: ServingHost
        do throws(RuntimeError) { host = try await ServingHost.start(machine, at: HostPort(listen)) } catch {
            throw ProxyComplaint.of(error)
        }
        let sessions = Figures.plural(machine.count, "session")
        if looks.json {
            console.emit(
                JSONLine("start", time: Console.utc()).adding("verb", "replay").adding("role", "server")
                    .adding("port", host.address.port).adding("sessions", machine.count))
        } else {
            console.answer("replay  ws://\(host.address)    \(sessions) as server\n")
        }
        let signals = Task {
            await Signals.untilAskedToStop()
            host.stop()
        }
        defer { signals.cancel() }
        let outcome = await host.finished()
        return form.print(outcome, left: machine.left)
    }

    private var form: RecordingForm {
        RecordingForm(console: console, json: looks.json, verbose: looks.verbose, isComplete: file.isComplete)
    }

    private func warn(_ more: [String]) {
        for sentence in file.warnings + more {
            console.talk(console.err.paint("warning:", .fault) + " \(SafeText.show(sentence))\n")
        }
    }
}

/// Tells how far a long replay has got.
private final class Counter: Sendable {
    private let state: Mutex<(sessions: Int, ticker: Ticker)>
    init(_ console: Console) { state = Mutex((0, Ticker(console: console, verb: "replay"))) }
    func count(_ sessions: Int) {
        state.withLock { state in
            state.sessions += sessions
            state.ticker.tell("replay sessions=\(state.sessions)")
        }
    }
}

/// `--speed`.
enum Speed: String, CaseIterable {
    case recorded = "1x", tenfold = "10x", max
    var pace: Double {
        switch self {
        case .recorded: 1
        case .tenfold: 0.1
        case .max: 0
        }
    }
}
