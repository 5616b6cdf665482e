import Faults
import Journaling
import NIOCore
import Wire

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

    private let loop: Int
    private var entries: [RawEntry] = []
    private var bytes = 0
    private var charges: [(backlog: SessionBacklog, bytes: Int)] = []
    private var samples: [Duration] = []

    init(loop: Int) { self.loop = loop }

    var isFull: Bool { entries.count >= Outbox.enoughEntries || bytes >= Outbox.enoughBytes }

    /// - Returns: what they count for in the recorder's queue.
    mutating func append(_ raw: [RawEntry], to backlog: SessionBacklog, _ cost: inout QueueCost) -> Int {
        var added = 0
        let expansion = backlog.expansion
        for var entry in raw {
            Outbox.compact(&entry)
            added += cost.of(entry, expansion: expansion)
            entries.append(entry)
        }
        bytes += added
        backlog.add(added)
        if let last = charges.indices.last, charges[last].backlog === backlog {
            charges[last].bytes += added
        } else {
            charges.append((backlog, added))
        }
        return added
    }

    /// Nothing happened until this instant.
    mutating func tick(at instant: Instant, crowded: UInt64) {
        let body = Entry.Body.tick(crowded: crowded)
        entries.append(RawEntry(instant: instant, session: SessionID(0), ordinal: 0, body: .value(body)))
        bytes += QueueCost.entry
    }

    mutating func note(_ text: String, at instant: Instant) {
        entries.append(RawEntry(instant: instant, session: SessionID(0), ordinal: 0, body: .value(.note(text))))
        bytes += QueueCost.entry + text.utf8.count
    }

    mutating func tell(_ record: TargetRecord, at instant: Instant) {
        entries.append(RawEntry(instant: instant, session: SessionID(0), ordinal: 0, body: .value(.target(record))))
        bytes += QueueCost.entry
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

    /// A small slice is copied, so that it does not keep a whole read buffer alive.
    private static func compact(_ entry: inout RawEntry) {
        switch entry.body {
        case .read(let direction, let bytes, let ends):
            entry.body = .read(direction, bytes.compacted, ends: ends)
        case .piece(let direction, let piece, let bytes, let arrival, let departure, let provenance):
            entry.body = .piece(direction, piece, bytes.compacted, in: arrival, out: departure, provenance)
        case .value: break
        }
    }
}
