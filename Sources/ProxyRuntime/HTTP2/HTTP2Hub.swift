import Faults
import Journaling
import NIOCore
import NIOHTTP2
import NIOPosix

/// The HTTP/2 connections of one event loop: those of clients, which count against L7 as sessions do, and those to servers,
/// of which each client connection has its own.
final class HTTP2Hub {
    /// Who has this.
    private weak var loop: Loop?
    private let eventLoop: any EventLoop
    private let shared: Shared
    private var clients: [ObjectIdentifier: ClientConnection] = [:]
    private var servers: [TransportID: ServerConnection] = [:]
    private var isDraining = false

    init(_ loop: Loop) {
        self.loop = loop
        eventLoop = loop.eventLoop
        shared = loop.shared
    }

    private var limits: Limits { shared.options.limits }

    private var home: Loop {
        get throws {
            guard let loop else { throw ChannelError.ioOnClosedChannel }
            return loop
        }
    }

    var isFull: Bool { shared.live >= limits.sessions }

    // MARK: From clients

    /// A connection was accepted whose protocol is not known yet.
    func receive(_ channel: any Channel, by gateway: Gateway) throws {
        if let tls = gateway.tls.client { return try receive(channel, tls, by: gateway) }
        let sniffer = PrefaceSniffer(
            patience: limits.requestHeadTime,
            decide: { isHTTP2 in
                if isHTTP2 { try self.install(on: channel, by: gateway) } else { try self.home.open(channel, by: gateway) }
            },
            gone: { self.shared.sessionEnded() })
        try channel.pipeline.syncOperations.addHandler(sniffer)
    }

    private func receive(_ channel: any Channel, _ tls: ListenerTLS, by gateway: Gateway) throws {
        let wire = try tls.secure(channel)
        let gate = ALPNGate(
            decide: { isHTTP2 in
                if isHTTP2 { return try self.install(on: channel, by: gateway) }
                _ = try self.home.open(channel, by: gateway, stream: nil, on: nil, behind: wire)
            },
            gone: { self.shared.sessionEnded() })
        try channel.pipeline.syncOperations.addHandler(gate)
    }

    private func install(on channel: any Channel, by gateway: Gateway) throws {
        let connection = ClientConnection(self) { stream, outlet, transport in
            try self.home.open(stream, by: gateway, stream: outlet, on: transport)
        }
        try connection.install(on: channel, limits)
    }

    func began(_ connection: ClientConnection) {
        clients[ObjectIdentifier(connection)] = connection
        if isDraining { connection.drain() }
    }

    func ended(_ connection: ClientConnection) {
        guard clients.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        shared.sessionEnded()
    }

    // MARK: To servers

    func dial(_ session: Session) {
        if let known = servers[session.transport] { return open(on: known, session) }
        let gateway = session.gateway
        let scheme = gateway.tls.server == nil ? "http" : "https"
        let transport = session.transport
        let connection = ServerConnection(scheme: scheme, limits) { [weak self] gone in
            if self?.servers[transport] === gone { self?.servers[transport] = nil }
        }
        servers[transport] = connection
        open(on: connection, session)
        dial(connection, by: gateway, candidates: gateway.upstream[...])
    }

    private func dial(_ connection: ServerConnection, by gateway: Gateway, candidates: ArraySlice<SocketAddress>) {
        guard let address = candidates.first else { return connection.fail("the upstream has no address") }
        let limits = limits
        let bound = NIOLoopBound(connection, eventLoop: eventLoop)
        let tls = gateway.tls.server
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(limits.connectTime.nanoseconds))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try SocketTuning.apply(to: channel, limits: limits, inherited: false)
                    try bound.value.install(on: channel)
                    if let tls { _ = try tls.secure(channel) }
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in
                if candidates.count > 1 { return self.dial(connection, by: gateway, candidates: candidates.dropFirst()) }
                connection.fail(SocketTuning.sentence(for: error, dialling: address, within: limits.connectTime))
            }
    }

    private func open(on connection: ServerConnection, _ session: Session) {
        connection.open(
            { channel, stream in
                guard !session.isOver else { throw ChannelError.ioOnClosedChannel }
                if let words = connection.secured { session.loop.deliver(.secured(.server, words), to: session) }
                try channel.pipeline.syncOperations.addHandler(Link(.server, of: session, stream: stream.outlet))
            },
            failed: { session.dialFailed($0) })
    }

    // MARK: The whole proxy's doing

    func drain() {
        isDraining = true
        for connection in clients.values.map({ $0 }) { connection.drain() }
    }

    func cutAll() {
        for connection in clients.values.map({ $0 }) { connection.cut() }
    }
}
