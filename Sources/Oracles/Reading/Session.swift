import Contracts
import Journaling
import Wire

typealias Session = Cell<SessionState>

/// What is known of one connection while it lasts.
struct SessionState: Sendable {
    let id: SessionID
    var loop: UInt16
    var user: Principal
    /// Its beginning is in the journal.
    var isWhole = false
    /// Its frames are written after messages: nothing of them says how the server keeps to the protocol.
    var isMadeUp = false
    /// The opening: request and response heads, for evidence.
    var opening: [Entry] = []
    var path: String?
    /// When the server's answer to the upgrade came, and whether it accepted.
    var answeredAt: Instant?
    var acceptedAt: Instant?
    var isRefused = false
    var isOpaque = false
    /// Its credentials speak for several users.
    var isUnnamed = false
    /// False: the contract does not speak about this path or subprotocol.
    var inScope = true

    var credential: Facts?
    var credentialEntry: Entry?
    /// The credential at Sout is bad (contract.md, semantics 17): nothing is owed here but a refusal.
    var isBad = false
    /// No credential yet, and a message may still bring it.
    var awaitsCredential = false
    var authentication: Pending?
    /// An error event came where one must be followed by a close.
    var authenticationError: Entry?

    var greeting: Pending?
    var isGreeted = false
    /// The event came that ends AUTHENTICATING.
    var isReadied = false
    /// The oldest question of the client whether the server is there.
    var beat: Beat?

    /// Numbers of requests without an outcome, oldest first; and of runs that are not over.
    var open: [UInt64] = []
    var runs: [UInt64] = []
    /// Must-reject requests that are settled or expired: late answers still belong to them.
    var ghosts: [Ghost] = []
    /// The number of the youngest must-reject request here whose error has come.
    var youngestAnswered: (number: UInt64, phrase: String)?
    /// What the last error here was taken to refuse: the server may close behind it.
    struct Refused: Sendable {
        var request: Request
        var at: Instant
    }
    var refused: Refused?
    /// The error after which this connection must still be usable.
    var usable: Usable?

    /// Fault entries that concern this connection, the last few.
    var faults: [Entry] = []
    /// Indices of names that rules of `reject` ask for (`before`, `after`), and that have passed.
    var seen: [Int] = []
    /// It sent or got messages.
    var hasSpoken = false

    /// When the server was not read from, and when it took nothing of what was read.
    var unread = Holds()
    var untaken = Holds()

    /// The client's frames of before the accept, which says what their bits mean.
    var early = EarlyFrames()
    /// It did not wait for the accept (RFC 6455 section 4.1).
    var spokeEarly = false
    /// Since when a Ping of the server waits for its Pong.
    var pingedAt: Instant?
    /// Since when a heartbeat of the server waits for its answer, and when the client asked last.
    var beatAskedAt: Instant?
    var beatSaidAt: Instant?
    var isClosedByClient = false
    /// The server failed it for what a server must take: what was open there went with it.
    var isWronged = false
    var isOver = false
    /// The server's own end of it, until nothing more of it can come.
    struct End: Sendable {
        /// Nil when there was no Close.
        var code: Int?
        var entry: Entry
        var at: Instant
    }
    var ending: End?
    /// The fault that cut it.
    var cutBy: String?
    /// Why nothing that follows here can be judged: something passed that could not be read.
    var obscured: String?

    init(_ id: SessionID, loop: UInt16) {
        self.id = id
        self.loop = loop
        user = .session(id)
    }

    mutating func note(fault: Entry) {
        if faults.count >= 16 { faults.removeFirst() }
        faults.append(fault)
    }

    mutating func haunt(_ ghost: Ghost) {
        if ghosts.count >= 32 { ghosts.remove(at: ghosts.firstIndex(where: \.wasAnswered) ?? 0) }
        ghosts.append(ghost)
    }

    var faultRecords: [FaultRecord] {
        faults.compactMap { if case .fault(let record) = $0.body, record.applied { record } else { nil } }
    }
}

/// What a client said before it was accepted, up to a bound.
struct EarlyFrames: Sendable {
    private static let most = 256
    private static let mostBytes = 1 << 20
    private(set) var frames: [FrameRecord] = []
    private var bytes = 0
    /// More came than is kept.
    private(set) var isFull = false

    mutating func append(_ frame: FrameRecord) {
        bytes += frame.frame.payload.readableBytes
        if frames.count >= Self.most || bytes > Self.mostBytes { isFull = true } else { frames.append(frame) }
    }
}

/// An error came; the connection must go on (E5).
struct Usable: Sendable {
    var error: Entry
    var request: Entry
    var pending: Pending
    /// The refused request's rule allows a close as well.
    var mayClose: Bool
    var line: Line
}

/// A must-reject request whose time is over.
struct Ghost: Sendable {
    var request: Request
    var wasAnswered: Bool
    /// It was left undecided: its answer may still come, and in its turn.
    var isSpared: Bool
}
