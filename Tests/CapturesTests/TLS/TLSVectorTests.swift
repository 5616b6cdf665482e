import NIOCore
import Testing

@testable import Captures

/// Published values: RFC 8448 section 3 for TLS 1.3, the vectors of the TLS working group's list for the PRF of TLS 1.2.
@Suite struct TLSVectorTests {
    private func bytes(_ hex: String) -> [UInt8] { TLSExchange.bytes(hex) }

    static let clientHandshake = "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"

    @Test func trafficKeysOfTheRFC() throws {
        let rows = [
            (Self.clientHandshake, "dbfaa693d1762c5b666af5d950258d01", "5bd3c71b836e0b76bb73265f"),
            (
                "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
                "3fce516009c21727d0f2e4e86ee403bc", "5d313eb2671276ee13000b30"
            ),
            (
                "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
                "17422dda596ed5d9acd890e3c63f5051", "5b78923dee08579033e523d9"
            ),
            (
                "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
                "9f02283b6c9c07efc26bb9f2ac92e356", "cf782b88dd83549aadf1e984"
            ),
        ]
        for (secret, key, vector) in rows {
            #expect(try OpenSSLKDF.expand(bytes(secret), label: "key", count: 16, hash: .sha256) == bytes(key))
            #expect(try OpenSSLKDF.expand(bytes(secret), label: "iv", count: 12, hash: .sha256) == bytes(vector))
        }
    }

    /// The client's Finished, the first record under its handshake key.
    @Test func aRecordOfTheRFC() throws {
        let suite = try #require(CipherSuite(0x1301))
        let opener = try RecordOpener(suite: suite, secret: bytes(Self.clientHandshake))
        let sealed = bytes(
            "75ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c40546"
        )
        let header = TLSRecordHeader(kind: .application, version: 0x0303, length: sealed.count)
        var damaged = sealed
        damaged[3] ^= 1
        #expect(throws: RecordOpener.Failure.unauthentic) { try opener.open(header, ByteBuffer(bytes: damaged)) }
        let plain = try opener.open(header, ByteBuffer(bytes: sealed))
        #expect(plain.kind == .handshake)
        let message = "14000020a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61"
        #expect(Array(plain.content.readableBytesView) == bytes(message))
        #expect(throws: RecordOpener.Failure.unauthentic) { try opener.open(header, ByteBuffer(bytes: sealed)) }
    }

    @Test func thePRFOfTLS12() throws {
        let short = try OpenSSLKDF.prf(
            bytes("9bbe436ba940f017b17652849a71db35"), label: "test label",
            seed: bytes("a0ba9f936cda311827a6f796ffd5198c"),
            count: 100, hash: .sha256)
        #expect(
            short
                == bytes(
                    "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7"
                        + "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66"
                ))
        let long = try OpenSSLKDF.prf(
            bytes("b80b733d6ceefcdc71566ea48e5567df"), label: "test label",
            seed: bytes("cd665cf6a8447dd6ff8b27555edb7465"),
            count: 148, hash: .sha384)
        #expect(
            long
                == bytes(
                    "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40"
                        + "0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90"
                        + "fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f"
                ))
    }

    @Test func impossibleLengthsAreErrors() throws {
        #expect(throws: OpenSSLError.self) { try OpenSSLKDF.expand([1], label: "key", count: 256, hash: .sha256) }
        #expect(throws: OpenSSLError.self) { try OpenSSLKDF.expand([], label: "key", count: 16, hash: .sha256) }
        #expect(throws: OpenSSLError.self) { try OpenSSLAEAD(.aes128GCM, key: [1, 2, 3]) }
        #expect(throws: OpenSSLError.self) { try OpenSSLCBC(.aes256CBC, key: [UInt8](repeating: 0, count: 16)) }
        let cipher = try OpenSSLAEAD(.chaCha20, key: [UInt8](repeating: 0, count: 32))
        for count in 0...17 {
            let zeros = ByteBuffer(repeating: 0, count: count)
            #expect(try cipher.open(zeros, nonce: [UInt8](repeating: 0, count: 12), extra: []) == nil)
        }
    }

    @Test func handshakeMessagesAreCutOutOfAnyPieces() throws {
        // Finished, a Certificate too long to keep, a hello.
        let certificate = [11, 0x02, 0, 0] + [UInt8](repeating: 9, count: 0x2_0000)
        let stream: [UInt8] = [20, 0, 0, 2, 1, 2] + certificate + [2, 0, 0, 3, 7, 8, 9, 0, 0, 0, 0]
        for size in [1, 4, 1000, 1 << 20] {
            var reader = TLSHandshakeReader()
            var seen: [(TLSHandshakeReader.Kind?, Int)] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                reader.append(ByteBuffer(bytes: stream[start..<min(stream.count, start + size)]))
                while case .message(let message) = reader.next() {
                    seen.append((message.kind, message.body.readableBytes))
                }
            }
            #expect(seen.map(\.0) == [.finished, nil, .serverHello, .helloRequest])
            #expect(seen.map(\.1) == [0, 0, 3, 0])
            #expect(!reader.isInside)
        }
        var tooLong = TLSHandshakeReader()
        tooLong.append(ByteBuffer(bytes: [1, 1, 0, 1]))
        guard case .tooLong = tooLong.next() else { Issue.record("a hello of 64 KiB and a byte"); return }
    }

    /// Ten thousand connections in the middle of a record must not keep ten thousand windows of a file alive.
    @Test func whatIsLeftOfARecordKeepsNoLargeBufferAlive() throws {
        var window = ByteBuffer(repeating: 7, count: 1 << 18)
        let direction = TLSDirection(.client)
        for _ in 0..<40 {
            let piece = window.readSlice(length: 100)
            direction.append(try #require(piece))
            direction.keep()
        }
        #expect(direction.input.readableBytes == 4_000)
        #expect(direction.input.storageCapacity <= 8_192)
    }

    @Test func hostileHellosAreNoHellos() throws {
        let hello = Array(try TLSExchange.read("13-retry").flights[0].bytes.dropFirst(9))
        let whole = try #require(TLSClientHello(ByteBuffer(bytes: hello)))
        #expect(whole.serverName == "chat.example")
        for count in 0..<hello.count { _ = TLSClientHello(ByteBuffer(bytes: hello.prefix(count))) }
        for index in 34..<hello.count {
            var damaged = hello
            damaged[index] ^= 0x80
            if let read = TLSClientHello(ByteBuffer(bytes: damaged)) { #expect(read.random == whole.random) }
        }
        for index in 0...40 { #expect(TLSClientHello(ByteBuffer(bytes: hello.prefix(index))) == nil) }
    }
}
