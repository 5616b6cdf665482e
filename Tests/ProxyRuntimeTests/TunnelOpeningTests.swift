import NIOCore
import Testing

@testable import ProxyRuntime

/// What a tunnel's first bytes say of it.
struct TunnelOpeningTests {
    /// However the first record is cut, and with CONNECT and it in one go.
    @Test func aHelloIsKnownHoweverItIsCut() throws {
        let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]
        for count in 0...hello.count {
            #expect(TunnelOpening(ByteBuffer(bytes: hello.prefix(count))) == (count < 6 ? .unknown : .tls), "\(count)")
        }
        for other in [[22, 2], [23], [22, 3, 1, 0, 5, 2], [22, 3, 1, 0, 5, 0x68], Array("GET / HTTP".utf8)] as [[UInt8]] {
            #expect(TunnelOpening(ByteBuffer(bytes: other)) == .other, "\(other)")
        }
    }
}
