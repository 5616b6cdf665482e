import Contracts
import Journaling
import NIOCore
import Wire

/// Decodes, labels and links each message once for all properties, from the server ledger only: requests as they left
/// at Sout, events as they arrived at Sin (contract.md, "Semantics"). What it cannot tell it leaves open: a link that
/// is not unique condemns nobody.
///
/// What a `mutating` method asks for each message is inlined: a method that only looks is given a copy of all three kilobytes of
/// a reader by it (Swift 6.3.1).
struct Reader: Sendable {
    /// Bounds of memory; beyond them the oldest is given up as undecided, with a note.
    struct Capacity: Sendable {
        var requests = 65_536
        var requestBytes = 64 << 20
        var runs = 65_536
        var names = 262_144
        var perSession = 4_096
        var leftovers = 1_024
        var streams = 65_536
    }

    let contract: Terms?
    /// What the journal may lack from the start; what it is seen to lack stands in `holes`.
    let absence: Absence
    let recognizer: Recognizer?
    let labeler: Labeler?
    /// Link paths, and paths of an error's context, that requests declare.
    let linked: DeclaredPaths?
    /// Messages that rules of `reject` ask for, and whether any asks for runs.
    let watched: [MessageName]
    let asksRuns: Bool
    let repeated: DeclaredPaths?
    let capacity: Capacity
    /// Where events say in which stream they are counted; empty = each user has one.
    let countedBy: [Path]

    /// What the entry in hand, or time, brought; taken by `drain`.
    var readings: [Reading] = []
    var notes: [String] = []
    /// What monitors are to know; taken with the readings.
    var pulses: [Pulse] = []

    var sessions = SessionMap<Session>()
    /// Live sessions of each principal, in order of arrival.
    var members = Company()
    /// Users of whom an operation was lost with its connection, and until when it may still go on: what comes for them
    /// unasked until then proves nothing.
    var bereaved: Fading<Principal, Bereavement>
    /// Users of whom a connection went with unread words of the server on it, and when.
    var unheard: Fading<Principal, Instant>
    /// Users of whom something came that was asked for on no connection here, and since when.
    var unseen: Fading<Principal, Instant>
    var holes = Holes()
    var aliases: Aliases
    var copies: Copies
    var requests = NumberMap<UInt64, Request>()
    var requestBytes = 0
    /// Open requests whose label depends on a state.
    var statefulLabels = 0
    var lastRequest: UInt64 = 0
    var runs = NumberMap<UInt64, Run>()
    var runsByKey = KeyedRuns()
    var lastRun: UInt64 = 0
    var lastPart: UInt64 = 0
    var partsKept = 0
    var tombs: Fading<RunKey, Tomb>
    var lastWords = LastWords()
    var identifiers: Identifiers
    var bindings: Bindings
    var memberships: Memberships
    /// Somebody who is gone said what nobody could read.
    var hasLostWords = false
    var canaries: Canaries
    /// In place of canaries where there are none.
    var learnt: LearntWords
    var leftovers: [Leftover] = []
    /// What each frame changes stands here: a session is large, and would be copied for it, with all that it has said.
    var said = SessionMap<Said>()
    /// Of the client's frames, as they left for the server; none before the accept.
    var legalities = SessionMap<FrameLegality>()
    /// The server as a WebSocket peer; none before the accept, and when nothing can be told of it any more.
    var conducts = SessionMap<Cell<Conduct>>()
    /// What a client sent with or behind an illegal frame, and nowhere else.
    var behind: [Canary: SessionID] = [:]
    var answered = Answered()
    /// Credentials that end while their connections last.
    var expiries = SessionMap<Expiry>()
    /// Requests with encoded line ends, until they are answered.
    var injections = SessionMap<Injection>()
    /// Reactions that the server owes as a WebSocket peer.
    var reactions = SessionMap<Cell<Reactions>>()
    /// Readings of the end that no waiting would change.
    var lasting = 0
    /// Four times what answers took before there were faults: no bound is shorter.
    var leastBound: Duration = .zero
    /// The target as a process, and its sentinel.
    var targetWatch = TargetWatch()
    var deadlines = Deadlines()
    var starvation = Starvation()
    /// Whose the credentials are, and what the server said last.
    var disclosing = Disclosing()
    /// What profiles expect, and is not settled.
    var stated = StatedBook()
    /// Numbered events, and what clients and the server said of going on.
    var streams: Streams
    /// The names that the last event of each connection bore.
    var namings = SessionMap<Terms.EventNaming>()
    var resumptions = SessionMap<Resumption>()
    var signals = SessionMap<Signals>()
    /// Connections whose client asked to hear again what was said there.
    var reheard: Set<SessionID> = []
    /// Connections on which something of the server could not be read.
    var blind: Set<SessionID> = []
    /// When a user's latest connection was over.
    var departed: Fading<Principal, Instant>
    /// Single events by their name, and where they came first.
    var deliveredNames: Fading<StreamKey, SessionID>
    var finished: Finished
    var passed = LatelyPassed()
    /// How each message was read, and the entries of open requests; nil and empty unless somebody asked.
    var readout: [MessageReading]?
    var standings: [UInt64: UInt64] = [:]

