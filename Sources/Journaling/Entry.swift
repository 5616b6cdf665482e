package import NIOCore
package import Wire

/// One thing that happened at the proxy, faults included. Faults write entries, oracles read them, and nothing else
/// connects the two. What is here is redacted already and is exactly what a recording holds: live and offline readers
/// get equal values. Order is (instant, loop, sequence).
package struct Entry: Sendable, Equatable {
    /// Position in the merged order, from 1; what evidence calls `#4414`. 0 before the merge.
    package var number: UInt64
    package var instant: Instant
    package var loop: UInt16
    package var sequence: UInt64
    /// Nil for what concerns the whole proxy (ticks, profile changes, notes).
    package var ref: EntryRef?
    package var body: Body

    package init(
        number: UInt64 = 0, instant: Instant, loop: UInt16, sequence: UInt64, ref: EntryRef?, body: Body
    ) {
        self.number = number
        self.instant = instant
        self.loop = loop
        self.sequence = sequence
        self.ref = ref
        self.body = body
    }

    package var session: SessionID? { ref?.session }

    /// Behind one reference: an entry is kept and handed on many times, and a frame is large.
    package indirect enum Body: Sendable, Equatable {
        /// A session began: the client's transport was accepted.
        case opened(Opened)
        /// An opening head, request (`toServer`) or response (`toClient`).
        case head(HeadRecord)
        /// Facts derived from what redaction hides, at one tap of the request head or of a later message.
        case facts(Facts)
        /// The session's kind is decided: `accepted` (WebSocket), `refused` or `opaque`.
        case became(Became)
        case frame(FrameRecord)
        /// Bytes that are no frame: opaque relay, illegal framing, or pieces of a frame too large to lift.
        case bytes(BytesRecord)
        case fault(FaultRecord)
        case limit(LimitRecord)
        /// One side of the session is not read from, or is again.
        case hold(HoldRecord)
        /// A frame that left re-encoded though no fault changed its content (deflate context after a rewrite).
        case recoded(Recoded)
        case ended(EndRecord)
        /// The session is over: what the sockets themselves counted, compared with the ledger (exit 5 when unequal).
        case closed(Totals)
        case note(String)
        /// What whoever started or watches the target knows of it and no connection tells.
        case target(TargetRecord)
        /// Published by an idle loop: nothing earlier than this instant will come from it.
        /// - Parameter crowded: nanoseconds since its last tick in which something on the machine that we share with the
        ///   server was ready to run and waited for a processor; 0 when the server is elsewhere.
        case tick(crowded: UInt64)

        package var isTick: Bool { if case .tick = self { true } else { false } }
        /// A frame that is no control frame (RFC 6455 section 5.5). Asked of the byte itself: whatever is called for it is given
        /// a copy of the frame, and that is large.
        package var isOfMessage: Bool { if case .frame(let frame) = self { frame.frame.firstByte & 0x08 == 0 } else { false } }
    }
}

/// Where and when something passed. `toServer`: `in` is Cin and `out` is Sout; `toClient`: Sin and Cout.
package struct Passage: Sendable, Hashable {
    package var direction: Direction
    package var `in`: Instant?
    package var out: Instant?
    package init(_ direction: Direction, in arrival: Instant?, out departure: Instant?) {
        self.direction = direction
        self.in = arrival
        self.out = departure
    }

    package func instant(at tap: Tap) -> Instant? {
        switch (tap, direction) {
        case (.clientIn, .toServer), (.serverIn, .toClient): self.in
        case (.serverOut, .toServer), (.clientOut, .toClient): out
        default: nil
        }
    }
    /// The server ledger's instant: Sout for requests, Sin for events.
    package var atServer: Instant? { direction == .toServer ? out : self.in }
    /// The client ledger's instant: Cin for requests, Cout for events.
    package var atClient: Instant? { direction == .toServer ? self.in : out }
}

/// What a forwarded thing came from, and which faults made it what it is. Empty for what passed unchanged.
package struct Provenance: Sendable, Hashable {
    package var source: EntryRef?
    /// Ids of the profile's faults, in the order in which they acted.
    package var faults: [String]
    package init(source: EntryRef? = nil, faults: [String] = []) {
        self.source = source
        self.faults = faults
    }
    package static let none = Provenance()
}

