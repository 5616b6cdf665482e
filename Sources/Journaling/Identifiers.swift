/// One proxied connection's number in a recording: `s31`. A session is not a transport: HTTP/2 carries several on one.
package struct SessionID: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var value: UInt32
    package init(_ value: UInt32) { self.value = value }
    package var description: String { "s\(value)" }
    package static func < (lhs: SessionID, rhs: SessionID) -> Bool { lhs.value < rhs.value }
}

/// One byte transport (TCP connection) from a client; number in a recording: `t7`.
package struct TransportID: Sendable, Hashable, Codable, CustomStringConvertible {
    package var value: UInt32
    package init(_ value: UInt32) { self.value = value }
    package var description: String { "t\(value)" }
}

/// Names an entry for ever: its session and its ordinal there, given by the session machine from 1 upwards. Entries
/// that the transcriber derives (facts, pieces of a frame too large to keep) belong to a session and bear ordinal 0.
package struct EntryRef: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    package var session: SessionID
    package var ordinal: UInt32
    package init(session: SessionID, ordinal: UInt32) {
        self.session = session
        self.ordinal = ordinal
    }
    package var description: String { "\(session).\(ordinal)" }
    package static func < (lhs: EntryRef, rhs: EntryRef) -> Bool {
        (lhs.session, lhs.ordinal) < (rhs.session, rhs.ordinal)
    }
}

/// The four places where the proxy sees a message (oracle.md, "Ledger").
package enum Tap: String, Sendable, Hashable, CaseIterable, Codable {
    case clientIn = "Cin"
    case serverOut = "Sout"
    case serverIn = "Sin"
    case clientOut = "Cout"
}
