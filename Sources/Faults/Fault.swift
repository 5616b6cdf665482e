package import Journaling
package import NIOCore
package import Wire

/// One way to misbehave. A fault owns no chance, direction, clock or socket: who, when and how often is the `Trigger`'s
/// business, time is a value in an `Effect`, and randomness comes in as `Dice`.
package protocol Fault: Sendable {
    /// The word used in profiles: `drop-auth`.
    static var name: String { get }
    static var group: FaultGroup { get }
    static var summary: String { get }
    /// What it may excuse, for people: `E1, D1 of that message`. The entry's own word is `influence`.
    static var excuse: String { get }
    /// What kinds of parcel it can act on; the session machine lifts only those.
    static var acts: [ParcelKind] { get }
    /// Units, ranges, defaults and docs; feeds parsing with places, `miswire faults` and the JSON Schema.
    static var parameters: [Parameter] { get }
    init(_ settings: Settings) throws(SettingsError)
    /// The part of `acts` that these settings leave.
    var selects: [ParcelKind] { get }
    /// What no other fault meets where this one acts: it never comes to be, or, of what it selects itself, nothing is left.
    var forecloses: [ParcelKind] { get }
    /// Its messages may travel on other sessions, so that these must be ready to take them.
    var crosses: Bool { get }
    /// It must see the messages that it is not chosen for too: `saw` is called for each of its directions.
    var remembers: Bool { get }
    /// Frames with this opcode, which belong to no message, are what it acts on; nil = messages, unless its rule names one.
    var control: Opcode? { get }
    /// Users whose credentials it may take to another of them.
    var borrows: [String] { get }
    /// What it does together with other sessions, or opens beside its own, for which these must be ready.
    var joins: [Joining] { get }
    /// What it may excuse (oracle.md), copied into its entries.
    var influence: Influence { get }
    mutating func act(on parcel: Parcel, in scene: Scene, dice: inout Dice) -> Action
    /// A message passed, whether this fault acted on it or not; as it came.
    mutating func saw(_ message: Message, at now: Instant)
}

extension Fault {
    package var selects: [ParcelKind] { Self.acts }
    /// It takes a direction's bytes in hand, whatever messages they are.
    package static var actsOnBytes: Bool { acts.contains(.bytesToServer) || acts.contains(.bytesToClient) }
    package var forecloses: [ParcelKind] { [] }
    package var crosses: Bool { false }
    package var remembers: Bool { false }
    package mutating func saw(_ message: Message, at now: Instant) {}
    package var borrows: [String] { [] }
    package var joins: [Joining] { [] }
    package var control: Opcode? { nil }
}

/// How a fault reaches beyond its own session.
package enum Joining: Sendable, Hashable {
    /// It opens connections like this one: the head, and what the client says, are kept for them.
    case visits
    /// It waits for who else is connected.
    case presence
    /// It waits for runs of others.
    case runs
    /// What it began in one session goes on in all that its rule concerns.
    case storms
    /// It goes by what the user said and was told on the connection before.
    case past
}

/// The headings of faults.md's catalogue.
package enum FaultGroup: String, Sendable, Hashable, CaseIterable {
    case handshake, transport, frame, message, session, tls
}

package enum ParcelKind: Sendable, Hashable, CaseIterable {
    case accept, requestHead, responseHead, messageToServer, messageToClient
    /// All bytes of one direction, heads included, once for a session.
    case bytesToServer, bytesToClient

    /// Where a fault that acts on such a parcel acts.
    package var tap: Tap {
        switch self {
        case .accept: .clientIn
        case .requestHead, .messageToServer, .bytesToServer: .serverOut
        case .responseHead, .messageToClient, .bytesToClient: .clientOut
        }
    }
}

/// One thing on its way that a fault may act on.
package enum Parcel: Sendable, Equatable {
    /// The client's transport was accepted; nothing was read yet.
    case accept
    case requestHead(UpgradeHead)
    case responseHead(UpgradeHead)
    case message(Message)
    /// What goes this way from now on. A fault answers once, with how it is to go on.
    case stream(Direction)
}

/// An opening head as a value that a fault may edit; `bytes` is what goes on the wire.
package struct UpgradeHead: Sendable, Equatable {
    /// Bytes of ours that go out right behind the head.
    package enum Tail: Sendable, Equatable {
        /// No frame: what a 101 must not have behind it.
        case body(ByteBuffer)
        /// Whole frames.
        case frames(ByteBuffer)
    }
    package var bytes: ByteBuffer
    package var tail: Tail?
    package init(bytes: ByteBuffer, tail: Tail? = nil) {
        self.bytes = bytes
        self.tail = tail
    }
}

/// A whole message, lifted: joined, inflated, unmasked.
package struct Message: Sendable, Equatable {
    package var direction: Direction
    package var opcode: Opcode
    package var payload: ByteBuffer
    /// From 1 in its session and direction, data messages only.
    package var ordinal: UInt32
    /// The entry that stands for its last frame; ordinal 0 when it did not arrive in this session, or nobody knows.
    package var entry: EntryRef
    /// False while the frames still are the very ones received; the machine then forwards those bytes.
    package var changed: Bool
    /// It came compressed, and goes on so.
    package var isCompressed = false
    /// The frames it came in, joined, for faults that write frames; nil when it does not go on in these anyway.
    package var wire: ByteBuffer?
    package init(
        direction: Direction, opcode: Opcode, payload: ByteBuffer, ordinal: UInt32, entry: EntryRef,
        changed: Bool = false
    ) {
        self.direction = direction
        self.opcode = opcode
        self.payload = payload
        self.ordinal = ordinal
        self.entry = entry
        self.changed = changed
    }
}

