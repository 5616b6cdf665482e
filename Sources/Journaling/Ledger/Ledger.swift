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
    /// Those that have not closed, each at its place; whichever closes gives it up.
    private var places = NumberPlaces()
    private var sessions: [SessionLedger] = []
    private static let keptDifferences = 1_000

    package init() {}

    /// Sessions that have not closed yet; at the end of a journal these are neither right nor wrong.
    package var unsettled: Int { places.count }

    package mutating func observe(_ entry: Entry) {
        guard let ref = entry.ref else { return }
        let number = UInt64(ref.session.value)
        if case .closed(let totals) = entry.body {
            // Nothing was seen of it: then the sockets must have seen nothing either.
            guard let place = places.remove(number) else { return settle(SessionLedger(ref.session), totals) }
            settle(sessions[place], totals)
            return sessions[place] = SessionLedger(ref.session)
        }
        let place = places[number] ?? begin(ref.session)
        if let whole = Ledger.whole(entry.body) { return sessions[place].count(whole) }
        sessions[place].observe(entry, ref)
        guard let explained = Ledger.explained(by: entry), let place = places[UInt64(explained.session.value)] else { return }
        sessions[place].explain(explained.ordinal)
    }

    private mutating func begin(_ id: SessionID) -> Int {
        let place = places.add(UInt64(id.value))
        if place < sessions.count { sessions[place] = SessionLedger(id) } else { sessions.append(SessionLedger(id)) }
        return place
    }

    /// A frame that came in and went out as it was, as nearly all do: there is nothing to it but its size. Asked first, and
    /// only for what lies there as numbers, because a frame is large and would be copied to be looked at.
    private static func whole(_ body: Entry.Body) -> SessionLedger.Whole? {
        guard case .frame(let frame) = body, frame.passage.in != nil, frame.passage.out != nil, frame.provenance.source == nil
        else { return nil }
        return SessionLedger.Whole(direction: frame.passage.direction, size: frame.wireSize)
    }

    private mutating func settle(_ session: SessionLedger, _ totals: Totals) {
        settled += 1
        for difference in session.settled(totals) {
            count += 1
            if differences.count < Ledger.keptDifferences { differences.append(difference) }
        }
    }

    /// What arrived and may have stayed because of this entry.
    private static func explained(by entry: Entry) -> EntryRef? {
        switch entry.body {
        case .fault(let fault): fault.applied ? fault.on : nil
        case .frame(let frame): left(frame.passage, frame.provenance)
        case .head(let head): left(head.passage, head.provenance)
        case .bytes(let bytes): left(bytes.passage, bytes.provenance)
        default: nil
        }
    }

    private static func left(_ passage: Passage, _ provenance: Provenance) -> EntryRef? {
        passage.out == nil ? nil : provenance.source
    }
}
