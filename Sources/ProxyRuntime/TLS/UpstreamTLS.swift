import Faults
package import Journaling
import NIOCore
import NIOSSL
import Synchronization

/// TLS towards a target. Verified unless the user said otherwise (trust.md T6).
package final class UpstreamTLS: Sendable {
    package struct Options: Sendable, Hashable {
        /// PEM file of the CAs that the target's certificate may come from; nil = the system's.
        package var authorities: String?
        /// Nothing is verified. Named wherever the run is told of.
        package var isInsecure = false
        /// PEM files of what the target is shown when it asks who we are.
        package var certificate: String?
        package var key: String?
        /// Asked for by SNI and looked for in the certificate instead of the URL's host.
        package var serverName: String?
        package init() {}
    }

    package let options: Options
    /// What the certificate must be for: a name, or nil for an address, which is compared with the one that is dialled. Where
    /// each connection says whom it is for, that comes first.
    package let serverName: String?
    private let protocols: [String]
    private let handshakeTime: Duration
    private let keyLog: KeyLogWriter?
    private let base: TLSConfiguration
    private let contexts = Mutex<[ContextKey: NIOSSLContext]>([:])

    private struct ContextKey: Hashable {
        var versions: ClosedRange<TLSOrders.Version>?
        var ciphers: [UInt16]?
    }

    /// - Parameter host: of the target's URL; nil where each connection has its own.
    package init(
        _ options: Options, host: String?, protocols: [String] = ["http/1.1"], keyLog: KeyLogWriter? = nil, limits: Limits = .standard
    ) throws(TLSProblem) {
        self.options = options
        let name = options.serverName ?? host
        serverName = name.flatMap(Self.serverName)
        if let given = options.serverName {
            guard serverName != nil, !given.isEmpty, given.utf8.count <= 255, !given.utf8.contains(0) else {
                throw TLSProblem("`\(given)` is no server name", expected: "a name, as SNI carries no addresses", remedy: "--server-name chat.example")
            }
        }
        self.protocols = protocols
        self.keyLog = keyLog
        handshakeTime = limits.handshakeTime
        base = try Self.configuration(options)
        _ = try context(for: .none)
    }

    private static func configuration(_ options: Options) throws(TLSProblem) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = options.isInsecure ? .none : .fullVerification
        if let path = options.authorities {
            configuration.trustRoots = .certificates(try TLSFiles.certificates(path, for: "--ca-file"))
        }
        switch (options.certificate, options.key) {
        case (nil, nil): break
        case (let certificate?, let key?):
            let pair = try TLSFiles.pair(chain: certificate, key: key, options: ("--client-cert", "--client-key"))
            configuration.certificateChain = pair.chain.map { .certificate($0) }
            configuration.privateKey = .privateKey(pair.key)
        default:
            throw TLSProblem(
                "a client certificate and its key come together", expected: "both --client-cert and --client-key",
                found: options.key == nil ? "--client-cert alone" : "--client-key alone")
        }
        return configuration
    }

    /// RFC 6066 section 3: literals are no server names.
    private static func serverName(_ host: String) -> String? { CANames.address(host) == nil ? host : nil }

    /// Puts TLS between the socket and what is in the pipeline, as `ListenerTLS.secure` does; the handshake begins when the
    /// channel becomes active.
    /// - Parameter host: whom the connection is for; nil = what was said at the start.
    func secure(_ channel: any Channel, _ orders: TLSOrders = .none, host: String? = nil) throws -> TLSWire {
        let name = host == nil ? serverName : host.flatMap(Self.serverName)
        let ssl = try NIOSSLClientHandler(context: try context(for: orders), serverHostname: name)
        return try TLSWire.install(ssl, on: channel, orders: orders, handshakeTime: handshakeTime, peer: "the server")
    }

    private func context(for orders: TLSOrders) throws(TLSProblem) -> NIOSSLContext {
        let key = ContextKey(versions: orders.versions, ciphers: orders.ciphers)
        if let known = contexts.withLock({ $0[key] }) { return known }
        var configuration = base
        TLSSettings.apply(versions: key.versions, ciphers: key.ciphers, keyLog, to: &configuration)
        configuration.applicationProtocols = protocols
        do {
            let made = try NIOSSLContext(configuration: configuration)
            contexts.withLock { $0[key] = made }
            return made
        } catch { throw TLSProblem("TLS cannot be set up towards the target", found: "\(error)") }
    }
}
