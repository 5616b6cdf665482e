package import Journaling
package import NIOCore
package import Wire

/// What two sides said to each other in one session, faults and framing left aside: the form in which a recording and
/// its replay are compared.
package struct Talk: Sendable {
    package enum Answer: Sendable, Equatable {
        /// The upgrade was not answered.
        case none
        case accepted(subprotocol: String?)
        case refused(Int)
    }
    package struct Closing: Sendable, Equatable {
        package var at: Instant
        /// Nil when it carries none.
        package var code: UInt16?
        package var reason: String
        /// The other side had not closed before.
        package var isFirst: Bool
        package init(at: Instant, code: UInt16?, reason: String, isFirst: Bool) {
            self.at = at
            self.code = code
            self.reason = reason
            self.isFirst = isFirst
        }
    }

    package let session: SessionID
    /// The principal, when it is known.
    package var user: String?
    /// Without the query.
    package var path = "/"
    package var opened: Instant
    package var ended: Instant
    package var answer = Answer.none
    package var answeredAt: Instant?
    /// The server's answer to the upgrade, byte for byte outside of secrets.
    package var response: ByteBuffer?
    package var requests: [Said] = []
    package var answers: [Said] = []
    package var clientClose: Closing?
    package var serverClose: Closing?
    /// The server ended the transport while it was open and without a Close.
    package var isDropped = false
    /// From here on a part of what that direction carried is missing, and nothing behind it is known.
    package var tornToServer: Instant?
    package var tornToClient: Instant?
    package var isTorn: Bool { tornToServer != nil || tornToClient != nil }

    package init(session: SessionID, opened: Instant) {
        self.session = session
        self.opened = opened
        ended = opened
    }
}

/// One whole message.
package struct Said: Sendable {
    /// Among the messages of its direction in its session, from 1.
    package var number: Int
    package var at: Instant
    /// Position in what was read, for messages of one instant.
    package var order: Int
    package var opcode: Opcode
    /// Nil when the recording does not hold it.
    package var payload: ByteBuffer?
    package var value: JSON?
    /// What the contract, or else the member `type`, calls it.
    package var name: String?
    /// The entry that holds it.
    package var ref: EntryRef?

    package init(
        number: Int, at: Instant, order: Int, opcode: Opcode, payload: ByteBuffer?, value: JSON?, name: String?,
        ref: EntryRef? = nil
    ) {
        self.number = number
        self.at = at
        self.order = order
        self.opcode = opcode
        self.payload = payload
        self.value = value
        self.name = name
        self.ref = ref
    }

    /// For people: its name, else what it is.
    package var title: String { name ?? (value == nil ? (opcode == .binary ? "binary message" : "text") : "message") }
}
