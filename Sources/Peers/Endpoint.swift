/// Where a target listens: `ws://HOST:PORT/path`. The path is added in front of none of the plan's own paths; it only
/// serves plans that connect to `$target`.
package struct Endpoint: Sendable, Equatable, CustomStringConvertible {
    package var host: String
    package var port: Int
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
    package var description: String { host.contains(":") ? "ws://[\(host)]:\(port)" : "ws://\(host):\(port)" }
}
