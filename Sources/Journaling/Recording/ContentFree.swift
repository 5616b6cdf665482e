import NIOCore
import Wire

extension Entry {
    /// For recordings of mode `meta`: who, when and how much, and nothing that anybody said (trust.md T37).
    package var withoutContent: Entry {
        var entry = self
        switch body {
        case .head(var head):
            head.bytes = ByteBuffer()
            entry.body = .head(head)
        case .frame(var record):
            // How a session ended is no content: of a Close frame the code stays, and not the reason.
            let kept = record.frame.opcode == .close ? Array(record.frame.payload.readableBytesView.prefix(2)) : []
            record.redacted = record.redacted || record.frame.payload.readableBytes > kept.count
            record.frame.payload = ByteBuffer(bytes: kept)
            if record.message?.payload != nil {
                record.message?.payload = nil
                record.message?.unlifted = "not recorded"
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
