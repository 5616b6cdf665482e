/// Why a proxy could not start. Everything later is an entry of the journal or a `RuntimeEvent`.
package enum RuntimeError: Error, Sendable, Equatable {
    case malformedAddress(String)
    /// The URL, and one phrase that says what is wrong with it.
    case malformedURL(String, String)
    case portInUse(HostPort, by: PortOwner?)
    /// The address cannot be bound for another reason (`permission denied`).
    case cannotListen(HostPort, String)
    case hostNotFound(String, String)
    /// The target is one of our own listeners or a link-local address (trust.md T14).
    case forbiddenTarget(HostPort, String)
    /// `reason` such as `connection refused`.
    case targetSilent(HostPort, reason: String, attempts: Int, elapsed: Duration)
    case cannotRecord(directory: String, String)
    /// The target answers, and its TLS handshake fails: one sentence.
    case targetInsecure(HostPort, String)
    case tls(TLSProblem)
}

/// The process that holds a port, as far as the system tells us.
package struct PortOwner: Sendable, Equatable {
    package var name: String
    package var pid: Int
    /// Seconds since 1970 when that process began.
    package var since: Int64?
    package init(name: String, pid: Int, since: Int64?) {
        self.name = name
        self.pid = pid
        self.since = since
    }
}
