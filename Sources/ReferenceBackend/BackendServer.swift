import NIOCore
import NIOPosix

/// The machine on real sockets: 127.0.0.1, one event loop.
package final class BackendServer: Sendable {
    /// The port it listens on.
    package let port: Int

    private init(port: Int) { self.port = port }

    /// Binds and serves. `port` 0 takes a free one; `marks` is the path of the side file for marks, truncated at start.
    /// `seed` nil draws one.
    package static func start(
        port: Int = 0, bugs: Set<BackendBug> = [], key: String = developmentKey, marks: String? = nil,
        seed: UInt64? = nil
    ) async throws -> BackendServer {
        BackendServer(port: port)
    }

    /// Closes the listener and every connection, and returns when they are gone.
    package func stop() async {
    }

    /// The key used when MISWIRE_JWT_KEY is unset.
    package static let developmentKey = "miswire-development-key"
}
