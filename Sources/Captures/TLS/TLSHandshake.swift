import NIOCore

/// Cuts handshake messages out of the contents of records, over which they may be spread. Keeps the bodies of the few
/// that tell something, and runs past the others, so that memory stays small.
struct TLSHandshakeReader {
    enum Kind: UInt8 {
        case helloRequest = 0
        case clientHello = 1
        case serverHello = 2
        case encryptedExtensions = 8
        case finished = 20
        case keyUpdate = 24
    }

    struct Message {
        /// Nil: one that does not matter here.
        let kind: Kind?
        /// Empty for kinds whose content is of no use.
        let body: ByteBuffer
    }

    enum Result {
        case message(Message)
        case partial
        /// A message that has to be read has more bytes than are kept.
        case tooLong
    }

    /// Bytes of a hello that is read; with post-quantum shares and ECH they have a few KiB.
    static let longest = 1 << 16

    private var pending = ByteBuffer()
    private var passing: (kind: Kind?, left: Int)?

    mutating func append(_ content: ByteBuffer) {
        pending.discardReadBytes()
        pending.writeImmutableBuffer(content)
    }

    /// Whether a message has begun and not ended.
    var isInside: Bool { passing != nil || pending.readableBytes > 0 }

    mutating func next() -> Result {
        if let (kind, left) = passing {
            let count = min(left, pending.readableBytes)
            pending.moveReaderIndex(forwardBy: count)
            guard count == left else {
                passing = (kind, left - count)
                return .partial
            }
            passing = nil
            return .message(Message(kind: kind, body: ByteBuffer()))
        }
        let at = pending.readerIndex
        guard let type = pending.getInteger(at: at, as: UInt8.self),
            let high = pending.getInteger(at: at + 1, as: UInt8.self),
            let low = pending.getInteger(at: at + 2, as: UInt16.self)
        else { return .partial }
        let length = Int(high) << 16 | Int(low)
        let kind = Kind(rawValue: type)
        switch kind {
        case .clientHello, .serverHello, .encryptedExtensions, .keyUpdate:
            guard length <= TLSHandshakeReader.longest else { return .tooLong }
            guard pending.readableBytes >= 4 + length else { return .partial }
            pending.moveReaderIndex(forwardBy: 4)
            guard let body = pending.readSlice(length: length) else { return .partial }
            return .message(Message(kind: kind, body: body))
        case .helloRequest, .finished, nil:
            pending.moveReaderIndex(forwardBy: 4)
            passing = (kind, length)
            return next()
        }
    }
}
