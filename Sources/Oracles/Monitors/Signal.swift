import Journaling

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
    case asked(ConnectionCard)
    case event(ConnectionCard, EventMark)
    case run(UInt64, ConnectionCard, RunStep)
    /// Something began and did not end.
    case unpaired(ConnectionCard?, String)
    /// A fault of ours acted on what the server said: it said something.
    case touched(ConnectionCard)

    struct EventMark: Sendable, Hashable {
        var isError = false
        var isGreeting = false
        /// `agent_thinking`
        var title: String
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

/// What the `Reader` saw happen in the entry in hand.
struct Pulse: Sendable {
    enum Kind: Sendable {
        case asked
        case event(Signal.EventMark, name: String?)
        case run(UInt64, RunStep)
        /// Nothing that follows on this connection can be judged.
        case obscured
    }
    var session: SessionID
    var kind: Kind
}
