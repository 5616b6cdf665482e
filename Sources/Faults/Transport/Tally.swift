import Journaling
import NIOCore
import Wire

/// Which entries the bytes in a conduit stand for. Shapers cut and join them as they like; here they are counted back into
/// what arrived, so that each has its entry when the last of it has left.
struct Tally: Sendable {
    struct Held: Sendable {
        let bytes: ByteBuffer
        let note: Outbox.Note
        /// Bytes that have left, and when the last of them did.
        var left = 0
        var leftAt = Instant.zero
        /// Bytes thrown away, always the last ones.
        var dropped = 0
        var fault = ""

        var open: Int { bytes.readableBytes - left - dropped }
    }
    /// What became of something.
    enum Outcome: Sendable {
        case departed(ByteBuffer, Outbox.Note)
        case partly(ByteBuffer, Outbox.Note, out: Instant, fault: String)
    }

    private var line = FIFO<Held>()
    /// What it all takes in memory.
    private(set) var price = 0

    var isEmpty: Bool { line.isEmpty }

    mutating func append(_ bytes: ByteBuffer, _ note: Outbox.Note) {
        line.append(Held(bytes: bytes, note: note))
        price += Outbox.Item.overhead + bytes.readableBytes
    }

    mutating func leave(_ count: Int, at now: Instant, _ outcome: (Outcome) -> Void) {
        var count = count
        while count > 0, var held = line.first {
            let part = min(count, held.open)
            count -= part
            held.left += part
            held.leftAt = now
            line.first = held
            if held.open == 0 { settle(0, outcome) }
        }
    }

    /// - Parameter behind: bytes before them that go on.
    mutating func drop(_ count: Int, behind: Int, fault: String, _ outcome: (Outcome) -> Void) {
        var count = count
        var skip = behind
        var place = 0
        while count > 0, place < line.count {
            let open = line[place].open
            let part = min(count, max(0, open - skip))
            skip = max(0, skip - open)
            guard part > 0 else {
                place += 1
                continue
            }
            count -= part
            line[place].dropped += part
            line[place].fault = fault
            if line[place].open == 0 { settle(place, outcome) } else { place += 1 }
        }
    }

    /// Nothing more leaves.
    /// - Returns: bytes that have not.
    mutating func close(_ fault: String, _ outcome: (Outcome) -> Void) -> Int {
        var lost = 0
        while var held = line.first {
            lost += held.open
            held.dropped += held.open
            if held.fault.isEmpty { held.fault = fault }
            line.first = held
            settle(0, outcome)
        }
        return lost
    }

    private mutating func settle(_ place: Int, _ outcome: (Outcome) -> Void) {
        let held = line[place]
        line.remove(at: place)
        price -= Outbox.Item.overhead + held.bytes.readableBytes
        if held.dropped == 0 {
            outcome(.departed(held.bytes, held.note))
        } else if held.left > 0, let part = held.bytes.getSlice(at: held.bytes.readerIndex, length: held.left) {
            outcome(.partly(part, held.note, out: held.leftAt, fault: held.fault))
        }
    }
}
