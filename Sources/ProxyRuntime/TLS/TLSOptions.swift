import Faults
import Journaling

/// TLS of one proxy: whether clients must speak it, and how a `wss://` target is spoken to.
package struct TLSOptions: Sendable {
    /// Nil: clients come in clear text.
    package var listener: ListenerTLS.Identity?
    package var upstream = UpstreamTLS.Options()
    /// Secrets of both hops are written there.
    package var keyLog: KeyLogWriter?
    package init() {}
}

/// What the two hops of one proxy have.
struct TLSPair: Sendable {
    let client: ListenerTLS?
    let server: UpstreamTLS?
    let authority: Authority?

    init(_ options: Route, _ limits: Limits) throws(TLSProblem) {
        var client: ListenerTLS?
        if let identity = options.tls.listener {
            client = try ListenerTLS(
                identity, protocols: options.http2.fromClients ? ["h2", "http/1.1"] : ["http/1.1"], keyLog: options.tls.keyLog,
                limits: limits)
        }
        self.client = client
        if case .authority(let authority) = options.tls.listener { self.authority = authority } else { authority = nil }
        if options.speaksTLSToServer {
            server = try UpstreamTLS(
                options.tls.upstream, host: options.upstream?.address.host, protocols: [options.http2.toServer ? "h2" : "http/1.1"],
                keyLog: options.tls.keyLog, limits: limits)
        } else {
            server = nil
            guard options.tls.upstream != UpstreamTLS.Options() else { return }
            guard options.upstream == nil else {
                throw TLSProblem(
                    "the target is not spoken to by TLS, so nothing can be said of its certificate", expected: "a target of wss://",
                    found: options.target)
            }
            throw TLSProblem(
                "TLS inside CONNECT is tunnelled as it is, so nothing can be said of a target's certificate",
                found: options.target, remedy: "add --tls, which opens it")
        }
    }
}

extension ProxyOptions {
    /// The target's certificate is taken as it is (trust.md T6): said wherever the run is told of.
    package var isUnverified: Bool { routes.contains(where: \.isUnverified) }
}
