package import Journaling
import NIOCore
package import Oracles
import Wire

/// What the timeline of a page shows: one lane a user, and a row for everything that happened there. Rows are the data of
/// the page; the page only draws them.
package struct HTMLTimeline: Sendable {
    package struct Lane: Sendable, Equatable {
        /// The user, or the session where nobody knows whose it is.
        package var name: String
        package var sessions: [Session] = []
        package var messages = 0
        package var faults = 0
        package var errors = 0
        package var violations = 0
        package struct Session: Sendable, Equatable {
            package var id: SessionID
            package var begin: Instant
            package var end: Instant?
            package var close: UInt16?
        }
    }
    package private(set) var lanes: [Lane] = []
    package private(set) var messages = 0
    package private(set) var faults = 0
    package private(set) var errors = 0
    package private(set) var end = Instant.zero
    /// Rows of the page as NDJSON.
    private var rows = HTMLRows()
    private var laneOf: [SessionID: Int] = [:]
    private var byUser: [String: Int] = [:]
    private var closes: [SessionID: UInt16] = [:]
    private let marks: [EntryRef: [Mark]]
    package private(set) var numbers = HTMLNumbers()

    /// A violation at an entry, and the entry that it hangs on.
    package struct Mark: Sendable, Equatable {
        package var ids: [String]
        package var sentence: String
        package var cause: EntryRef?
    }

    package static let longestPayload = 4_096

    package init(findings: [Finding] = []) {
        var marks: [EntryRef: [Mark]] = [:]
        for finding in findings {
            guard let offending = finding.offending ?? finding.witness.last?.ref else { continue }
            // The request that caused it stands last before it; without one, whatever else is shown of the other session.
            let others = finding.witness.filter { $0.ref != nil && $0.ref != offending && $0.session != offending.session }
            let asked = others.last { if case .frame(let frame) = $0.body { frame.passage.direction == .toServer } else { false } }
            let cause = (asked ?? others.first)?.ref
            marks[offending, default: []].append(
                Mark(ids: [finding.property] + finding.also, sentence: finding.sentence, cause: cause))
        }
        self.marks = marks
    }

    /// How many rows were left out of the page.
    package var omitted: Int { rows.omitted }
    var data: [UInt8] { rows.bytes }

    /// Users are told apart from the first facts on; what was before them in a session belongs to that user as well.
    /// - Parameter user: whose session it is, when that is known before its facts.
    package mutating func take(_ entry: Entry, user: String? = nil) {
        guard let id = entry.session, !entry.body.isTick else { return }
        end = max(end, entry.instant)
        numbers.take(entry)
        let lane = lane(of: id, user: user, at: entry.instant)
        guard var row = HTMLRow(entry, lane: lane, session: id) else {
            if case .closed = entry.body { close(id, lane, at: entry.instant) }
            return
        }
        row.marks = entry.ref.flatMap { marks[$0] } ?? []
        count(row, lane)
        if row.isClose, let code = row.code { closes[id] = code }
        rows.append(row)
    }

    private mutating func lane(of id: SessionID, user: String?, at instant: Instant) -> Int {
        if let lane = laneOf[id] { return lane }
        let name = user ?? id.description
        let index = byUser[name] ?? lanes.count
        if index == lanes.count { lanes.append(Lane(name: name)) }
        byUser[name] = index
        laneOf[id] = index
        lanes[index].sessions.append(.init(id: id, begin: instant))
        return index
    }

    private mutating func close(_ id: SessionID, _ lane: Int, at instant: Instant) {
        guard let index = lanes[lane].sessions.lastIndex(where: { $0.id == id }) else { return }
        lanes[lane].sessions[index].end = instant
        lanes[lane].sessions[index].close = closes.removeValue(forKey: id)
    }

    private mutating func count(_ row: HTMLRow, _ lane: Int) {
        lanes[lane].violations += row.marks.count
        switch row.kind {
        case .message:
            messages += 1
            lanes[lane].messages += 1
            if row.isError {
                errors += 1
                lanes[lane].errors += 1
            }
        case .fault:
            faults += 1
            lanes[lane].faults += 1
        default: break
        }
    }

    /// The members of the page's data block that are the timeline's.
    func members() -> [JSON.Member] {
        let list = lanes.map { lane in
            JSON.object([
                .init(key: "name", value: .string(SafeText.show(lane.name))),
                .init(
                    key: "sessions",
                    value: .array(
                        lane.sessions.map { session in
                            .array([
                                .string(session.id.description), .number(HTMLRow.milliseconds(session.begin)),
                                session.end.map { JSON.number(HTMLRow.milliseconds($0)) } ?? .null,
                            ])
                        })),
            ])
        }
        return [
            .init(key: "lanes", value: .array(list)), .init(key: "end", value: .number(HTMLRow.milliseconds(end))),
            .init(key: "rows", value: .string(HTMLText.packed(data))),
        ]
    }
}