/// A head, byte for byte outside redacted spans, with the empty line that ends it.
package struct HeadRecord: Sendable, Hashable {
    package var passage: Passage
    package var bytes: ByteBuffer
    package var provenance: Provenance
    /// Bytes it took on the wire; `bytes` are others where a secret was cut out.
    package var wireSize: UInt64
    package init(passage: Passage, bytes: ByteBuffer, provenance: Provenance = .none, wireSize: UInt64? = nil) {
        self.passage = passage
        self.bytes = bytes
        self.provenance = provenance
        self.wireSize = wireSize ?? UInt64(clamping: bytes.readableBytes)
    }
}

/// What the redacted credential told, so that no property ever needs the secret itself (captures.md).
package struct Facts: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Signature checked with the contract's key, in date.
        case intact
        /// There, but nothing allows to judge it.
        case unknown
        case absent, corrupt, forged, expired
        /// There are several, and they differ in their user or in whether they are good: only the server knows which
        /// counts.
        case ambiguous
    }
    /// Cin: what the client sent. Sout: what the server was given. Sin: a credential that the server put into the message,
    /// answer or close before this; `place` says where, `tag` which, and nothing else is told.
    package var tap: Tap
    /// The principal's name, when the contract says where it stands.
    package var user: String?
    /// Whom else the server may take for it: what other credentials, or other values of the same place, name.
    package var rivals: [String]
    /// The contract's words for the place where the credential was: `header authorization`.
    package var place: String?
    package var state: State
    /// Seconds since 1970 of the JWT's `exp`.
    package var expires: Int64?
    /// How long that is from this entry on, by miswire's wall clock when the entry was written; nil where none was read.
    package var lasts: Duration?
    /// The keyed tag that stands in the recording for the credential: `jwt:a1`.
    package var tag: String?
    /// Fault ids that made this credential what it is at Sout.
    package var faults: [String]
    /// It is at least 16 bytes long and nothing that anybody says by chance, so that content which holds it discloses it.
    package var isSecret: Bool
    package init(
        tap: Tap, user: String?, rivals: [String] = [], place: String?, state: State, expires: Int64? = nil,
        lasts: Duration? = nil, tag: String? = nil, faults: [String] = [], isSecret: Bool = false
    ) {
        self.tap = tap
        self.user = user
        self.rivals = rivals
        self.place = place
        self.state = state
        self.expires = expires
        self.lasts = lasts
        self.tag = tag
        self.faults = faults
        self.isSecret = isSecret
    }
}

package enum Became: Sendable, Hashable {
    /// The server accepted the upgrade (HTTP/1.1: its 101). Carries what was negotiated.
    case accepted(subprotocol: String?, deflate: Bool)
    /// The server answered the upgrade with another status.
    case refused(status: Int)
    /// No WebSocket upgrade: bytes are relayed as they come. The reason is one sentence.
    case opaque(String)
}

package struct BytesRecord: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case opaque, illegal, oversize
        /// Before any head was complete: what came first from this side.
        case preamble
        /// The beginning of a frame whose end never came.
        case partial
        /// Bytes that an imported capture does not hold; their number is `wireSize`, 0 when nobody knows it. What follows
        /// them in this direction cannot be told apart any more.
        case missing
    }
    package var passage: Passage
    package var kind: Kind
    package var bytes: ByteBuffer
    package var provenance: Provenance
    /// Bytes it took on the wire; `bytes` are others (or none) where a recording must not hold them.
    package var wireSize: UInt64
    package init(
        passage: Passage, kind: Kind, bytes: ByteBuffer, provenance: Provenance = .none, wireSize: UInt64? = nil
    ) {
        self.wireSize = wireSize ?? UInt64(clamping: bytes.readableBytes)
        self.passage = passage
        self.kind = kind
        self.bytes = bytes
        self.provenance = provenance
    }
}

