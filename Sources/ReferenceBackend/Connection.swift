import Journaling
import Wire

/// One accepted TCP connection as the backend sees it.
struct Connection: Sendable {
    enum Phase: Sendable {
        /// The request head is not whole yet.
        case head
        /// A WebSocket; nobody has said yet whose.
        case authenticating
        case open
        /// B15: upgraded without a valid credential, and never answered.
        case silent
        /// Our Close is sent, the peer's is awaited.
        case closing
        /// Nothing more is said or heard.
        case over
    }

    let openedAt: Instant
    var phase = Phase.head
    var parser = HeadParser(.request)
    var socket = ServerSocket()
    /// Order of upgrades among all connections, from 1; 0 before.
    var ordinal: UInt64 = 0
    /// From the accept to the whole request head.
    var upgradedAfter = Duration.zero
    /// The connection's id, `ws_alice_3_9f86d081`; empty before the upgrade.
    var name = ""
    /// Empty until authenticated.
    var user = ""
    /// Seconds since 1970 at which the credential ends.
    var expires: Int64?
    /// The greeting is owed; `connected` comes before anything else.
    var owesGreeting = false
    /// Ids of the runs under way, in order of start.
    var runs: [String] = []
    /// What B30 repeats.
    var token = ""
    /// What B14 hands on: the last message, and what a former session left.
    var context = ""
    var leftover: Leftover?
    /// Runs begun so far.
    var begun: UInt64 = 0
    /// What waits while the client does not read.
    var outbox = Outbox()
    /// It asked to go on where another connection ended; answered behind the greeting.
    var resume: ResumeWish?

    var isOpen: Bool { phase == .open }
    var speaks: Bool { phase == .open || phase == .authenticating }
    var hasSocket: Bool { phase != .head && phase != .over }
}

/// The context of a session that is over.
struct Leftover: Sendable {
    var user: String
    var text: String
}

/// What a deadline is about.
enum Deadline: Sendable {
    /// The next step of a run.
    case step(run: String)
    /// What a run leaves behind: words held back, a late tool, an end that a cancel may find.
    case aftermath(run: String)
    /// A head must be whole, a Close must be answered, a first message must have authenticated.
    case head(BackendConnectionID)
    case authentication(BackendConnectionID)
    case farewell(BackendConnectionID)
    /// The greeting that did not go with the 101.
    case greeting(BackendConnectionID)
    case expiry(BackendConnectionID)
    /// B29: an error that waits for its time.
    case lateError(BackendConnectionID, JSON)
}
