import Journaling
import NIOCore
import Synchronization
import Wire

/// What all cases of this process hold at once, so that a server that floods each of many connections fills no memory.
package final class CaseMemory: Sendable {
    package static let shared = CaseMemory(most: 64 << 20)

    private let held = Atomic<Int>(0)
    private let most: Int

    package init(most: Int) { self.most = most }

    var isCrowded: Bool { held.load(ordering: .relaxed) > most }
    func add(_ bytes: Int) { held.add(bytes, ordering: .relaxed) }
}

/// What one case holds: its journal, what waits to be joined, what the judge remembers. Counted, not measured: a byte of
/// the server is kept in several places that grow by doubling, and a frame of two bytes has an entry of hundreds.
struct CaseWeight {
    /// Bytes of memory. Where all cases together hold too much, `crowded` is all that each may have.
    private let most: Int
    static let usual = 24 << 20
    private static let crowded = 1 << 20
    private static let entry = 768
    private static let copies = 4

    private let memory: CaseMemory
    private var held = 0
    private(set) var entries = 0
    private(set) var bytes = 0
    private var fromServer = 0
    /// Frames that the users sent, and their bytes; Pongs are the server's doing.
    private var own = (frames: 0, bytes: 0)

    var asked: Int { own.bytes }

    init(_ memory: CaseMemory, most: Int = usual) {
        self.memory = memory
        self.most = most
    }

    /// The server sent much more than it was given cause for. Answers that repeat their question a few times, on each
    /// connection of its user, are none of that: then the case itself was too large for us.
    var isFlood: Bool { bytes > 16 * own.bytes + (64 << 10) || fromServer > 4 * own.frames + 1_000 }

    var isTooMuch: Bool { held > (memory.isCrowded ? Self.crowded : most) }

    /// The server sent so many bytes.
    mutating func add(bytes count: Int) {
        bytes += count
        hold(count * Self.copies)
    }

    mutating func add(_ raw: [RawEntry]) {
        var count = 0
        for entry in raw {
            switch entry.body {
            case .read(let direction, let bytes, let ends):
                count += max(1, ends.count)
                if direction == .toClient { fromServer += max(1, ends.count) } else { addOwn(bytes, ends) }
            case .piece(.toClient, _, _, _, _, _):
                count += 1
                fromServer += 1
            case .piece(.toServer, _, let bytes, _, _, _):
                count += 1
                addOwn(bytes, [Int32(clamping: bytes.readableBytes)])
            case .value: count += 1
            }
        }
        entries += count
        hold(count * Self.entry)
    }

    private mutating func addOwn(_ bytes: ByteBuffer, _ ends: [Int32]) {
        var start = 0
        for end in ends {
            let first = bytes.getInteger(at: bytes.readerIndex + start, as: UInt8.self) ?? 0
            if Opcode(rawValue: first) != .pong {
                own.frames += 1
                own.bytes += max(0, Int(end) - start)
            }
            start = Int(end)
        }
        own.bytes += max(0, bytes.readableBytes - start)
    }

    private mutating func hold(_ count: Int) {
        held += count
        memory.add(count)
    }

    /// Nothing is held any more.
    mutating func release() {
        memory.add(-held)
        held = 0
    }

    /// The first entries of a case that became too much: enough to tell how it began.
    static func beginning(of entries: [Entry]) -> [Entry] {
        var left = 256 << 10
        return Array(
            entries.prefix { entry in
                left -= Self.entry
                if case .frame(let frame) = entry.body { left -= frame.frame.payload.readableBytes }
                return left > 0
            })
    }
}
