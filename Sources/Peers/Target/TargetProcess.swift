/// A server started for a run by `--exec 'CMD {port}'` and ended with it (trust.md T45, L16, R17).
package final class TargetProcess: Sendable {
    package let endpoint: Endpoint
    package let pid: Int32

    init(endpoint: Endpoint, pid: Int32) {
        self.endpoint = endpoint
        self.pid = pid
    }

    /// Starts the command on a free port of 127.0.0.1 and returns once that port takes connections.
    /// - Parameter variables: added to the minimal environment.
    package static func start(
        _ command: String, variables: [(String, String)], within bound: Duration = .seconds(10)
    ) async throws(TargetError) -> TargetProcess {
        throw .cannotStart("not built")
    }

    /// Last bytes (at most 1 MiB) that it wrote to standard error.
    package var diagnostics: String { "" }

    /// TERM to its whole process group, KILL after the grace of 5 s.
    package func stop() async {}
}

package enum TargetError: Error, Sendable, Equatable {
    case badCommand(String)
    case cannotStart(String)
    /// It ended before it listened: how, and the tail of what it said.
    case ended(String, diagnostics: String)
    case notListening(within: Duration, diagnostics: String)
}
