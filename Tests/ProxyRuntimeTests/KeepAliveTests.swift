import Journaling
import ProxyRuntime
import Synchronization
import Testing

/// A connection that is used before it is upgraded, at real sockets.
@Suite(.ownThreads, .timeLimit(.minutes(2))) struct KeepAliveTests {
    @Test func plainRequestsThenARefusedUpgradeThenOneThatIsAccepted() async throws {
        let seen = Mutex<[Entry]>([])
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in seen.withLock { $0.append(entry) } })) { $0.judge = true }
        let client = try await RawPeer.connect(port: proxy.address.port)
        let plain = "GET /health HTTP/1.1\r\nHost: h\r\n\r\nPOST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
        let answers = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        let refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nnope"
        // All in one segment: what may not go yet waits.
        try await client.send(plain + Sample.request("/first"))
        let peer = try await server.next()
        #expect(try await peer.prefix(plain.utf8.count) == Array(plain.utf8))
        try await peer.send(answers)
        let first = plain + Sample.request("/first")
        #expect(try await peer.prefix(first.utf8.count) == Array(first.utf8))
        try await peer.send(refusal)
        #expect(try await client.prefix((answers + refusal).utf8.count) == Array((answers + refusal).utf8))
        let early = Sample.text("hello", masked: true)
        try await client.send(Array(Sample.request("/second").utf8) + early)
        let asked = Array((first + Sample.request("/second")).utf8) + early
        #expect(try await peer.prefix(asked.count) == asked)
        try await peer.send(Array(Sample.accepted.utf8) + Sample.text("welcome", masked: false))
        try await client.finish()
        #expect(try await peer.everything() == asked)
        try await peer.finish()
        #expect(try await client.everything() == Array((answers + refusal + Sample.accepted).utf8) + Sample.text("welcome", masked: false))
        let result = await proxy.drain(grace: .seconds(60))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        let entries = seen.withLock { $0 }
        let became = entries.compactMap { entry -> Became? in if case .became(let became) = entry.body { became } else { nil } }
        #expect(became == [.opaque("no Upgrade: websocket"), .refused(status: 401), .accepted(subprotocol: nil, deflate: false)])
        let opened = entries.compactMap { entry -> Opened? in if case .opened(let opened) = entry.body { opened } else { nil } }
        #expect(opened.count == 3 && Set(opened.map(\.transport)).count == 1)
        let closed = entries.filter { if case .closed = $0.body { true } else { false } }
        #expect(closed.count == 3)
        #expect(result.statistics.bytes == UInt64(asked.count + (answers + refusal + Sample.accepted).utf8.count + 9))
    }
}
