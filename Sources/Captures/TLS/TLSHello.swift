import NIOCore

/// What a ClientHello says that matters to one who reads along (RFC 8446 section 4.1.2).
struct TLSClientHello: Equatable {
    let random: ClientRandom
    /// Of the server, as it may be shown: letters, digits, dots and the like, at most 253. Nil: none, or not such a name.
    let serverName: String?
    let offersEarlyData: Bool

    /// Nil: not the form of a ClientHello. Extensions that are cut or wrong are read as far as they go.
    init?(_ body: ByteBuffer) {
        var body = body
        guard body.readInteger(as: UInt16.self) != nil, let bytes = body.readBytes(length: 32),
            let random = ClientRandom(bytes), body.readLengthPrefixedSlice(as: UInt8.self) != nil,
            body.readLengthPrefixedSlice(as: UInt16.self) != nil, body.readLengthPrefixedSlice(as: UInt8.self) != nil
        else { return nil }
        self.random = random
        let extensions = TLSExtensions(&body)
        serverName = extensions[.serverName].flatMap(TLSClientHello.name)
        offersEarlyData = extensions[.earlyData] != nil
    }

    private static func name(_ content: ByteBuffer) -> String? {
        var content = content
        guard var list = content.readLengthPrefixedSlice(as: UInt16.self), list.readInteger(as: UInt8.self) == 0,
            let name = list.readLengthPrefixedSlice(as: UInt16.self), (1...253).contains(name.readableBytes)
        else { return nil }
        let plain = name.readableBytesView.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
        return plain ? String(buffer: name) : nil
    }
}

/// What a ServerHello says that matters to one who reads along (RFC 8446 section 4.1.3).
struct TLSServerHello: Equatable {
    /// As negotiated: 0x0303 is TLS 1.2, 0x0304 is TLS 1.3.
    let version: UInt16
    let random: [UInt8]
    let suite: UInt16
    let compression: UInt8
    let encryptsThenMACs: Bool
    /// Chosen in clear (TLS 1.2).
    let protocolName: [UInt8]?

    /// RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest".
    private static let retryRandom: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ]

    var isRetryRequest: Bool { random == TLSServerHello.retryRandom }
    var isTLS13: Bool { version == 0x0304 }

    init?(_ body: ByteBuffer) {
        var body = body
        guard let legacy = body.readInteger(as: UInt16.self), let random = body.readBytes(length: 32),
            body.readLengthPrefixedSlice(as: UInt8.self) != nil, let suite = body.readInteger(as: UInt16.self),
            let compression = body.readInteger(as: UInt8.self)
        else { return nil }
        let extensions = TLSExtensions(&body)
        var chosen = extensions[.supportedVersions]
        version = chosen?.readInteger(as: UInt16.self) ?? legacy
        self.random = random
        self.suite = suite
        self.compression = compression
        encryptsThenMACs = extensions[.encryptThenMAC] != nil
        protocolName = extensions.protocolName
    }
}

/// What EncryptedExtensions say that matters to one who reads along (RFC 8446 section 4.3.1).
struct TLSEncryptedExtensions: Equatable {
    let protocolName: [UInt8]?
    let acceptsEarlyData: Bool

    init(_ body: ByteBuffer) {
        var body = body
        let extensions = TLSExtensions(&body)
        protocolName = extensions.protocolName
        acceptsEarlyData = extensions[.earlyData] != nil
    }
}

/// The extensions at the end of a hello, those that matter. Of one that stands there twice the first counts.
private struct TLSExtensions {
    enum Kind: UInt16 {
        case serverName = 0
        case protocolNegotiation = 16
        case encryptThenMAC = 22
        case earlyData = 42
        case supportedVersions = 43
    }

    private var found: [Kind: ByteBuffer] = [:]

    init(_ body: inout ByteBuffer) {
        guard var list = body.readLengthPrefixedSlice(as: UInt16.self) else { return }
        while let number = list.readInteger(as: UInt16.self),
            let content = list.readLengthPrefixedSlice(as: UInt16.self)
        {
            if let kind = Kind(rawValue: number), found[kind] == nil { found[kind] = content }
        }
    }

    subscript(_ kind: Kind) -> ByteBuffer? { found[kind] }

    /// The one protocol that a server chose.
    var protocolName: [UInt8]? {
        var content = found[.protocolNegotiation]
        var list = content?.readLengthPrefixedSlice(as: UInt16.self)
        return list?.readLengthPrefixedSlice(as: UInt8.self).map { Array($0.readableBytesView) }
    }
}
