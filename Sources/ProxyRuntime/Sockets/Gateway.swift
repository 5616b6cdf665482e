import Faults
import Journaling
import NIOCore
import Synchronization

/// A route as it runs: its upstream resolved once (trust.md T14), its TLS, and what its session machines need.
final class Gateway: Sendable {
    let route: Route
    /// Empty for a forward proxy: there each client names its own.
    let upstream: [SocketAddress]
    let tls: TLSPair
    private let machines: Mutex<SessionConfiguration>
    private let number: Int
    /// What sessions with one host know of each other: by target, so that neither a credential nor what somebody was told comes
    /// to a session with another host (trust.md T26).
    private struct Neighbourhood { var lender = CredentialLender(), past = Past() }
    private let neighbours = Mutex<[String: Neighbourhood]>([:])
    private static let mostTargets = 4_096

    /// - Parameter held: what faults hold in all sessions of the process (trust.md L10).
    init(
        _ route: Route, at upstream: [SocketAddress], _ tls: TLSPair, number: Int, held: HeldBytes, _ options: ProxyOptions
    ) {
        self.route = route
        self.upstream = upstream
        self.tls = tls
        self.number = number
        let enrolment = Enrolment()
        enrolment.take(up: route.profile?.name ?? "", at: .zero)
        enrolment.begin(at: .zero)
        var machines = SessionConfiguration(
            profile: route.profile, contract: options.contract, seed: options.seed, limits: options.limits,
            finder: options.finder, record: options.keepsTraffic, enrolment: enrolment, held: held,
            followsContexts: options.judge)
        machines.followsExchanges = true
        self.machines = Mutex(machines)
    }

    // MARK: Faults

    var profile: Profile? { machines.withLock { $0.profile } }
    var crosses: Bool { machines.withLock { $0.crosses } }
    /// Times that faults of the profile acted.
    var acted: Int { machines.withLock { $0.enrolment.acted } }
    /// When the profile's clock began.
    var profileBegan: Instant { machines.withLock { $0.enrolment.began } ?? .zero }

    func take(up profile: Profile?, at now: Instant) {
        machines.withLock { machines in
            machines = machines.with(profile)
            machines.enrolment.take(up: profile?.name ?? "", at: now)
        }
    }

    // MARK: Sessions

    /// - Parameter target: where a forward proxy dialled.
    func configuration(for target: String?) -> SessionConfiguration {
        var own = machines.withLock { $0 }
        guard let target else { return own }
        let near = neighbours.withLock { known in
            if let near = known[target] { return near }
            let fresh = Neighbourhood()
            if known.count < Self.mostTargets { known[target] = fresh }
            return fresh
        }
        own.lender = near.lender
        own.past = near.past
        return own
    }

    /// TLS of whoever connects here; a forward proxy is asked in clear text.
    var ownTLS: SessionTLS { route.upstream == nil ? .none : SessionTLS(client: tls.client, server: tls.server, host: nil) }

    /// TLS of a tunnel whose client begins with it; nil where that stays closed.
    func tunnelTLS(to host: String) -> SessionTLS? {
        guard route.opensTunnels else { return nil }
        // No certificate has the dot of the root.
        return SessionTLS(client: tls.client, server: tls.server, host: host.hasSuffix(".") ? String(host.dropLast()) : host)
    }

    func machine(for id: SessionID, to target: String?, _ tls: SessionTLS) -> SessionMachine {
        var machine = SessionMachine(configuration: configuration(for: target), id: id)
        machine.hops = tls.hops
        // Which protocol it is to be is known behind the handshake; a stream has none of its own.
        if route.http2.fromClients { machine.hops.clientIsOpen = false }
        if route.http2.toServer { machine.hops.server = .plain }
        return machine
    }

    /// Of a connection that a fault opens to the upstream.
    func machine(for id: SessionID, _ visit: Visit) -> SessionMachine {
        var machine = SessionMachine(configuration: configuration(for: nil), id: id, visit: visit)
        // Of its two hops only the server's is one.
        machine.hops = TLSHops(server: route.http2.toServer ? .plain : ownTLS.hops.server)
        return machine
    }

    func opened(_ transport: TransportID, peer: String, target: HostPort? = nil, isStream: Bool = false) -> Opened {
        Opened(
            transport: transport, peer: peer, route: route.name.isEmpty ? nil : route.name, target: target?.description,
            http2: (isStream ? [.client] : []) + (route.http2.toServer ? [.server] : []))
    }

    /// Sessions of one realm may get each other's messages; those of another go to other servers (trust.md T26).
    func realm(of target: String?) -> String { "\(number) \(target ?? "")" }
}
