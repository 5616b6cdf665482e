import Journaling

/// Runs that are under way, by their number, and the connections that they are on.
struct LiveRuns: Sendable {
    private var places = NumberPlaces()
    private var connections: [SessionID?] = []

    var isEmpty: Bool { places.isEmpty }
    var count: Int { places.count }
    /// One for each run, in no particular order.
    var sessions: [SessionID] { connections.compactMap { $0 } }

    mutating func enter(_ run: UInt64, on session: SessionID) {
        let place = places.add(run)
        if place < connections.count { connections[place] = session } else { connections.append(session) }
    }

    /// False: it was none of them.
    @discardableResult
    mutating func leave(_ run: UInt64) -> Bool {
        guard let place = places.remove(run) else { return false }
        connections[place] = nil
        return true
    }
}
