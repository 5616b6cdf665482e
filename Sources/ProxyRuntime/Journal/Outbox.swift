import Faults
import Journaling
import NIOCore
import Synchronization
import Wire

/// Bytes of one session that wait for the recorder (trust.md L11). Written by its loop, read down by the recorder.
final class SessionBacklog: Sendable {
    let session: SessionID
    let loop: Int
    private let waiting = Atomic<Int>(0)
    private let limit: Int

    init(session: SessionID, loop: Int, limit: Int) {
        self.session = session
        self.loop = loop
        self.limit = limit
    }

    var isOver: Bool { waiting.load(ordering: .relaxed) > limit }

    func add(_ bytes: Int) { waiting.add(bytes, ordering: .relaxed) }

    /// True when this brought it from above half the limit to half or less: whoever waits for it may go on.
    func remove(_ bytes: Int) -> Bool {
        let (old, new) = waiting.subtract(bytes, ordering: .relaxed)
        return old > limit / 2 && new <= limit / 2
    }
}

/// What a loop hands to the recorder at once.
struct Batch: Sendable {
    var loop: Int
    var entries: [RawEntry]
    /// Nothing before this instant comes behind it.
    var watermark: Instant
    /// Storage that the entries keep alive.
    var bytes: Int
    var charges: [(backlog: SessionBacklog, bytes: Int)]
    /// Measured times between taking bytes from one socket and having offered them to the other.
    var samples: [Duration]
    /// The loop adds nothing more.
    var isLast = false
}

/// Gathers a loop's entries until they are worth a hand-over to the recorder's thread.
struct Outbox {
    private static let enoughEntries = 512
    private static let enoughBytes = 256 << 10
    /// What an entry costs beside its bytes.
    private static let overhead = 256

    private let loop: Int
    private var entries: [RawEntry] = []
    private var bytes = 0
    private var charges: [(backlog: SessionBacklog, bytes: Int)] = []
    private var samples: [Duration] = []

    init(loop: Int) { self.loop = loop }

    var isFull: Bool { entries.count >= Outbox.enoughEntries || bytes >= Outbox.enoughBytes }

    mutating func append(_ raw: [RawEntry], to backlog: SessionBacklog) {
        var added = 0
        for var entry in raw {
            added += Outbox.overhead + Outbox.compact(&entry)
            entries.append(entry)
        }
        bytes += added
        backlog.add(added)
        if let last = charges.indices.last, charges[last].backlog === backlog {
            charges[last].bytes += added
        } else {
            charges.append((backlog, added))
        }
    }

    /// Nothing happened until this instant.
    mutating func tick(at instant: Instant, crowded: UInt64) {
        let body = Entry.Body.tick(crowded: crowded)
        entries.append(RawEntry(instant: instant, session: SessionID(0), ordinal: 0, body: .value(body)))
        bytes += Outbox.overhead
    }

    mutating func note(_ text: String, at instant: Instant) {
        entries.append(RawEntry(instant: instant, session: SessionID(0), ordinal: 0, body: .value(.note(text))))
        bytes += Outbox.overhead + text.utf8.count
    }

    mutating func sample(_ duration: Duration) { samples.append(duration) }

    mutating func take(watermark: Instant, isLast: Bool = false) -> Batch {
        defer {
            entries = []
            entries.reserveCapacity(Outbox.enoughEntries)
            bytes = 0
            charges = []
            samples = []
        }
        return Batch(
            loop: loop, entries: entries, watermark: watermark, bytes: bytes, charges: charges, samples: samples,
            isLast: isLast)
    }

    /// A small slice is copied, so that it does not keep a whole read buffer alive. Returns what the entry keeps beside
    /// itself, in bytes.
    private static func compact(_ entry: inout RawEntry) -> Int {
        switch entry.body {
        case .read(let direction, let bytes, let ends):
            let kept = bytes.compacted
            entry.body = .read(direction, kept, ends: ends)
            return kept.storageCapacity + ends.count * MemoryLayout<Int32>.stride
        case .piece(let direction, let piece, let bytes, let arrival, let departure, let provenance):
            let kept = bytes.compacted
            entry.body = .piece(direction, piece, kept, in: arrival, out: departure, provenance)
            return kept.storageCapacity
        case .value:
            return 0
        }
    }
}
