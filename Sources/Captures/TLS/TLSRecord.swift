import NIOCore

/// The five bytes in front of a record (RFC 8446 section 5.1).
struct TLSRecordHeader: Equatable {
    static let size = 5
    /// Of the ciphertext, RFC 5246 section 6.2.3; 1.3 allows less.
    static let longest = (1 << 14) + 2048

    enum Kind: UInt8 {
        case changeCipherSpec = 20
        case alert, handshake, application, heartbeat
    }

    let kind: Kind
    let version: UInt16
    let length: Int

    enum Result: Equatable {
        case header(TLSRecordHeader)
        case partial
        /// These bytes begin no record.
        case wrong
    }

    /// Looks at the first bytes only.
    static func peek(_ bytes: ByteBuffer) -> Result {
        let at = bytes.readerIndex
        guard let kind = bytes.getInteger(at: at, as: UInt8.self) else { return .partial }
        guard let kind = Kind(rawValue: kind) else { return .wrong }
        guard let major = bytes.getInteger(at: at + 1, as: UInt8.self) else { return .partial }
        guard major == 3 else { return .wrong }
        guard let minor = bytes.getInteger(at: at + 2, as: UInt8.self) else { return .partial }
        guard minor <= 4 else { return .wrong }
        guard let length = bytes.getInteger(at: at + 3, as: UInt16.self) else { return .partial }
        guard Int(length) <= longest else { return .wrong }
        return .header(TLSRecordHeader(kind: kind, version: 0x0300 | UInt16(minor), length: Int(length)))
    }
}

/// What a record held, decrypted.
struct TLSPlain {
    let kind: TLSRecordHeader.Kind?
    var content: ByteBuffer
}
