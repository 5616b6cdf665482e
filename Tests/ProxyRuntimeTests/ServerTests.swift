import Glibc
import Journaling
import ProxyRuntime
import Synchronization
import Testing

/// Starting, refusing to start, ending.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct ServerTests {
    private func options(listen: Int, upstream: String) throws -> ProxyOptions {
        ProxyOptions(listen: HostPort(host: "127.0.0.1", port: listen), upstream: try Upstream(url: upstream))
    }

    @Test func aTakenPortIsNamedWithItsOwner() async throws {
        let server = try await RawServer()
        let options = try options(listen: server.port, upstream: "ws://127.0.0.1:9")
        let error = await #expect(throws: RuntimeError.self) { try await ProxyServer.start(options) }
        guard case .portInUse(let place, let owner) = error else { throw Unexpected(error) }
        #expect(place.port == server.port)
        #expect(owner?.pid == Int(getpid()))
        await server.close()
    }

    private struct Unexpected: Error {
        var error: (any Error)?
        init(_ error: (any Error)?) { self.error = error }
    }

    @Test(arguments: ["127.0.0.1", "localhost", "0.0.0.0"])
    func itsOwnListenerIsNoTarget(host: String) async throws {
        let port = try #require(FreePort.find())
        let options = try options(listen: port, upstream: "ws://\(host):\(port)")
        let error = await #expect(throws: RuntimeError.self) { try await ProxyServer.start(options) }
        guard case .forbiddenTarget = error else { throw Unexpected(error) }
    }

    @Test func linkLocalAddressesAreNoTargets() async throws {
        let options = try options(listen: 0, upstream: "ws://169.254.169.254:80")
        let error = await #expect(throws: RuntimeError.self) { try await ProxyServer.start(options) }
        guard case .forbiddenTarget = error else { throw Unexpected(error) }
    }

    @Test func aTargetThatDoesNotAnswerIsSaidSo() async throws {
        let port = try #require(FreePort.find())
        let options = try options(listen: 0, upstream: "ws://127.0.0.1:\(port)")
        let error = await #expect(throws: RuntimeError.self) {
            try await ProxyServer.start(options, patience: .milliseconds(300))
        }
        guard case .targetSilent(_, let reason, let attempts, _) = error else { throw Unexpected(error) }
        #expect(reason == "connection refused")
        #expect(attempts > 1)
    }

    @Test func anUpstreamThatIsDownGivesA502AndAReason() async throws {
        let port = try #require(FreePort.find())
        let lines = Mutex<[String]>([])
        let proxy = try await proxy(to: port, Watcher(onEvent: { event in
            if case .failed(let reason, _, _) = event.kind { lines.withLock { $0.append(reason) } }
        })) { $0.judge = true }
        for _ in 0..<2 {
            let client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send(Sample.request())
            let answer = String(decoding: try await client.everything(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 502 "))
            #expect(answer.contains("refused the connection"))
            await client.close()
        }
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.statistics.failed == 2)
        #expect(result.ledgerDifferences.isEmpty)
        #expect(lines.withLock { $0.count } == 2)
        #expect(lines.withLock { $0.allSatisfy { $0.contains("refused the connection") } })
    }

    private func session(_ proxy: ProxyServer, _ server: RawServer) async throws -> (client: RawPeer, peer: RawPeer) {
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        return (client, peer)
    }

    @Test func drainingLetsSessionsEnd() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port)
        let (client, peer) = try await session(proxy, server)
        async let result = proxy.drain(grace: .seconds(60))
        try await client.send(Sample.text("still here", masked: true))
        let expected = Array(Sample.request().utf8) + Sample.text("still here", masked: true)
        #expect(try await peer.prefix(expected.count) == expected)
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        #expect(await result.drained)
        await #expect(throws: (any Error).self) { try await RawPeer.connect(port: proxy.address.port) }
        await server.close()
    }

    @Test func aSecondDrainCutsAtOnce() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port)
        let (client, peer) = try await session(proxy, server)
        async let first = proxy.drain(grace: .seconds(3_600))
        try await client.send(Sample.text("while draining", masked: true))
        _ = try await peer.prefix(Sample.request().utf8.count + 20)
        let second = await proxy.drain(grace: .zero)
        #expect(!second.drained)
        #expect(await first.statistics == second.statistics)
        try await client.gone()
        try await peer.until { $0.closed || $0.ended }
        await server.close()
    }

    @Test func noMoreSessionsThanTheLimitAllows() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.limits.sessions = 2 }
        let first = try await session(proxy, server)
        let second = try await session(proxy, server)
        let third = try await RawPeer.connect(port: proxy.address.port)
        try await third.send(Sample.request())
        // Time for a proxy without the limit to take it.
        try await Task.sleep(for: .milliseconds(200))
        #expect(proxy.liveSessions == 2)
        await first.client.close()
        try await first.peer.until { $0.ended || $0.closed }
        await first.peer.close()
        let peer = try await server.next()
        #expect(try await peer.prefix(Sample.request().utf8.count) == Array(Sample.request().utf8))
        for end in [second.client, second.peer, third, peer] { await end.close() }
        _ = await proxy.drain(grace: .seconds(60))
        await server.close()
    }

    /// Monitors go by the journal's clock, which goes on while nobody says anything, also where nothing is kept.
    @Test func timePassesWhereNobodyTalks() async throws {
        let server = try await RawServer()
        let ticks = Mutex<[Instant]>([])
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in
            if case .tick = entry.body { ticks.withLock { $0.append(entry.instant) } }
        })) { $0.judge = false }
        try await Task.sleep(for: .seconds(2))
        _ = await proxy.drain(grace: .zero)
        let seen = ticks.withLock { $0 }
        #expect(seen.count >= 4 && zip(seen, seen.dropFirst()).allSatisfy { $0.duration(to: $1) < .seconds(1) }, "\(seen.count)")
        await server.close()
    }
}
