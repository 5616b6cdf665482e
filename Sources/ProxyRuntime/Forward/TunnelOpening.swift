import NIOCore

/// What the client of a tunnel begins with, as far as it decides who is to read it.
enum TunnelOpening: Equatable {
    /// It may still become either.
    case unknown
    /// A ClientHello (RFC 8446 sections 4.1.2 and 5.1; RFC 5246 alike).
    case tls
    case other

    /// The record's type, the version's major byte, two bytes of which any will do and the length, the message's type.
    private static let hello: [UInt8?] = [22, 3, nil, nil, nil, 1]

    init(_ bytes: ByteBuffer) {
        let seen = bytes.readableBytesView.prefix(Self.hello.count)
        let isLike = zip(seen, Self.hello).allSatisfy { $1 == nil || $0 == $1 }
        self = isLike ? seen.count == Self.hello.count ? .tls : .unknown : .other
    }
}