package enum Action: Sendable, Equatable {
    case pass
    /// The parcel is replaced by these effects, in order. `detail` is one phrase for the fault's entry.
    case effects([Effect], detail: String)
    /// The fault was chosen and cannot act here (no JSON, no credential): an entry `not applied`, the parcel passes.
    case notApplied(String)
}

/// The closed list of powers. Times are values, never sleeps. An empty list swallows the parcel.
package enum Effect: Sendable, Equatable {
    /// Goes on its way, now or at that instant; what is behind it in the same direction waits.
    case forward(Parcel, at: Instant?)
    /// Leaves its place: it goes when so many later messages of its direction have come, or at that instant, or before the
    /// direction ends. Nothing behind it waits.
    case forwardLater(Parcel, behind: Int, until: Instant)
    /// The message goes as these, each told as one frame whatever its header says. A compressed one whose `changed` is
    /// false still is the next of its compression context.
    case frames([ByteBuffer], of: Message, at: Instant?)
    /// A message of ours goes in between two others, in its own direction.
    case insert(Message)
    /// Only the first part of its bytes goes out, for a cut in the middle of a message. Share from 0 to 1.
    case forwardPart(Parcel, share: Double)
    /// The parcel travels on another session.
    case send(Parcel, to: SessionSelector)
    /// An HTTP answer of our own to the client, then the end. Without a body its reason is said in one line.
    case respond(status: Int, reason: String, headers: [(String, String)], body: String?)
    /// The client is accepted at once, by this 101 of ours; the server's own answer is kept back when it comes.
    case accept(UpgradeHead)
    /// What waits in this direction leaves together as soon as enough frames wait with it.
    case gather(Gathering)
    case pauseReads(Direction, until: Instant)
    /// Everything that goes this way goes through the shaper from now on, behind those of the rules before.
    case shape(any Shaper)
    case halfClose(Side)
    /// What this side's TLS is to be like, decided at the accept.
    case tls(Side, TLSOrders)
    /// From here on an end of that side comes without TLS's close_notify.
    case unannounced(Side)
    case cut(Side, CutStyle)
    /// That side is left alone on a transport that stays: nothing goes to it, not even an end; what it says is thrown away,
    /// or not even read. After that long it is ended, whatever became of the other side.
    case abandon(Side, reads: Bool, hold: Duration)
    /// One more connection to the server, as the session's own user (`Visit`).
    case connect(ConnectRequest)
    /// The parcel waits for what other sessions do, at most so long; what is behind it waits too. Of a message in fragments
    /// only the last waits.
    case wait(Parcel, Waiting)
    /// The connections of everybody whom the rule concerns are cut again and again.
    case storm(Storm)

    package static func == (lhs: Effect, rhs: Effect) -> Bool { "\(lhs)" == "\(rhs)" }
}

/// How a head and the frames behind it leave.
package struct Gathering: Sendable, Hashable {
    /// So many frames release what waits, before its time.
    package var frames: Int
    /// Nil: in one write. Else a byte at a time, that long apart.
    package var gap: Duration?
    /// Bytes that go one at a time; what is behind them goes as it is.
    package var bytes: Int
    package init(frames: Int, gap: Duration? = nil, bytes: Int = 0) {
        self.frames = frames
        self.gap = gap
        self.bytes = bytes
    }
}

package enum CutStyle: String, Sendable, Hashable, CaseIterable {
    case reset
    /// FIN without a Close frame.
    case half
    /// Nothing is sent any more and nothing is read; the transport stays.
    case silent
}

/// Names the session a crossing goes to, by user label: the live set of sessions is not known here.
package struct SessionSelector: Sendable, Hashable {
    package enum Partner: Sendable, Hashable {
        case user(String)
        /// One certain session: what comes back in an exchange.
        case session(SessionID)
        /// Any other live user, chosen by this draw (rendezvous hashing over labels, so that arrival order is no input).
        case other(draw: UInt64)
    }
    package var partner: Partner
    /// Swap: the partner's next message of this direction comes back in exchange.
    package var exchange: Bool
    /// The profile names both users, so that even a message with a credential may travel (trust.md T26).
    package var namesBoth: Bool
    package init(_ partner: Partner, exchange: Bool, namesBoth: Bool = false) {
        self.partner = partner
        self.exchange = exchange
        self.namesBoth = namesBoth
    }
}

/// A snapshot of the fault's own session.
package struct Scene: Sendable, Equatable {
    package var session: SessionID
    package var user: String?
    package var path: String
    package var now: Instant
    package var accepted: Bool
    /// Credentials found in the request head or message that is acted on, in the contract's order of places; else empty.
    package var credentials: [FoundSecret]
    /// Credentials of users who are connected and whom the fault named in `borrows`.
    package var loans: [Loan] = []
    /// What the contract says that credentials are signed with.
    package var signingKey: [UInt8]?
    /// Which hops speak TLS.
    package var hops = TLSHops()
    /// What this rule began in some session is not over yet.
    package var isStorming = false
    /// The user's connection before this one, oldest first, and what some other user said and was told.
    package var past: [PastMessage] = []
    package var pastOfOther: [PastMessage] = []
    /// What the contract calls the message that is acted on; nil without one.
    package var request: String?
    package init(
        session: SessionID, user: String?, path: String, now: Instant, accepted: Bool,
        credentials: [FoundSecret] = []
    ) {
        self.session = session
        self.user = user
        self.path = path
        self.now = now
        self.accepted = accepted
        self.credentials = credentials
    }
}
