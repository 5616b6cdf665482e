import Journaling
import NIOCore
import Wire

/// Frames that wait until the message they belong to, or stand within, is decided. A peer pays two bytes for an empty
/// fragment: their bytes lie in one buffer, and each costs two words beside them (trust.md T20).
struct WaitingFrames: Sendable {
    struct Frame: Sendable {
        var wire: ByteBuffer
        var arrived: Instant
        /// It is no fragment of the message.
        var isAside: Bool {
            wire.getInteger(at: wire.readerIndex, as: UInt8.self).map { !Opcode(rawValue: $0).isOfMessage } ?? false
        }
    }
    private struct Item: Sendable {
        /// Where it ends in `bytes`.
        var end: Int
        var arrived: Instant
    }
    private var bytes = ByteBuffer()
    private var items: [Item] = []

    var count: Int { items.count }
    var isEmpty: Bool { items.isEmpty }
    /// Bytes of all of them.
    var size: Int { bytes.readableBytes }

    mutating func append(_ wire: ByteBuffer, arrived: Instant) {
        // Most messages are one frame, which is decided at once.
        if items.isEmpty { bytes = wire } else { bytes.writeImmutableBuffer(wire) }
        items.append(Item(end: bytes.readableBytes, arrived: arrived))
    }

    /// One by one, in their order.
    var frames: [Frame] {
        var begin = 0
        return items.map { item in
            defer { begin = item.end }
            let wire = bytes.getSlice(at: bytes.readerIndex + begin, length: item.end - begin)
            return Frame(wire: wire ?? ByteBuffer(), arrived: item.arrived)
        }
    }

    mutating func take() -> [Frame] {
        defer { self = WaitingFrames() }
        return frames
    }

    /// The wire bytes of the message, what stands between its fragments left out.
    var message: ByteBuffer {
        let parts = frames.filter { !$0.isAside }
        if parts.count == items.count { return bytes }
        guard var joined = parts.first?.wire else { return ByteBuffer() }
        for part in parts.dropFirst() { joined.writeImmutableBuffer(part.wire) }
        return joined
    }
}
