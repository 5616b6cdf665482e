package import Wire

/// A difference between the two sides of the proxy that no fault, limit, re-encoding or transport end explains: a tool
/// error, exit 5 (oracle.md, "Ledger").
package struct LedgerDifference: Sendable, Hashable {
    package var session: SessionID
    package var direction: Direction
    /// The entry without a partner; nil when byte counts differ.
    package var ref: EntryRef?
    /// `a frame of 12 bytes came in at Cin and never left at Sout; nothing explains it`
    package var sentence: String
    package init(session: SessionID, direction: Direction, ref: EntryRef?, sentence: String) {
        self.session = session
        self.direction = direction
        self.ref = ref
        self.sentence = sentence
    }
}

/// Compares, session by session, what came in with what went out, reading nothing but the journal. A session is settled
/// by its `closed` entry, which also bears the sockets' own counts.
package struct Ledger: Sendable {
    /// In the order in which they were found; at most 1,000 are kept, `count` goes on.
    package private(set) var differences: [LedgerDifference] = []
    package private(set) var count = 0
    /// Sessions settled.
    package private(set) var settled = 0
    private var sessions: [SessionID: SessionLedger] = [:]
    private static let keptDifferences = 1_000

    package init() {}

    /// Sessions that have not closed yet; at the end of a journal these are neither right nor wrong.
    package var unsettled: Int { sessions.count }

    package mutating func observe(_ entry: Entry) {
        guard let ref = entry.ref else { return }
        if case .closed(let totals) = entry.body {
            guard let session = sessions.removeValue(forKey: ref.session) else {
                // Nothing was seen of it: then the sockets must have seen nothing either.
                settle(SessionLedger(ref.session), totals)
                return
            }
            settle(session, totals)
            return
        }
        sessions[ref.session, default: SessionLedger(ref.session)].observe(entry, ref)
        for explained in Ledger.explained(by: entry) {
            if sessions[explained.session] != nil { sessions[explained.session]?.explain(explained.ordinal) }
        }
    }

    private mutating func settle(_ session: SessionLedger, _ totals: Totals) {
        settled += 1
        for difference in session.settled(totals) {
            count += 1
            if differences.count < Ledger.keptDifferences { differences.append(difference) }
        }
    }

    /// What arrived and may have stayed because of this entry.
    private static func explained(by entry: Entry) -> [EntryRef] {
        switch entry.body {
        case .fault(let fault): fault.applied ? [fault.on].compactMap { $0 } : []
        case .frame(let frame): left(frame.passage, frame.provenance)
        case .head(let head): left(head.passage, head.provenance)
        case .bytes(let bytes): left(bytes.passage, bytes.provenance)
        default: []
        }
    }

    private static func left(_ passage: Passage, _ provenance: Provenance) -> [EntryRef] {
        guard passage.out != nil, let source = provenance.source else { return [] }
        return [source]
    }
}
