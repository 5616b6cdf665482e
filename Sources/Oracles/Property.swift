package import Contracts
package import Journaling

/// One thing that must hold (oracle.md, "Properties"). It sees what the `Reader` made of the journal, never the journal
/// itself, so that decoding, labels and links exist once. A thrown error makes this property inconclusive and nothing else.
package protocol Property: Sendable {
    /// `E3`
    static var id: String { get }
    /// `errors reach the requester`
    static var name: String { get }
    /// One sentence that cites the clause.
    static var requirement: String { get }
    /// What it looks at; it is told of nothing else. Most messages concern few properties.
    static var hears: ReadingKinds { get }
    /// Whether it has deadlines of its own (`advance`).
    static var isTimed: Bool { get }
    /// The contract key that would switch it on, when this contract (or its absence) leaves it unasked.
    static func missingKey(in contract: Contract?) -> String?
    init(_ contract: Contract?)
    /// Nil: it is none of its occasions.
    mutating func observe(_ reading: Reading) throws -> Ruling?
    /// Asked when `isTimed`. Deadlines that are the property's own; those of requests, runs and connections come as readings.
    mutating func advance(to now: Instant) throws -> [Ruling]
    func conclude(at end: Instant) throws -> [Ruling]
}

extension Property {
    package static var hears: ReadingKinds { .all }
    package static var isTimed: Bool { false }
    package mutating func advance(to now: Instant) throws -> [Ruling] { [] }
    package func conclude(at end: Instant) throws -> [Ruling] { [] }
}

/// What a property says about one occasion.
package enum Ruling: Sendable, Equatable {
    case pass
    /// One phrase: `runs open when f1 cut the connection`.
    case excused(String)
    /// One phrase: `the recording ends before the deadline`.
    case inconclusive(String)
    indirect case fail(Violation)
}

/// A failed occasion, before violations of one cause are joined into a finding.
package struct Violation: Sendable, Equatable {
    /// What failed, in the words of the rule; together with `types` it makes the fingerprint: never a payload byte.
    package var edge: String
    /// Types of the messages concerned: `agent_started`, `error`, `<malformed>`.
    package var types: [String]
    package var sentence: String
    package var expected: String
    package var found: String
    package var evidence: Evidence
    package var caret: Finding.Caret?
    package var line: Line

    package init(
        edge: String, types: [String], sentence: String, expected: String, found: String, evidence: Evidence,
        caret: Finding.Caret? = nil, line: Line
    ) {
        self.edge = edge
        self.types = types
        self.sentence = sentence
        self.expected = expected
        self.found = found
        self.evidence = evidence
        self.caret = caret
        self.line = line
    }
}

/// What a reader needs to believe a violation (oracle.md, "Evidence"), gathered only when there is one.
package struct Evidence: Sendable, Equatable {
    /// Violations that share one of these are one finding.
    package enum Cause: Sendable, Hashable {
        case entry(EntryRef)
        /// By the request's number in the order of Sout.
        case request(UInt64)
        case run(UInt64)
        /// A run that nobody here asked for, by its name and key.
        case foreignRun(String)
        /// A connection that should have been refused for its credential.
        case refusal(SessionID)
    }
    package var causes: [Cause]
    /// Nil when something is missing.
    package var offending: EntryRef?
    /// Most telling first; cut to 8 and ordered when the finding is made.
    package var witness: [Entry]
    /// The requester's first.
    package var sessions: [SessionID]
    package var users: [String]
    package var instant: Instant
    package var faults: [FaultRecord]

    package init(
        causes: [Cause], offending: EntryRef?, witness: [Entry], sessions: [SessionID], users: [String],
        instant: Instant, faults: [FaultRecord]
    ) {
        self.causes = causes
        self.offending = offending
        self.witness = witness
        self.sessions = sessions
        self.users = users
        self.instant = instant
        self.faults = faults
    }
}
