import Faults
import Journaling

/// The sessions of a case. A line of the play and its session have the same number; those that faults opened have numbers far
/// behind all of these, so that lines may go on coming.
struct InlineSessions: Sequence {
    private var lines: [InlineSession] = []
    private var visits: [InlineSession] = []
    private static let firstVisit = 1 << 20

    var count: Int { lines.count + visits.count }

    /// All numbers there are.
    var indices: [Int] { Array(lines.indices) + visits.indices.map { Self.firstVisit + $0 } }

    func has(_ index: Int) -> Bool {
        lines.indices.contains(index) || visits.indices.contains(index - Self.firstVisit)
    }

    subscript(index: Int) -> InlineSession {
        index < Self.firstVisit ? lines[index] : visits[index - Self.firstVisit]
    }

    func makeIterator() -> IndexingIterator<[InlineSession]> {
        (visits.isEmpty ? lines : lines + visits).makeIterator()
    }

    mutating func append(_ session: InlineSession) { lines.append(session) }

    /// The number that the next one opened by a fault has.
    var nextVisit: Int { Self.firstVisit + visits.count }

    mutating func append(visit session: InlineSession) { visits.append(session) }
}
