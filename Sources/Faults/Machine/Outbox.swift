import Journaling
import NIOCore
import Wire

/// What one direction holds back, in order: nothing overtakes.
struct Outbox: Sendable {
    /// How the journal tells of bytes when they leave.
    enum Note: Sendable {
        /// One entry with both taps.
        case whole(RawEntry.Piece, arrived: Instant)
        /// The arrival has its entry already.
        case departure(RawEntry.Piece, Provenance)
        /// As `departure`, and a `recoded` entry behind it.
        case recoded(Provenance, reason: String)
    }
    enum Item: Sendable {
        case bytes(ByteBuffer, Note)
        /// A message that travels to another session, until the shell answers; if refused it goes on as these bytes.
        case crossing(EntryRef, fault: String, ByteBuffer)
        /// The source's end is handed on.
        case end(EndStyle)
        case halfClose(Side)
        case cut([Cutting], fault: String)
    }
    struct Cutting: Sendable {
        var side: Side
        var style: CutStyle
    }
    struct Held: Sendable {
        var item: Item
        /// Not before; `distantFuture` = until something else happens.
        var release: Instant
    }

    private(set) var items: [Held] = []
    private var head = 0
    /// What it all takes in memory: bytes, and what each thing costs beside them.
    private(set) var bytes = 0

    var isEmpty: Bool { head == items.count }
    var first: Held? { isEmpty ? nil : items[head] }
    /// A fault holds something here, so that what comes behind has its own entry for its arrival.
    var hasHold = false

    mutating func append(_ item: Item, release: Instant) {
        var item = item
        if case .bytes(let bytes, let note) = item { item = .bytes(bytes.compacted, note) }
        items.append(Held(item: item, release: release))
        bytes += item.size
    }

    mutating func popFirst() -> Held? {
        guard let held = first else { return nil }
        head += 1
        bytes -= held.item.size
        if head == items.count {
            items.removeAll(keepingCapacity: items.capacity <= 64)
            head = 0
            hasHold = false
        } else if head >= 64, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return held
    }

    /// Everything may leave now, save what waits for an answer.
    mutating func releaseAll(at now: Instant) {
        for index in items.indices where index >= head {
            if case .crossing = items[index].item { continue }
            items[index].release = min(items[index].release, now)
        }
    }

    /// Lets the first item go at once, whatever it waits for.
    mutating func releaseFirst(at now: Instant) {
        if !isEmpty { items[head].release = now }
    }

    /// The answer to a crossing: `keep` = it goes on here after all. False when it is not held here.
    mutating func settle(_ ref: EntryRef, fault: String, keep: Note?, at now: Instant) -> Bool {
        for index in items.indices where index >= head {
            guard case .crossing(let held, let id, let wire) = items[index].item, held == ref, id == fault else {
                continue
            }
            bytes -= items[index].item.size
            if let keep {
                items[index] = Held(item: .bytes(wire, keep), release: now)
            } else {
                items[index] = Held(item: .bytes(ByteBuffer(), .departure(.frame, .none)), release: now)
            }
            bytes += items[index].item.size
            return true
        }
        return false
    }
}

extension Outbox.Item {
    /// A frame of two bytes is held at this price.
    static let overhead = 192

    var size: Int {
        switch self {
        case .bytes(let bytes, _), .crossing(_, _, let bytes): Self.overhead + bytes.readableBytes
        case .end, .halfClose, .cut: Self.overhead
        }
    }
}
