import NIOCore
import Wire

extension Entry {
    /// For recordings of mode `meta`: who, when and how much, and nothing that anybody said (trust.md T37). How a session
    /// ended is no content: of a Close frame the code stays, and not the reason.
    package var withoutContent: Entry { withoutContent("not recorded", closeBytes: 2) }

    /// - Parameters:
    ///   - reason: why the message is not there.
    ///   - closeBytes: how much of a Close frame's payload stays.
    package func withoutContent(_ reason: String, closeBytes: Int) -> Entry {
        var entry = self
        switch body {
        case .head(var head):
            head.bytes = ByteBuffer()
            entry.body = .head(head)
        case .frame(var record):
            let kept = record.frame.opcode == .close ? Array(record.frame.payload.readableBytesView.prefix(closeBytes)) : []
            record.redacted = record.redacted || record.frame.payload.readableBytes > kept.count
            record.frame.payload = ByteBuffer(bytes: kept)
            if record.message?.payload != nil {
                record.message?.payload = nil
                record.message?.unlifted = reason
            }
            entry.body = .frame(record)
        case .bytes(var bytes):
            bytes.bytes = ByteBuffer()
            entry.body = .bytes(bytes)
        default: break
        }
        return entry
    }
}
