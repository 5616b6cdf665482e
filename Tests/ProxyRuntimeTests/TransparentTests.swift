import Journaling
import NIOCore
import ProxyRuntime
import Synchronization
import Testing

/// Without a profile every byte passes unchanged, whatever it is (performance.md, "transparent").
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct TransparentTests {
    /// All frames that a legal client may send, and some that it may not.
    private var fromClient: [UInt8] {
        let mask: [UInt8] = [1, 2, 3, 0xff]
        var bytes = Sample.frame(1, Array("hello".utf8), mask: mask)
        bytes += Sample.frame(2, Sample.pattern(70_000), mask: mask)
        bytes += Sample.frame(1, Array("frag".utf8), fin: false, mask: mask)
        bytes += Sample.frame(9, Array("ping".utf8), mask: mask)
        bytes += Sample.frame(0, Array("ment".utf8), mask: [0, 0, 0, 0])
        bytes += Sample.frame(1, Array("long form".utf8), mask: mask, longForm: true)
        bytes += Sample.frame(3, Array("reserved".utf8), rsv: 7, mask: mask)
        bytes += Sample.frame(1, Array("unmasked".utf8))
        return bytes + Sample.frame(8, [0x03, 0xe8] + Array("bye".utf8), mask: mask)
    }

    private var fromServer: [UInt8] {
        var bytes = Sample.frame(1, Array("{\"type\":\"connected\"}".utf8))
        bytes += Sample.frame(2, Sample.pattern(200_000, seed: 9))
        bytes += Sample.frame(2, [], fin: false) + Sample.frame(10, []) + Sample.frame(0, [1])
        return bytes + Sample.frame(8, [0x03, 0xe8])
    }

    @Test(arguments: [false, true])
    func bytesAreIdenticalInBothDirections(judged: Bool) async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = judged }
        let client = try await RawPeer.connect(port: proxy.address.port)
        let request = Array(Sample.request().utf8)
        try await client.send(request)
        let peer = try await server.next()
        #expect(try await peer.prefix(request.count) == request)
        // The greeting rides on the very segment of the 101.
        let answer = Array(Sample.accepted.utf8) + fromServer
        try await peer.send(answer)
        try await client.send(fromClient)
        try await client.finish()
        #expect(try await peer.everything() == request + fromClient)
        try await peer.finish()
        #expect(try await client.everything() == answer)
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences.isEmpty)
        #expect(result.drained)
        #expect(result.statistics.opened == 1)
        #expect(result.statistics.connected == 1)
        #expect(result.statistics.bytes == UInt64(request.count + fromClient.count + answer.count))
        await server.close()
    }

    @Test func everySplitOfTheHandshakeGivesTheSameBytes() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let request = Array(Sample.request().utf8)
        let early = Sample.text("early", masked: true)
        for cut in stride(from: 1, to: request.count, by: 37) {
            let client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send(Array(request[..<cut]))
            try await client.send(Array(request[cut...]) + early)
            let peer = try await server.next()
            try await peer.send(Array(Sample.accepted.utf8))
            #expect(try await peer.prefix(request.count + early.count) == request + early)
            #expect(try await client.prefix(Sample.accepted.utf8.count) == Array(Sample.accepted.utf8))
            await client.close()
            try await peer.until { $0.ended || $0.closed }
            await peer.close()
        }
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences.isEmpty)
        await server.close()
    }

    @Test func oneHalfEndsAndTheOtherGoesOn() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        try await client.send(Sample.text("last words", masked: true))
        try await client.finish()
        let got = try await peer.everything()
        #expect(got == Array(Sample.request().utf8) + Sample.text("last words", masked: true))
        // The server answers into the open half, long after the client's end.
        let answer = Sample.frame(2, Sample.pattern(300_000))
        try await peer.send(answer)
        try await peer.finish()
        #expect(try await client.everything() == Array(Sample.accepted.utf8) + answer)
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences.isEmpty)
        await server.close()
    }

    @Test(arguments: [false, true])
    func slowReaderStopsTheSender(judged: Bool) async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = judged }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        try await peer.setReading(false)
        let bytes = Sample.frame(2, Sample.pattern(24 << 20), mask: [0, 0, 0, 0])
        let resumed = Mutex(false)
        async let early: Bool = {
            try await client.send(bytes)
            return resumed.withLock { !$0 }
        }()
        // Time for a proxy without back-pressure to swallow everything.
        try await Task.sleep(for: .milliseconds(400))
        resumed.withLock { $0 = true }
        try await peer.setReading(true)
        #expect(try await !early)
        let request = Array(Sample.request().utf8)
        try await client.finish()
        let got = try await peer.everything()
        #expect(got.count == request.count + bytes.count)
        #expect(got == request + bytes)
        await peer.close()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences.isEmpty)
        await server.close()
    }

    @Test func whatIsNoUpgradeIsRelayedAsItComes() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let client = try await RawPeer.connect(port: proxy.address.port)
        let post = "POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        try await client.send(post)
        let peer = try await server.next()
        #expect(try await peer.prefix(post.utf8.count) == Array(post.utf8))
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        try await peer.send(answer)
        #expect(try await client.prefix(answer.utf8.count) == Array(answer.utf8))
        await client.close()
        try await peer.until { $0.ended || $0.closed }
        await peer.close()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.statistics.opaque == 1)
        #expect(result.ledgerDifferences.isEmpty)
        await server.close()
    }

    @Test func theServerMaySpeakFirst() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let client = try await RawPeer.connect(port: proxy.address.port)
        let peer = try await server.next()
        try await peer.send("220 mail ready\r\n")
        #expect(try await client.prefix(16) == Array("220 mail ready\r\n".utf8))
        try await client.send("EHLO x\r\n")
        #expect(try await peer.prefix(8) == Array("EHLO x\r\n".utf8))
        await peer.close()
        try await client.until { $0.ended || $0.closed }
        await client.close()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences.isEmpty)
        await server.close()
    }
}
