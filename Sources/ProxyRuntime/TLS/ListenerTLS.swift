import Faults
package import Journaling
import NIOCore
import NIOSSL
import Synchronization

/// TLS of a listener: what it shows to clients and how it speaks. One value for all connections of a listener; made once,
/// never on an event loop, as it may read files.
package final class ListenerTLS: Sendable {
    package enum Identity: Sendable {
        /// Certificates are made for the names that clients ask for.
        case authority(Authority)
        /// Paths of PEM files.
        case files(certificate: String, key: String)
    }
    private enum Source: Sendable {
        case mint(LeafMint)
        case given([NIOSSLCertificate], NIOSSLPrivateKey)
    }

    private let source: Source
    private let protocols: [String]
    private let keyLog: KeyLogWriter?
    private let handshakeTime: Duration
    private let contexts = Mutex<[ContextKey: NIOSSLContext]>([:])

    private struct ContextKey: Hashable {
        /// Shown to who asks for nobody.
        var host: String?
        var flaw: TLSOrders.Flaw?
        var versions: ClosedRange<TLSOrders.Version>?
        var ciphers: [UInt16]?
    }

    /// - Parameter protocols: offered by ALPN, the best first; a client that offers none of them is served without.
    package init(
        _ identity: Identity, protocols: [String] = ["http/1.1"], keyLog: KeyLogWriter? = nil, limits: Limits = .standard
    ) throws(TLSProblem) {
        switch identity {
        case .authority(let authority): source = .mint(LeafMint(authority))
        case .files(let certificate, let key):
            let pair = try TLSFiles.pair(chain: certificate, key: key, options: ("--cert", "--key"))
            source = .given(pair.chain, pair.key)
        }
        self.protocols = protocols
        self.keyLog = keyLog
        handshakeTime = limits.handshakeTime
        _ = try context(for: .none)
    }

    /// It can show certificates that are wrong in any way one asks for.
    package var hasAuthority: Bool {
        if case .mint = source { true } else { false }
    }

    /// Puts TLS between the socket and what is in the pipeline. To be called on the channel's loop, before anything was read.
    /// What stands behind gets `TLSSecured` as a user event when the handshake is done, `TLSTrouble` as an error otherwise,
    /// and plain bytes in between.
    /// - Parameter host: whom the client wants, when it names nobody itself; nil = loopback and what the CA names.
    func secure(_ channel: any Channel, _ orders: TLSOrders = .none, host: String? = nil) throws -> TLSWire {
        let ssl = NIOSSLServerHandler(context: try context(for: orders, host))
        return try TLSWire.install(ssl, on: channel, orders: orders, handshakeTime: handshakeTime, peer: "the client")
    }

    private func context(for orders: TLSOrders, _ host: String? = nil) throws(TLSProblem) -> NIOSSLContext {
        let key = ContextKey(
            host: hasAuthority ? host : nil, flaw: orders.flaw, versions: orders.versions, ciphers: orders.ciphers)
        if let known = contexts.withLock({ $0[key] }) { return known }
        let made = try make(key)
        contexts.withLock { contexts in
            // Clients choose the hosts: these are never more than leaves are kept.
            if contexts.count >= LeafMint.most { contexts = contexts.filter { $0.key.host == nil } }
            contexts[key] = made
        }
        return made
    }

    private func make(_ key: ContextKey) throws(TLSProblem) -> NIOSSLContext {
        let now = MonotonicClock.wall / 1_000_000_000
        let chain: [NIOSSLCertificate]
        let secret: NIOSSLPrivateKey
        switch source {
        case .mint(let mint):
            let leaf = try mint.leaf(for: nil, flaw: key.flaw, at: now)
            (chain, secret) = (leaf.chain, leaf.key)
        case .given(let given, let own): (chain, secret) = try flawed(key.flaw, given, own, at: now)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
        TLSSettings.apply(versions: key.versions, ciphers: key.ciphers, keyLog, to: &configuration)
        configuration.applicationProtocols = protocols
        if case .mint(let mint) = source {
            configuration.sslContextCallback = { values, promise in
                do {
                    let leaf = try mint.leaf(for: values.serverHostname ?? key.host, flaw: key.flaw, at: MonotonicClock.wall / 1_000_000_000)
                    var override = NIOSSLContextConfigurationOverride()
                    override.certificateChain = leaf.chain.map { .certificate($0) }
                    override.privateKey = .privateKey(leaf.key)
                    promise.succeed(override)
                } catch { promise.fail(error) }
            }
        }
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw TLSProblem("TLS cannot be set up for clients", found: "\(error)")
        }
    }

    /// Beside a given certificate nobody that the client trusts can sign: such flaws are refused before it comes to this.
    private func flawed(
        _ flaw: TLSOrders.Flaw?, _ given: [NIOSSLCertificate], _ own: NIOSSLPrivateKey, at now: Int64
    ) throws(TLSProblem) -> ([NIOSSLCertificate], NIOSSLPrivateKey) {
        guard let flaw, !flaw.needsAuthority else { return (given, own) }
        let leaf = try LeafMint(try Authority(names: .loopback, at: now)).leaf(for: nil, flaw: flaw, at: now)
        return (leaf.chain, leaf.key)
    }
}

/// What both hops have in common (trust.md T6).
enum TLSSettings {
    static func apply(
        versions: ClosedRange<TLSOrders.Version>?, ciphers: [UInt16]?, _ keyLog: KeyLogWriter?, to configuration: inout TLSConfiguration
    ) {
        configuration.minimumTLSVersion = versions?.lowerBound.library ?? .tlsv12
        configuration.maximumTLSVersion = versions?.upperBound.library ?? .tlsv13
        if let ciphers { configuration.cipherSuiteValues = ciphers.map { NIOTLSCipher($0) } }
        configuration.renegotiationSupport = .none
        // As long as an end that was announced may linger; NIOSSL's own 5 s would outlast the session.
        configuration.shutdownTimeout = .seconds(2)
        if let keyLog { configuration.keyLogCallback = { keyLog.write($0) } }
    }
}

extension TLSOrders.Version {
    var library: TLSVersion {
        switch self {
        case .tls10: .tlsv1
        case .tls11: .tlsv11
        case .tls12: .tlsv12
        case .tls13: .tlsv13
        }
    }

    init(_ version: TLSVersion) {
        switch version {
        case .tlsv1: self = .tls10
        case .tlsv11: self = .tls11
        case .tlsv12: self = .tls12
        case .tlsv13: self = .tls13
        }
    }
}
