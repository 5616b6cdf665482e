import Journaling
import NIOCore
import Wire

/// What the entries of one session cost in the recorder's queue, in bytes. Follows the frames of both directions from read to
/// read as far as it takes to know which bytes are compressed. Confined to the session's loop.
struct QueueCost {
    /// What an entry costs beside its bytes.
    static let entry = 256

    private struct Lane {
        /// The message begun is compressed, so that fragments of it are too.
        var isMessageCompressed = false
        /// The frame begun is; nil between frames.
        var isFrameCompressed: Bool?

        mutating func begin(_ first: UInt8) -> Bool {
            let opcode = Opcode(rawValue: first & 15)
            // RFC 7692 section 6: RSV1 of a message's first frame.
            if opcode == .text || opcode == .binary { isMessageCompressed = first & 0x40 != 0 }
            return isMessageCompressed && opcode.isOfMessage
        }

        /// Whether the frame that these bytes belong to is: the one begun, or one that begins there.
        mutating func frame(at offset: Int, of bytes: ByteBuffer) -> Bool {
            if let isFrameCompressed { return isFrameCompressed }
            guard let first = bytes.getInteger(at: bytes.readerIndex + offset, as: UInt8.self) else { return false }
            let isCompressed = begin(first)
            isFrameCompressed = isCompressed
            return isCompressed
        }
    }

    private var toServer = Lane()
    private var toClient = Lane()

    /// - Parameter expansion: what a compressed byte is counted for.
    mutating func of(_ entry: RawEntry, expansion: Int) -> Int {
        switch entry.body {
        case .read(let direction, let bytes, let ends):
            let compressed = direction == .toServer ? Self.compressed(bytes, ends, &toServer) : Self.compressed(bytes, ends, &toClient)
            return bytes.storageCapacity + ends.count * MemoryLayout<Int32>.stride + max(1, ends.count) * Self.entry
                + compressed * expansion
        case .piece(let direction, .frame, let bytes, in: _, out: _, _):
            guard let first = bytes.getInteger(at: bytes.readerIndex, as: UInt8.self) else { return Self.entry }
            let isCompressed = direction == .toServer ? toServer.begin(first) : toClient.begin(first)
            return bytes.storageCapacity + Self.entry + (isCompressed ? bytes.readableBytes * expansion : 0)
        case .piece(_, _, let bytes, in: _, out: _, _):
            return bytes.storageCapacity + Self.entry
        case .value:
            return Self.entry
        }
    }

    /// Bytes of compressed frames among these.
    private static func compressed(_ bytes: ByteBuffer, _ ends: [Int32], _ lane: inout Lane) -> Int {
        var compressed = 0
        var offset = 0
        for end in ends {
            if lane.frame(at: offset, of: bytes) { compressed += Int(end) - offset }
            lane.isFrameCompressed = nil
            offset = Int(end)
        }
        if offset < bytes.readableBytes, lane.frame(at: offset, of: bytes) { compressed += bytes.readableBytes - offset }
        return compressed
    }
}
