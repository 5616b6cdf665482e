import Faults
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Testing

@testable import ProxyRuntime

/// TLS for the peers of tests, made by the library itself and not by what is tested.
struct TLSStand: Sendable {
    let authority: Authority
    let now: Int64

    init(names: String = "chat.test") throws {
        now = MonotonicClock.wall / 1_000_000_000
        authority = try Authority(names: CANames([names]), at: now)
    }

    var roots: NIOSSLTrustRoots {
        get throws { .certificates([try NIOSSLCertificate(bytes: authority.certificateDER, format: .der)]) }
    }

    /// As a client that trusts the CA, and nobody else.
    func client(_ change: (inout TLSConfiguration) -> Void = { _ in }) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = try roots
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }

    /// As a server with a certificate of the CA.
    func server(
        for name: String = "localhost", flaw: TLSOrders.Flaw? = nil, _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) throws -> NIOSSLContext {
        let leaf = try LeafMint(authority).leaf(for: name, flaw: flaw, at: now)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: leaf.chain.map { .certificate($0) }, privateKey: .privateKey(leaf.key))
        change(&configuration)
        return try NIOSSLContext(configuration: configuration)
    }
}

extension RawPeer {
    /// A TLS client of that port; connected, its handshake not yet done.
    static func secure(
        port: Int, _ context: NIOSSLContext, name: String? = "localhost", receives: Int32? = nil
    ) async throws -> RawPeer {
        let peer = RawPeer()
        var bootstrap = ClientBootstrap(group: group)
        if let receives { bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receives)) }
        _ = try await bootstrap.channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
                try configure(channel, peer)
            }
        }.connect(host: "127.0.0.1", port: port).get()
        return peer
    }

    /// Closes the socket beneath TLS: no close_notify.
    func truncate() async throws {
        let channel = try channel
        try await channel.eventLoop.submit {
            let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
            try channel.pipeline.syncOperations.context(handler: handler).close(mode: .output, promise: nil)
        }.get()
    }

    func isSecured() async throws { try await until { $0.secured || $0.closed || $0.error != nil } }
}

extension RawPeer {
    /// Closes the socket beneath TLS at once; RST when it lingers for no time.
    func abandon() async throws {
        let channel = try channel
        try await channel.eventLoop.submit {
            let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLHandler.self)
            try channel.pipeline.syncOperations.context(handler: handler).close(promise: nil)
        }.get()
    }
}
