import Journaling
import NIOCore
import Wire

/// A message that gave up its place in its direction.
struct LaterMessage: Sendable {
    var message: Message
    /// Its frames as they came.
    var wire: ByteBuffer
    var faults: [String]
    /// Later messages that it still lets pass.
    var behind: Int
    var until: Instant

    func isDue(at now: Instant) -> Bool { behind <= 0 || until <= now }
}

extension Lane {
    /// When one that gave up its place must go at the latest; what waits for the end of a message goes with that.
    var laterDue: Instant {
        guard !later.isEmpty, isBetweenMessages else { return .distantFuture }
        return later.reduce(.distantFuture) { min($0, $1.until) }
    }

    var laterBytes: Int { later.reduce(0) { $0 + Outbox.Item.overhead + $1.wire.readableBytes } }
}

/// Messages that are overtaken. They are encoded when they go, because only then their place in a compression context is
/// known.
extension SessionMachine {
    mutating func putOff(
        _ later: LaterMessage, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        var later = later
        later.wire = later.wire.compacted
        later.message.wire = nil
        if self[direction].isShut { return ends.lost(direction.destination, later.wire.readableBytes) }
        let limits = configuration.limits
        let size = Outbox.Item.overhead + later.wire.readableBytes
        let isHereFull = self[direction].outbox.bytes + self[direction].laterBytes + size > limits.heldBytes
        if isHereFull || configuration.held.now + size > limits.heldBytesTotal {
            let most = isHereFull ? "\(limits.heldBytes) bytes held" : "\(limits.heldBytesTotal) bytes held in all sessions"
            limit("L10", "more than \(most), a message keeps its place", direction, at: now, &output)
            return send(later, direction, at: now, &output)
        }
        self[direction].later.append(later)
    }

    /// A message ended; those before it have let one more pass.
    mutating func passLater(
        _ ordinal: UInt32, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard !self[direction].later.isEmpty else { return }
        for index in self[direction].later.indices where self[direction].later[index].message.ordinal < ordinal {
            self[direction].later[index].behind -= 1
        }
        releaseLater(direction, at: now, &output)
    }

    mutating func releaseLater(at now: Instant, _ output: inout SessionOutput) {
        if !toServer.later.isEmpty { releaseLater(.toServer, at: now, &output) }
        if !toClient.later.isEmpty { releaseLater(.toClient, at: now, &output) }
    }

    private mutating func releaseLater(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        guard self[direction].isBetweenMessages, self[direction].later.contains(where: { $0.isDue(at: now) }) else { return }
        let all = self[direction].later
        self[direction].later = all.filter { !$0.isDue(at: now) }
        for later in all where later.isDue(at: now) { send(later, direction, at: now, &output) }
    }

    /// The direction ends, or frames do: all go, wherever they fall.
    mutating func sendLater(_ direction: Direction, at now: Instant, _ output: inout SessionOutput) {
        let all = self[direction].later
        guard !all.isEmpty, phase != .over else { return }
        self[direction].later = []
        for later in all { send(later, direction, at: now, &output) }
    }

    private mutating func send(
        _ later: LaterMessage, _ direction: Direction, at now: Instant, _ output: inout SessionOutput
    ) {
        guard let (bytes, kind) = bytes(of: .message(later.message), direction, original: later.wire) else { return }
        let source = later.message.entry.ordinal > 0 ? later.message.entry : nil
        let provenance = Provenance(source: source, faults: later.faults)
        depart(bytes, .departure(kind, provenance), direction, until: nil, at: now, &output)
    }
}
