import Captures
import Journaling
import NIOCore
import Wire

/// Takes what an importer hands on, counts it, and holds it to the contract of `ConnectionSink`.
final class WatchingSink: ConnectionSink {
    private struct Open {
        var ended: Set<Side> = []
    }
    private var open: [Connection.ID: Open] = [:]
    private var known: Set<Connection.ID> = []
    private(set) var connections = 0
    private(set) var begunBefore = 0
    private(set) var gaps = 0
    private(set) var missingBytes: UInt64 = 0

    func opened(_ connection: Connection, at time: WallTime) {
        demand(known.insert(connection.id).inserted, "connection \(connection.id) is opened twice")
        connections += 1
        if !connection.isWhole { begunBefore += 1 }
        open[connection.id] = Open()
    }

    func bytes(_ id: Connection.ID, from side: Side, _ bytes: ByteBuffer, at time: WallTime) {
        demand(lasts(id, side), "bytes of connection \(id), which is not open or whose \(side) has ended")
    }

    func gap(_ id: Connection.ID, from side: Side, count: UInt64, at time: WallTime) {
        demand(lasts(id, side), "a gap of connection \(id), which is not open or whose \(side) has ended")
        gaps += 1
        missingBytes &+= count
    }

    func ended(_ id: Connection.ID, from side: Side, _ style: EndStyle, at time: WallTime) {
        demand(open[id] != nil, "the end of a side of connection \(id), which is not open")
        if style == .reset { open[id]?.ended = [.client, .server] } else { open[id]?.ended.insert(side) }
    }

    func gone(_ id: Connection.ID, at time: WallTime) {
        demand(open.removeValue(forKey: id) != nil, "connection \(id) is gone, and was not open")
    }

    func note(_ id: Connection.ID?, _ sentence: String) {
        demand(!sentence.isEmpty, "a note says nothing")
    }

    private func lasts(_ id: Connection.ID, _ side: Side) -> Bool { open[id].map { !$0.ended.contains(side) } ?? false }

    /// Whoever read is done: all that was opened is over.
    func conclude() {
        for (id, one) in open { demand(one.ended.count == 2, "connection \(id) is neither over nor gone at the end") }
        open = [:]
        known = []
    }
}
