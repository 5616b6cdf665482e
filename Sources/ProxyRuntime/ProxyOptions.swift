package import Contracts
package import Faults
package import Journaling

/// What one proxy is to do. Everything has been parsed and checked before it comes here.
package struct ProxyOptions: Sendable {
    /// The listeners: one journal, one recorder and one judge for all of them. At least one.
    package private(set) var routes: [Route]
    package var contract: Contract?
    package var seed: UInt64 = 0
    package var limits: Limits = .standard
    /// Event loops; a session stays on one of them. At least 1.
    package var loops: Int = SystemLimits.cores
    /// Directory of the recording; nil = nothing is recorded.
    package var record: String?
    package var recordMode: RecordingHeader.Mode = .redacted
    /// Segments of the recording are packed with gzip.
    package var packsRecord = false
    /// The oracle reads the journal while it is written.
    package var judge = false
    /// Deadlines are credited for what this machine kept from our loops and from a server beside them. False: the journal
    /// holds no ticks, and what is missed is missed, however crowded the machine was. For servers that are known never to
    /// answer.
    package var creditsDeadlines = true
    /// Named in the recording's header.
    package var program = "0.1.0"
    package var purpose = ""
    package var retention = Retention.standard
    /// What credentials are signed with (the contract's `mint`); nil = their signatures cannot be checked.
    package var mintKey: String?
    /// Nobody named the key: it counts once a credential signed with it was let in.
    package var isKeyPresumed = false
    /// Credentials that somebody else made.
    package var givenCredentials: Set<String> = []
    /// Link-local and metadata addresses may be dialled (trust.md T14).
    package var allowLinkLocalUpstream = false

    package init(listen: HostPort, upstream: Upstream) { routes = [Route(listen: listen, way: .reverse(upstream))] }

    package init(_ first: Route, _ others: [Route] = []) { routes = [first] + others }

    /// The profile of the first route, and of all when it is set.
    package var profile: Profile? {
        get { routes[0].profile }
        set { for index in routes.indices { routes[index].profile = newValue } }
    }

    /// Where the first route leads; nil for a forward proxy.
    package var upstream: Upstream? {
        get { routes[0].upstream }
        set { if let newValue { routes[0].way = .reverse(newValue) } }
    }

    package mutating func changeRoutes(_ body: (inout Route) throws -> Void) rethrows {
        for index in routes.indices { try body(&routes[index]) }
    }

    /// TLS of the first route, and of all when it is set.
    package var tls: TLSOptions {
        get { routes[0].tls }
        set { for index in routes.indices { routes[index].tls = newValue } }
    }

    /// What the first route's hops speak, and when it is set those of all that have a server of their own.
    package var http2: HTTP2Options {
        get { routes[0].http2 }
        set { for index in routes.indices where routes[index].upstream != nil { routes[index].http2 = newValue } }
    }

    /// The one profile that all routes have.
    package var commonProfile: Profile? { Set(routes.map { $0.profile?.hash }).count == 1 ? profile : nil }

    /// Where traffic goes, all of it in one line.
    package var target: String {
        if routes.count == 1 { return routes[0].target }
        return routes.map { "\($0.name) \($0.target)" }.joined(separator: "; ")
    }

    /// Knows where secrets, credentials and users stand.
    package var finder: any SecretFinder {
        guard let contract else { return StandardSecrets() }
        return ContractSecrets(contract, key: mintKey.map { Array($0.utf8) }, isPresumed: isKeyPresumed, given: givenCredentials)
    }

    /// Whose sessions alone are recorded (trust.md T37); nil = everybody's.
    package var recordedUsers: Profile.Scope? {
        guard record != nil, let scope = commonProfile?.scope, scope.limitsUsers else { return nil }
        return scope
    }

    /// Bytes and frames become entries. Otherwise only what happens once a session does.
    package var keepsTraffic: Bool { record != nil || judge }
}

/// Called on the recorder's thread, in journal order, with every entry of the run: what recording and oracle see.
package typealias EntryObserver = @Sendable (Entry) -> Void
/// Called on the recorder's thread.
package typealias EventObserver = @Sendable (RuntimeEvent) -> Void
