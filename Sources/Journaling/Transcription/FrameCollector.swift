import NIOCore
import Wire

/// A frame put together, however many reads it took.
struct CollectedFrame {
    var header: FrameHeader
    /// Unmasked and copied; nil when larger than may be lifted (trust.md L4).
    var payload: ByteBuffer?
    var wireSize: UInt64

    /// The frame as an entry holds it.
    var frame: Frame {
        Frame(
            firstByte: header.firstByte, lengthForm: header.lengthForm, declaredLength: header.declaredLength,
            maskKey: header.maskKey, payload: payload ?? ByteBuffer())
    }
}

/// Puts the bytes of one direction's reads together into frames. Keeps the bytes of at most one frame, and of one that
/// is too large only its header and their number.
struct FrameCollector {
    private var held = ByteBuffer()
    private var header: FrameHeader?
    /// Bytes of the frame begun that were not kept.
    private var skipped: UInt64 = 0
    private let limit: UInt64

    init(limit: Int) { self.limit = UInt64(clamping: limit) }

    /// Bytes taken of a frame that has not ended.
    var begun: UInt64 { skipped + UInt64(clamping: held.readableBytes) }

    /// Bytes that do not end a frame.
    mutating func add(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        if skipped > 0 {
            skipped += UInt64(clamping: bytes.readableBytes)
            return
        }
        held.writeImmutableBuffer(bytes)
        if header == nil { header = FrameHeader(held) }
        if let header, header.declaredLength > limit {
            skipped = UInt64(clamping: held.readableBytes)
            held = ByteBuffer()
        }
    }

    /// The bytes with which the frame begun ends, or a whole frame. Nil when they hold no header.
    mutating func end(with bytes: ByteBuffer) -> CollectedFrame? {
        if begun == 0 { return FrameCollector.whole(bytes, limit: limit) }
        add(bytes)
        defer { reset() }
        if skipped > 0 { return header.map { CollectedFrame(header: $0, payload: nil, wireSize: skipped) } }
        return FrameCollector.whole(held, limit: limit)
    }

    /// Bytes of a frame that is passed on in pieces: the frame, when they end it.
    mutating func pass(_ bytes: ByteBuffer) -> CollectedFrame? {
        add(bytes)
        guard let header else { return nil }
        let (size, overflow) = header.declaredLength.addingReportingOverflow(UInt64(header.size))
        guard !overflow, begun >= size else { return nil }
        return end(with: ByteBuffer())
    }

    mutating func reset() {
        held = ByteBuffer()
        header = nil
        skipped = 0
    }

    /// Exactly one frame, whose payload is what is there, whatever its header declares.
    static func whole(_ bytes: ByteBuffer, limit: UInt64) -> CollectedFrame? {
        guard let header = FrameHeader(bytes) else { return nil }
        let size = UInt64(clamping: bytes.readableBytes)
        guard size - UInt64(header.size) <= limit else {
            return CollectedFrame(header: header, payload: nil, wireSize: size)
        }
        var payload = ByteBuffer(bytes: bytes.readableBytesView.dropFirst(header.size))
        if let key = header.maskKey { Mask.apply(key, to: &payload) }
        return CollectedFrame(header: header, payload: payload, wireSize: size)
    }
}
