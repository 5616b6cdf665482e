import Glibc
import ProxyRuntime
import Synchronization

/// A server started for a run by `--exec 'CMD {port}'` and ended with it (trust.md T45, L16, R17): run directly and
/// never through a shell, with a minimal environment, no descriptor beyond 0 to 2, in a process group of its own that is
/// ended whole. Where the system can do it, the program also dies with us.
package final class TargetProcess: Sendable {
    package let endpoint: Endpoint
    package let pid: Int32
    private let supervisor: Supervisor

    /// L16: time between TERM and KILL.
    package static let grace = Duration.seconds(5)

    private init(endpoint: Endpoint, supervisor: Supervisor) {
        self.endpoint = endpoint
        self.supervisor = supervisor
        pid = supervisor.pid
    }

    /// Starts the command on a free port of 127.0.0.1 and returns once that port takes connections.
    /// - Parameters:
    ///   - variables: added to the minimal environment (PATH, HOME, LANG, TMPDIR).
    ///   - upgrade: path of an upgrade that must be answered too, whatever the answer.
    ///   - bound: how long it may take to listen, and to answer.
    package static func start(
        _ command: String, variables: [(String, String)], upgrade: String? = nil, within bound: Duration = .seconds(10)
    ) async throws(TargetError) -> TargetProcess {
        guard let port = FreePort.find() else { throw .cannotStart("no port of 127.0.0.1 is free") }
        let endpoint = Endpoint(host: "127.0.0.1", port: port)
        let words = try ExecCommand.split(command, port: port)
        let program = try Program.find(words[0])
        let supervisor = try await Supervisor.start(
            program: program, arguments: words, environment: Program.environment(adding: variables))
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: bound)
        while clock.now < deadline {
            if let how = supervisor.ended {
                await Self.end(supervisor, grace: .zero)
                throw .ended(how.description, diagnostics: supervisor.diagnostics)
            }
            let asked = await Probe.ask(endpoint, upgrade: upgrade, within: min(.seconds(2), clock.now.duration(to: deadline)))
            if asked == .answers { return TargetProcess(endpoint: endpoint, supervisor: supervisor) }
            do { try await Task.sleep(for: .milliseconds(10)) } catch { break }
        }
        await Self.end(supervisor)
        throw .notListening(within: bound, diagnostics: supervisor.diagnostics)
    }

    /// Last bytes that it wrote to standard output and standard error, at most 1 MiB, in the order in which they came.
    package var diagnostics: String { supervisor.diagnostics }

    /// Nil while it runs; then how it ended: `exit 1`, `signal 9 (SIGKILL)`.
    package var ended: String? { supervisor.ended?.description }
    package var ending: Ending? { supervisor.ended }

    /// TERM to its whole process group, KILL after the grace. Then nothing of it runs, and all that it said is known.
    package func stop(grace: Duration = grace) async { await Self.end(supervisor, grace: grace) }

    private static func end(_ supervisor: Supervisor, grace: Duration = grace) async {
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            let end: @Sendable () -> Void = {
                supervisor.stop(grace: grace)
                done.resume()
            }
            // Where no thread is left, the caller's is blocked instead, for as long as the grace allows.
            if !Threads.start(end) { end() }
        }
    }
}

package enum TargetError: Error, Sendable, Equatable {
    case badCommand(String)
    case cannotStart(String)
    /// It ended before it listened: how, and the tail of what it said.
    case ended(String, diagnostics: String)
    case notListening(within: Duration, diagnostics: String)
    /// It was there, and is given up: one phrase, such as `refuses connections for 10 s`.
    case gone(String)
}
