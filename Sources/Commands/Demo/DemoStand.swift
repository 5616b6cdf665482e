import Peers
import ReferenceBackend

/// A fresh backend for each rerun, with the bugs of the demo.
struct DemoStand: Stand {
    var bugs: Set<BackendBug>

    func take() async throws -> (endpoint: Endpoint, held: BackendServer) {
        let server = try await Listening.backend(port: 0, bugs: bugs, marks: nil)
        return (Endpoint(host: "127.0.0.1", port: server.port), server)
    }

    func give(back held: BackendServer) async { await held.stop() }
}
