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
        /// As `departure`: one frame, whatever its header says.
        case made(Provenance)
        /// As `departure`, and a `recoded` entry behind it.
        case recoded(Provenance, reason: String)
        /// The rest of something whose departure has its entry.
        case told
    }
    enum Item: Sendable {
        case bytes(ByteBuffer, Note)
        /// A message that travels to another session, until the shell answers; if refused it goes on as these.
        case crossing(EntryRef, fault: String, [Part])
        /// The source's end is handed on.
        case end(EndStyle)
        case halfClose(Side)
        case cut([Cutting], fault: String)
        /// That side is left alone.
        case abandon(Side, reads: Bool, until: Instant, fault: String)
        /// A fault ends the session in an orderly way: FIN to both sides.
        case over(fault: String)
    }
    /// One frame of what waits for an answer.
    struct Part: Sendable {
        var bytes: ByteBuffer
        var note: Note
        /// It stood among the message's fragments and goes on whatever becomes of them.
        var isAside: Bool
    }
    struct Cutting: Sendable {
        var side: Side
        var style: CutStyle
    }
    struct Held: Sendable {
        var item: Item
        /// Not before; `distantFuture` = until something else happens.
        var release: Instant
        /// Faults that keep it back until then.
        var holds: [Hold] = []
        /// It waits for other sessions too: what `Meetings` calls it.
        var wait: Int?
    }

    private(set) var items: [Held] = []
    private var head = 0
    /// What it all takes in memory: bytes, and what each thing costs beside them.
    private(set) var bytes = 0

    var isEmpty: Bool { head == items.count }
    var first: Held? { isEmpty ? nil : items[head] }
    /// A fault holds something here, so that what comes behind has its own entry for its arrival.
    var hasHold = false

    mutating func append(_ item: Item, release: Instant, holds: [Hold] = [], wait: Int? = nil) {
        var item = item
        switch item {
        case .bytes(let bytes, let note): item = .bytes(bytes.compacted, note)
        case .crossing(let ref, let fault, var parts):
            for index in parts.indices { parts[index].bytes = parts[index].bytes.compacted }
            item = .crossing(ref, fault: fault, parts)
        default: break
        }
        items.append(Held(item: item, release: release, holds: holds, wait: wait))
        bytes += item.size
    }

    mutating func popFirst() -> Held? {
        guard let held = first else { return nil }
        head += 1
        bytes -= held.item.size
        if head == items.count {
            clear()
        } else if head >= 64, head * 2 > items.count {
            items.removeFirst(head)
            head = 0
        }
        return held
    }

    /// Takes the first byte of what waits first; the rest of that follows not before `next`. Nil when it is no bytes.
    mutating func popByte(next: Instant) -> (byte: ByteBuffer, whole: ByteBuffer, note: Note)? {
        guard let held = first, case .bytes(let whole, let note) = held.item else { return nil }
        var rest = whole
        guard let byte = rest.readSlice(length: 1) else { return nil }
        if rest.readableBytes == 0 {
            _ = popFirst()
            if !isEmpty { items[head].release = max(items[head].release, next) }
        } else {
            items[head] = Held(item: .bytes(rest, .told), release: next, holds: held.holds)
            bytes -= 1
        }
        return (byte, whole, note)
    }

    /// What it waited for has come.
    mutating func release(wait: Int, at now: Instant) {
        for index in items.indices where index >= head && items[index].wait == wait {
            items[index].release = min(items[index].release, now)
        }
    }

    /// Everything may leave now, save what waits for an answer.
    mutating func releaseAll(at now: Instant) {
        for index in items.indices where index >= head {
            if case .crossing = items[index].item { continue }
            items[index].release = min(items[index].release, now)
        }
    }

    /// What was to leave byte by byte leaves as a whole.
    mutating func hurry(at now: Instant) {
        for index in items.indices where index >= head && items[index].holds.isEmpty {
            if case .crossing = items[index].item { continue }
            items[index].release = min(items[index].release, now)
        }
    }

    /// Those faults are no more: what they alone kept back may leave.
    mutating func release(without gone: [String], at now: Instant) {
        for index in items.indices where index >= head {
            let holds = items[index].holds.without(gone)
            guard holds.count < items[index].holds.count else { continue }
            items[index].holds = holds
            items[index].release = min(items[index].release, holds.end ?? now)
        }
    }

    /// The answer to a crossing; refused it goes on here after all.
    /// - Returns: false when it is not held here any more.
    mutating func settle(_ ref: EntryRef, fault: String, isRefused: Bool, at now: Instant) -> Bool {
        let place = items.indices.first { index in
            guard index >= head, case .crossing(let held, let id, _) = items[index].item else { return false }
            return held == ref && id == fault
        }
        guard let place, case .crossing(_, _, let parts) = items[place].item else { return false }
        let left = parts.filter { isRefused || $0.isAside }
            .map { Held(item: .bytes($0.bytes, $0.note), release: now) }
        bytes += left.reduce(-items[place].item.size) { $0 + $1.item.size }
        items.replaceSubrange(place...place, with: left)
        if isEmpty { clear() }
        return true
    }

    private mutating func clear() {
        items.removeAll(keepingCapacity: items.capacity <= 64)
        head = 0
        hasHold = false
    }
}

extension Outbox.Item {
    /// A frame of two bytes is held at this price.
    static let overhead = 192

    var isFrame: Bool {
        switch self {
        case .bytes(_, .whole(.frame, _)), .bytes(_, .departure(.frame, _)), .bytes(_, .recoded): true
        default: false
        }
    }

    var size: Int {
        switch self {
        case .bytes(let bytes, _): Self.overhead + bytes.readableBytes
        case .crossing(_, _, let parts): parts.reduce(0) { $0 + Self.overhead + $1.bytes.readableBytes }
        case .end, .halfClose, .cut, .abandon, .over: Self.overhead
        }
    }
}
