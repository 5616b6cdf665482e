import Faults

/// TLS of one session's hops. Behind a listener all have the same; of a forward proxy's only the tunnels that are opened have any.
struct SessionTLS: Sendable {
    static let none = SessionTLS(client: nil, server: nil, host: nil)

    let client: ListenerTLS?
    let server: UpstreamTLS?
    /// Whom CONNECT named: asked for and looked for at the server, and shown to a client that asks for nobody. Nil: what the
    /// route says.
    let host: String?

    var hops: TLSHops {
        TLSHops(
            client: client.map { .tls(hasAuthority: $0.hasAuthority) } ?? .plain, server: server == nil ? .plain : .tls(hasAuthority: false))
    }
}