    var sessionCount = 0
    var faultsActed = 0
    var errorsDelivered: Set<String> = []

    init(_ contract: Contract?, absence: Absence = [], capacity: Capacity = Capacity()) {
        let terms = contract.map(Terms.init)
        self.contract = terms
        self.absence = absence
        self.capacity = capacity
        let per = contract?.delivery?.sequence?.per
        countedBy = contract?.identity.ids.first { $0.name == per }?.at ?? []
        recognizer = terms?.recognizer
        labeler = contract.map(Labeler.init)
        linked = contract.map { DeclaredPaths($0.link.map(\.request), of: $0) }
        let stateful = contract?.reject ?? []
        watched = stateful.flatMap { [$0.before, $0.after].compactMap { $0 } }
        asksRuns = stateful.contains { $0.run != nil }
        repeated = contract.map { DeclaredPaths($0.errors?.context ?? [], of: $0) }
        bereaved = Fading(capacity: capacity.names)
        unheard = Fading(capacity: capacity.names)
        unseen = Fading(capacity: capacity.names)
        aliases = Aliases(capacity: capacity.names)
        copies = Copies(capacity: 1_024, volatile: contract?.volatile ?? [])
        tombs = Fading(capacity: capacity.names)
        streams = Streams(capacity: capacity.streams)
        departed = Fading(capacity: capacity.names)
        deliveredNames = Fading(capacity: capacity.names)
        finished = Finished(capacity: capacity.streams)
        identifiers = Identifiers(contract?.identity.ids ?? [], capacity: capacity.names)
        bindings = Bindings(contract?.identity.ids ?? [], capacity: capacity.names)
        memberships = Memberships(contract, capacity: capacity.names)
        canaries = Canaries(capacity: capacity.names)
        learnt = LearntWords(capacity: capacity.perSession * 4)
    }

    mutating func drain() -> [Reading] {
        defer { readings.removeAll(keepingCapacity: true) }
        return readings
    }

    /// Deadlines due before this instant fire before the entry is read; a message at the due instant is in time
    /// (semantics 1).
    static func horizon(of entry: Entry) -> Instant {
        min(entry.instant, serverInstant(of: entry) ?? entry.instant)
    }

    mutating func read(_ entry: Entry) {
        starvation.observe(entry)
        if case .target(let record) = entry.body { return readTarget(record, entry) }
        weigh(entry)
        guard let id = entry.session else { return }
        if sessions[id] == nil { begin(id, entry) }
        switch entry.body {
        case .head(let head):
            readHead(head, entry, id)
            noteForDisclosures(entry)
        case .facts(let facts): readFacts(facts, entry, id)
        case .became(let became): readBecame(became, entry, id)
        case .frame(let frame):
            readFrame(frame, entry, id)
            if frame.passage.direction == .toClient { noteForDisclosures(entry) }
        case .bytes(let bytes):
            readBytes(bytes, entry, id)
            noteForDisclosures(entry)
        case .fault(let fault):
            readFault(fault, entry, id)
            if !stated.isEmpty { followStated(entry, id) }
            return state(fault, entry, id)
        case .ended(let end): readEnd(end, entry, id)
        case .closed:
            if !stated.isEmpty { followStated(entry, id) }
            return finish(id, at: entry.instant)
        case .opened(let opened):
            sessions[id]?.isWhole = true
            sessions[id]?.isMadeUp = opened.isMadeUp
        case .hold(let hold): readHold(hold, entry, id)
        case .limit, .recoded, .note, .target, .tick: break
        }
        if !stated.isEmpty { followStated(entry, id) }
        if case .frame(let frame) = entry.body, frame.passage.out != nil, let ref = entry.ref { passed.note(ref) }
    }

    private static func serverInstant(of entry: Entry) -> Instant? {
        switch entry.body {
        case .frame(let frame): frame.passage.atServer
        case .head(let head): head.passage.atServer
        case .bytes(let bytes): bytes.passage.atServer
        default: nil
        }
    }

    private mutating func begin(_ id: SessionID, _ entry: Entry) {
        if case .closed = entry.body { return }
        let session = Session(SessionState(id, loop: entry.loop))
        sessionCount += 1
        members.add(id, to: session.user)
        sessions[id] = session
        said[id] = Said()
    }

    /// A bound that starts to run now on that session's loop.
    func pending(_ bound: Duration, since: Instant, loop: UInt16) -> Pending {
        Pending(since: since, bound: max(bound, leastBound), mark: starvation.mark(loop, at: since))
    }

    mutating func note(_ text: String) {
        if notes.count < 100, !notes.contains(text) { notes.append(text) }
    }
}
