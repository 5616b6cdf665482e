import NIOCore

/// What one side of a connection sent, as far as it is known.
struct HalfStream {
    /// The next byte that is due; its place only means something once it is anchored.
    var next: UInt32 = 0
    /// The first byte's place, for telling a repeated SYN from a new one.
    var first: UInt32 = 0
    var isAnchored = false
    /// The highest byte that the other side has acknowledged.
    var acknowledged: UInt32 = 0
    var hasAcknowledged = false
    /// The lowest one, while it is not known where the stream begins.
    var leastAcknowledged: UInt32 = 0
    /// Where the stream ends, once FIN or RST told.
    var end: UInt32 = 0
    var style: EndKind = .none
    var isOver = false
    /// Stands in the line of those who wait for missing bytes.
    var isWaiting = false
    var hasToldDifference = false
    /// Bytes just before `next` that are still known, for comparing what is sent again.
    var tail: UInt16 = 0
    var pending = PendingPieces()

    enum EndKind: UInt8 { case none, finish, reset }
}

/// A segment that came before bytes which stand in front of it.
struct Piece {
    var at: UInt32
    var bytes: ByteBuffer
    /// Bytes behind these that were sent and are not in the capture.
    var missing: UInt32
    var length: Int { bytes.readableBytes &+ Int(missing) }
    /// What it costs to keep it, so that a million empty ones cost too.
    var cost: Int { bytes.readableBytes &+ Self.overhead }
    static let overhead = 128
}

/// Segments ahead of their time, in order and without overlap.
struct PendingPieces {
    private var pieces: [Piece] = []
    private var head = 0
    private(set) var cost = 0

    var isEmpty: Bool { head == pieces.count }
    var first: Piece? { isEmpty ? nil : pieces[head] }

    mutating func removeFirst() -> Piece? {
        guard !isEmpty else { return nil }
        let piece = pieces[head]
        head += 1
        cost -= piece.cost
        if head == pieces.count {
            pieces.removeAll(keepingCapacity: pieces.count <= 64)
            head = 0
        } else {
            pieces[head - 1].bytes = ByteBuffer()
            if head > 1_024, head * 2 > pieces.count {
                pieces.removeFirst(head)
                head = 0
            }
        }
        return piece
    }

    /// Puts in what is new of it; the bytes that came first stay.
    /// - Returns: what that cost, and whether bytes of it contradict those that were there.
    mutating func insert(_ piece: Piece, from origin: UInt32) -> (cost: Int, differs: Bool) {
        let before = cost
        var differs = false
        var rest = piece
        var index = place(of: rest.at, from: origin)
        if index > head { differs = trimFront(&rest, behind: pieces[index - 1]) }
        while rest.length > 0 {
            guard index < pieces.count, StreamPlace.distance(rest.at, pieces[index].at) < rest.length else {
                put(rest, index)
                break
            }
            let room = StreamPlace.distance(rest.at, pieces[index].at)
            if room > 0 {
                put(rest.prefix(room), index)
                index += 1
            }
            let covered = pieces[index]
            rest = rest.dropping(room)
            if trimFront(&rest, behind: covered) { differs = true }
            index += 1
        }
        return (cost - before, differs)
    }

    private mutating func put(_ piece: Piece, _ index: Int) {
        var piece = piece
        // A slice keeps all of its storage alive, which `cost` does not count.
        if piece.bytes.readableBytes < piece.bytes.storageCapacity / 4 {
            var own = ByteBuffer()
            own.reserveCapacity(piece.bytes.readableBytes)
            own.writeImmutableBuffer(piece.bytes)
            piece.bytes = own
        }
        pieces.insert(piece, at: index)
        cost += piece.cost
    }

    /// The first piece that begins behind `at`.
    private func place(of at: UInt32, from origin: UInt32) -> Int {
        let wanted = StreamPlace.distance(origin, at)
        var low = head
        var high = pieces.count
        while low < high {
            let middle = (low + high) / 2
            if StreamPlace.distance(origin, pieces[middle].at) <= wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Takes off what `earlier` holds already; true when it holds other bytes.
    private func trimFront(_ rest: inout Piece, behind earlier: Piece) -> Bool {
        let offset = StreamPlace.distance(earlier.at, rest.at)
        let shared = min(max(0, earlier.length - offset), rest.length)
        guard shared > 0, offset >= 0 else { return false }
        let both = min(shared, earlier.bytes.readableBytes - offset, rest.bytes.readableBytes)
        var differs = false
        if both > 0 {
            differs =
                earlier.bytes.getSlice(at: earlier.bytes.readerIndex + offset, length: both)
                != rest.bytes.getSlice(at: rest.bytes.readerIndex, length: both)
        }
        rest = rest.dropping(shared)
        return differs
    }
}

extension Piece {
    /// Without its first `count` bytes, missing ones included.
    func dropping(_ count: Int) -> Piece {
        guard count > 0 else { return self }
        var rest = self
        let held = min(count, bytes.readableBytes)
        rest.bytes.moveReaderIndex(forwardBy: held)
        rest.missing = missing &- UInt32(clamping: min(count - held, Int(missing)))
        rest.at = at &+ UInt32(clamping: count)
        return rest
    }

    /// Its first `count` bytes only.
    func prefix(_ count: Int) -> Piece {
        let held = min(max(0, count), bytes.readableBytes)
        let slice = bytes.getSlice(at: bytes.readerIndex, length: held) ?? ByteBuffer()
        return Piece(at: at, bytes: slice, missing: UInt32(clamping: min(count - held, Int(missing))))
    }
}
