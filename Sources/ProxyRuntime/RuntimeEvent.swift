package import Journaling
package import Oracles
package import Wire

/// One thing worth a line while the proxy runs (looks.md section 2). Never one a message.
package struct RuntimeEvent: Sendable {
    package var instant: Instant
    package var session: SessionID?
    package var user: String?
    /// Address of the session's client, as in `Kind.open`.
    package var peer: String?
    package var kind: Kind

    package init(instant: Instant, session: SessionID?, user: String?, peer: String? = nil, kind: Kind) {
        self.instant = instant
        self.session = session
        self.user = user
        self.peer = peer
        self.kind = kind
    }

    package enum Kind: Sendable {
        /// The server's 101 went to the client: time since the client's connect, time the server took of it.
        case open(total: Duration, server: Duration?, peer: String, path: String?)
        /// Not a WebSocket upgrade: relayed as it comes.
        case opaque(String, peer: String)
        /// Faults that touched the request (`f2 drop-auth`), and whether the profile expects the refusal of one of them.
        case refused(status: Int, total: Duration, faults: [String], path: String?, isExpected: Bool)
        /// The session ended before any answer of the server: `upstream refused the connection`.
        case failed(String, peer: String, path: String?)
        case fault(FaultRecord)
        case close(Closing)
        case limit(LimitRecord)
        case violation(Finding)
        /// A live monitor's alert opened, or cleared.
        case alert(AlertChange)
        case toolError(Journaling.LedgerDifference)
        case profileStopped(acted: Int)
        /// The disk failed; what follows is not recorded and the run cannot pass.
        case recordingFailed(String)
        /// Retention deleted an old segment, or could not: one sentence.
        case segmentDeleted(String)
    }

    package struct Closing: Sendable, Equatable {
        /// Close code and who sent it first; nil when the end came without a Close frame.
        package var code: UInt16?
        package var by: Side?
        package var lasted: Duration
        package var messagesToServer: UInt64?
        package var messagesToClient: UInt64?
        package var bytes: UInt64
        package init(
            code: UInt16?, by side: Side?, lasted: Duration, messagesToServer: UInt64?, messagesToClient: UInt64?,
            bytes: UInt64
        ) {
            self.code = code
            self.by = side
            self.lasted = lasted
            self.messagesToServer = messagesToServer
            self.messagesToClient = messagesToClient
            self.bytes = bytes
        }
    }
}
