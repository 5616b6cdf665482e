package import Wire

/// A difference between the two sides of the proxy that no fault, limit, re-encoding or transport end explains: a tool
/// error, exit 5 (oracle.md, "Ledger").
package struct LedgerDifference: Sendable, Hashable {
    package var session: SessionID
    package var direction: Direction
    /// The entry without a partner; nil when byte counts differ.
    package var ref: EntryRef?
    /// `1 frame of 12 bytes arrived at Cin and never left at Sout, and nothing explains it`
    package var sentence: String
    package init(session: SessionID, direction: Direction, ref: EntryRef?, sentence: String) {
        self.session = session
        self.direction = direction
        self.ref = ref
        self.sentence = sentence
    }
}

/// Compares, session by session, what came in with what went out, reading nothing but the journal.
package struct Ledger: Sendable {
    /// In the order in which they were found; at most 1,000 are kept, `count` goes on.
    package private(set) var differences: [LedgerDifference] = []
    package private(set) var count = 0

    package init() {}

    package mutating func observe(_ entry: Entry) {}
    /// The journal is over: sessions that never closed are settled too.
    package mutating func conclude() {}
}
