import Journaling
import Wire

/// Where a connection stands (incidents.md I5), as its server sees it.
package enum ConnectionState: String, Sendable, Hashable, CaseIterable {
    /// Its client is there, and its request not yet at the server.
    case connecting
    /// The server has the request and has not answered.
    case upgrading
    /// Accepted, and not `ready`, where the contract names an event for that.
    case authenticating
    case open
    /// One of the two has sent its Close.
    case closing
    case closed
}

/// A connection as alerts speak of it.
struct ConnectionCard: Sendable, Hashable {
    var session: SessionID
    /// The principal's name, once it is known.
    var user: String?
    /// Who sent the first Close, or ended it first; nil for a fault, and for miswire itself.
    var leftBy: Side?
}

/// What monitors are told: made once for all of them from entries (`ConnectionWatch`), from what the `Reader` saw (`Pulse`)
/// and from what it settled (`Reading`).
enum Signal: Sendable {
    case moved(ConnectionCard, to: ConnectionState)
    /// The server was asked to accept, and what came of it; what faults or miswire itself had a hand in is left out.
    /// - Parameter crowded: how long the machine had no processor to spare meanwhile, as far as it is known yet.
    case connected(ConnectionCard, took: Duration, crowded: Duration)
    case refused(ConnectionCard, status: Int)
    /// No answer came: `the server reset the connection before it had answered`.
    case unanswered(ConnectionCard, String)
    /// The server's own Close, by its code.
    case closed(ConnectionCard, code: Int)
    /// The connection does not keep to its states.
    case invalid(ConnectionCard, String)
    /// It was up and is over by the server's doing, or by a fault's.
    case lost(ConnectionCard)
    /// A message of the client, and one of the server; heartbeats are none.
    case asked(SessionID)
    case event(SessionID, isError: Bool)
    /// A run by its number: it began, entered a state that must be left within a bound, or one that need not, has another
    /// event, is over. These come for every message: only who tells of a run's connection is given its card.
    case began(UInt64, SessionID)
    case underWay(UInt64, ConnectionCard)
    case rests(UInt64, SessionID)
    case heard(UInt64, SessionID, type: String)
    case over(UInt64, SessionID, RunEnd)
    /// Something began and did not end.
    case unpaired(ConnectionCard?, String)
    /// A fault of ours acted on what the server said: it said something.
    case touched(ConnectionCard)
}

/// Kinds of signals, as a monitor names those that it hears.
struct SignalKinds: OptionSet, Sendable {
    let rawValue: UInt16
    init(rawValue: UInt16) { self.rawValue = rawValue }

    static let moved = SignalKinds(rawValue: 1 << 0)
    static let connected = SignalKinds(rawValue: 1 << 1)
    static let refused = SignalKinds(rawValue: 1 << 2)
    static let unanswered = SignalKinds(rawValue: 1 << 3)
    static let closed = SignalKinds(rawValue: 1 << 4)
    static let invalid = SignalKinds(rawValue: 1 << 5)
    static let lost = SignalKinds(rawValue: 1 << 6)
    static let asked = SignalKinds(rawValue: 1 << 7)
    static let event = SignalKinds(rawValue: 1 << 8)
    static let began = SignalKinds(rawValue: 1 << 9)
    static let underWay = SignalKinds(rawValue: 1 << 10)
    static let rests = SignalKinds(rawValue: 1 << 11)
    static let heard = SignalKinds(rawValue: 1 << 12)
    static let over = SignalKinds(rawValue: 1 << 13)
    static let unpaired = SignalKinds(rawValue: 1 << 14)
    static let touched = SignalKinds(rawValue: 1 << 15)

    /// Of one kind: its place among them.
    var number: Int { rawValue.trailingZeroBitCount }
}

extension Signal {
    var kind: SignalKinds {
        switch self {
        case .moved: .moved
        case .connected: .connected
        case .refused: .refused
        case .unanswered: .unanswered
        case .closed: .closed
        case .invalid: .invalid
        case .lost: .lost
        case .asked: .asked
        case .event: .event
        case .began: .began
        case .underWay: .underWay
        case .rests: .rests
        case .heard: .heard
        case .over: .over
        case .unpaired: .unpaired
        case .touched: .touched
        }
    }
}

/// What became of a run.
enum RunStep: Sendable, Hashable {
    case began
    /// In a state that must be left within a bound, or in one that need not.
    case entered(isBounded: Bool)
    /// Another event of it.
    case heard(String)
    case over(RunEnd)
}

package enum RunEnd: String, Sendable, Hashable {
    case completed
    /// By an error event.
    case failed
    /// The connection went, by the server or by a fault of ours.
    case lost
    /// Its client left, or the server closed well.
    case abandoned
}

/// What the `Reader` saw happen in the entry in hand. There are two for every message: laid out flat, they are copied and
/// forgotten without a look at what they are.
struct Pulse: Sendable {
    enum Kind: Sendable {
        case asked
        /// - Parameter isReady: it is the one that ends `authenticating`.
        case event(isError: Bool, isReady: Bool)
        case run(UInt64, RunStep)
        /// Nothing that follows on this connection can be judged.
        case obscured
    }
    enum What: Sendable {
        case asked
        case event(isError: Bool, isReady: Bool)
        case began
        case entered(isBounded: Bool)
        case heard
        case over(RunEnd)
        case obscured
    }
    var session: SessionID
    var what: What
    /// The run's number, and the event's name when it is heard.
    var run: UInt64 = 0
    var type = ""

    @inline(__always)
    init(_ kind: Kind, _ session: SessionID) {
        self.session = session
        switch kind {
        case .asked: what = .asked
        case .event(let isError, let isReady): what = .event(isError: isError, isReady: isReady)
        case .obscured: what = .obscured
        case .run(let number, .began): (what, run) = (.began, number)
        case .run(let number, .entered(let isBounded)): (what, run) = (.entered(isBounded: isBounded), number)
        case .run(let number, .heard(let word)): (what, run, type) = (.heard, number, word)
        case .run(let number, .over(let end)): (what, run) = (.over(end), number)
        }
    }
}
