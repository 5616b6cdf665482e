import NIOCore
import Wire

/// One TCP connection of a capture; its two half streams stand beside it in the reassembler.
struct Flow {
    enum State: UInt8 {
        /// Nobody's; its place can be taken.
        case free
        /// Began without a SYN: its first segments are held for a moment, because what came first may follow.
        case undecided
        case live
        /// Over; still there so that late segments are not taken for a connection.
        case closed
    }
    var key: FlowKey
    var state: State
    /// Told apart from those that had the same place before.
    var generation: UInt32
    /// 0: nobody was told of it yet.
    var id: Connection.ID = 0
    var clientIsLow = true
    /// True: a SYN of it was seen.
    var isWhole = false
    var hasToldStray = false
    var lastPacket: UInt64 = 0
    var closedAt: WallTime = 0
    var held: [HeldSegment] = []
    var heldCost = 0

    /// How long a SYN may be sent again, or come late, behind the end of its connection.
    static let afterlife: Int64 = 1_000_000_000
    /// What an undecided flow brings; more than that and it is decided.
    static let mostHeld = 1_024
}

/// A segment of a connection of which it is not known yet where it begins.
struct HeldSegment {
    var fromLow: Bool
    var piece: Piece
    var isFinish: Bool
    var time: WallTime
    var packet: UInt64
}

/// Flows and half streams that wait for something to turn up, in the order in which they began to.
struct WaitingLine {
    struct Entry {
        var flow: Int
        var generation: UInt32
        /// 0 and 1: bytes of that half are missing. 2: where the flow begins is not known.
        var subject: UInt8
        var time: WallTime
        var packet: UInt64
    }
    private var entries: [Entry] = []
    private var head = 0

    /// Captures put packets out of order by less than this: a twentieth of a second, or 4,096 packets where the
    /// clock stands still.
    static let patience: Int64 = 50_000_000
    static let packets: UInt64 = 4_096

    mutating func join(_ entry: Entry) { entries.append(entry) }

    @inline(__always)
    mutating func due(at time: WallTime, packet: UInt64) -> Entry? {
        guard head < entries.count else { return nil }
        return next(time, packet)
    }

    private mutating func next(_ time: WallTime, _ packet: UInt64) -> Entry? {
        let first = entries[head]
        guard
            time.subtractingReportingOverflow(first.time).partialValue >= Self.patience
                || packet &- first.packet >= Self.packets
        else { return nil }
        head += 1
        if head == entries.count {
            entries.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 4_096, head * 2 >= entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return first
    }
}
