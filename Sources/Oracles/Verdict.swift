package import Journaling

/// Worst wins: pass < excused < inconclusive < fail (oracle.md).
package enum Verdict: Int, Sendable, Hashable, Comparable, CaseIterable {
    case pass, excused, inconclusive, fail
    package static func < (lhs: Verdict, rhs: Verdict) -> Bool { lhs.rawValue < rhs.rawValue }
}

/// Where a failing run of the same plan leaves the blame.
package enum Attribution: Sendable, Hashable {
    case unattributed
    case intrinsic(failed: Int, of: Int)
    /// Needs these fault ids, the smallest set found.
    /// - Parameter without: decided reruns without any fault; none of them showed it.
    case faultExposed([String], failed: Int, of: Int, without: Int)
    case flaky(failed: Int, of: Int)
}

/// One cause, with everything a reader needs to believe it (oracle.md, "Evidence").
package struct Finding: Sendable, Equatable {
    /// The most specific property (order I A H E D C R); the rest stand in `also`.
    package var property: String
    package var also: [String]
    /// Over (property, automaton edge, message types), never over payload bytes; 6 hex digits.
    package var fingerprint: String
    /// `alice's error is delivered to bob`
    package var sentence: String
    package var requirement: String
    package var expected: String
    package var found: String
    /// The entry that offends: the head of every violation that is collateral to it. Nil when something is missing.
    package var offending: EntryRef?
    /// At most 8 entries, in order; `offending` and what caused it among them.
    package var witness: [Entry]
    /// The requester's session first, then the others concerned.
    package var sessions: [SessionID]
    package var users: [String]
    /// When it was known; for a missing message the instant it was due.
    package var instant: Instant
    /// A JSON value in the offending message to underline, when one value is the point.
    package var caret: Caret?
    /// Entries of faults in the influence window.
    package var faults: [FaultRecord]
    package var attribution: Attribution = .unattributed
    package var contractFile: String
    package var contractLine: Int
    package var repeats: Int = 1

    package var id: String { "\(property)-\(fingerprint)" }

    package struct Caret: Sendable, Equatable {
        package var text: String
        package var label: String
        package init(text: String, label: String) {
            self.text = text
            self.label = label
        }
    }

    package init(
        property: String, also: [String] = [], fingerprint: String, sentence: String, requirement: String,
        expected: String, found: String, offending: EntryRef?, witness: [Entry], sessions: [SessionID],
        users: [String], instant: Instant, caret: Caret? = nil, faults: [FaultRecord], contractFile: String,
        contractLine: Int
    ) {
        self.property = property
        self.also = also
        self.fingerprint = fingerprint
        self.sentence = sentence
        self.requirement = requirement
        self.expected = expected
        self.found = found
        self.offending = offending
        self.witness = witness
        self.sessions = sessions
        self.users = users
        self.instant = instant
        self.caret = caret
        self.faults = faults
        self.contractFile = contractFile
        self.contractLine = contractLine
    }
}

/// One line of the property table.
package struct PropertySummary: Sendable, Equatable {
    package var id: String
    /// `errors reach the requester`
    package var name: String
    package var checked = 0
    package var passed = 0
    package var excused = 0
    package var inconclusive = 0
    package var failed = 0
    /// Why it was not asked at all (the contract key that would switch it on), when it was not.
    package var notApplicable: String?
    /// One phrase a kind of excuse: `E1 runs open when f1 cut the connection`.
    package var excuses: [String] = []
    package var reasons: [String] = []
    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
    mutating func pass() {
        checked += 1
        passed += 1
    }

    /// Nil = not exercised.
    package var verdict: Verdict? {
        failed > 0 ? .fail : inconclusive > 0 ? .inconclusive : excused > 0 ? .excused : passed > 0 ? .pass : nil
    }
}

/// All that a run of the oracle says. One model feeds every form of report.
package struct Judgement: Sendable, Equatable {
    package var properties: [PropertySummary] = []
    package var findings: [Finding] = []
    package var toolErrors: [LedgerDifference] = []
    /// Error kinds of the contract that arrived for a request that had to provoke them, and all kinds.
    package var errorsDelivered: [String] = []
    package var errorKinds: [String] = []
    package var sessions = 0
    package var runs = 0
    package var entries: UInt64 = 0
    /// Judged as it is only because the journal ends here: a run that goes on may still decide otherwise.
    package var pending = 0
    /// Ids of findings that stand however it goes on.
    package var standing: [String] = []
    /// Fault entries that were applied.
    package var faultsActed = 0
    package var notes: [String] = []
    /// What the live monitors said, in the order in which it began; it changes no verdict.
    package var alerts: [Alert] = []
    /// Every monitor, in the order of the registry.
    package var monitors: [MonitorStatus] = []
    package var vitals = Vitals()
    package init() {}
}