/// A fault acted, or would have acted and could not.
package struct FaultRecord: Sendable, Hashable {
    /// The profile's id for it: `f1`.
    package var id: String
    /// The kind: `accept-delay`.
    package var kind: String
    package var influence: Influence
    /// The tap where it acted.
    package var tap: Tap
    /// What it acted on, when that is an entry.
    package var on: EntryRef?
    /// One phrase for people: `101 held 400 ms`.
    package var detail: String
    /// False: `not applied` (partner missing, not liftable); the decision stands all the same.
    package var applied: Bool
    /// How long it held something, for exact credit to deadlines.
    package var held: Duration
    /// Crossings: the user whose session gets it.
    package var partner: String?
    /// What the profile says that the far side does about it.
    package var expect: Expectation?
    package init(
        id: String, kind: String, influence: Influence, tap: Tap, on: EntryRef?, detail: String, applied: Bool = true,
        held: Duration = .zero, partner: String? = nil, expect: Expectation? = nil
    ) {
        self.id = id
        self.kind = kind
        self.influence = influence
        self.tap = tap
        self.on = on
        self.detail = detail
        self.applied = applied
        self.held = held
        self.partner = partner
        self.expect = expect
    }
}

/// What a fault may excuse (oracle.md, "Which fault excuses what"), copied into its entries.
package struct Influence: Sendable, Hashable {
    package enum Reach: String, Sendable, Hashable, CaseIterable {
        /// This message and the request, answer or run it belongs to.
        case message
        /// The connection until its 101 is released.
        case handshake
        /// Everything later on this connection.
        case connection
        /// Operations open when it acted.
        case openOperations
    }
    package enum Excuse: String, Sendable, Hashable, CaseIterable {
        case greetingDeadline, success, routing, completion, delivery, deadline, ending
    }
    package var reach: Reach
    package var excuses: [Excuse]
    package init(_ reach: Reach, _ excuses: [Excuse]) {
        self.reach = reach
        self.excuses = excuses
    }
}

/// A limit of ours bit (trust.md section 3): never to be mistaken for a fault or a defect of the target.
package struct LimitRecord: Sendable, Hashable {
    /// `L4`
    package var id: String
    package var detail: String
    package var direction: Direction?
    package init(id: String, detail: String, direction: Direction? = nil) {
        self.id = id
        self.detail = detail
        self.direction = direction
    }
}

/// Reading one side stops here or goes on: what that side sends meanwhile lies where no tap sees it, and none of it may
/// be taken for unsent. A session's holds of one side alternate: begun, released, begun.
package struct HoldRecord: Sendable, Hashable {
    package enum Cause: String, Sendable, Hashable, CaseIterable {
        /// The other side takes no more for now (trust.md L9).
        case full
        /// The upstream is not there yet, and enough waits for it.
        case dialling
        /// A fault asked for it.
        case fault
        /// The recorder is behind (trust.md L11).
        case recorder
    }
    /// The side that is not read from.
    package var side: Side
    /// False: it is read from again.
    package var isHeld: Bool
    /// What began it, or what ended last.
    package var cause: Cause
    package init(side: Side, isHeld: Bool, cause: Cause) {
        self.side = side
        self.isHeld = isHeld
        self.cause = cause
    }
}

package struct Recoded: Sendable, Hashable {
    package var on: EntryRef
    package var reason: String
    package init(on: EntryRef, reason: String) {
        self.on = on
        self.reason = reason
    }
}

package enum EndStyle: String, Sendable, Hashable, CaseIterable {
    /// FIN: an orderly half-close.
    case finish
    /// RST, or an error of the socket.
    case reset
}

/// A transport of the session ended.
package struct EndRecord: Sendable, Hashable {
    package var side: Side
    package var style: EndStyle
    /// Who ended it: the peer, a fault (id in `cause`), or ourselves (limit, drain).
    package var by: By
    package var cause: String
    /// Bytes taken from the other side that this side never got.
    package var undelivered: UInt64
    package enum By: String, Sendable, Hashable, CaseIterable { case peer, fault, tool }
    package init(side: Side, style: EndStyle, by: By, cause: String = "", undelivered: UInt64 = 0) {
        self.side = side
        self.style = style
        self.by = by
        self.cause = cause
        self.undelivered = undelivered
    }
}

/// Byte counts taken at the sockets, independently of the session machine.
package struct Totals: Sendable, Hashable {
    package var clientIn: UInt64
    package var clientOut: UInt64
    package var serverIn: UInt64
    package var serverOut: UInt64
    package init(clientIn: UInt64, clientOut: UInt64, serverIn: UInt64, serverOut: UInt64) {
        self.clientIn = clientIn
        self.clientOut = clientOut
        self.serverIn = serverIn
        self.serverOut = serverOut
    }
}
