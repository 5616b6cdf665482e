import Faults
import Journaling
import Profiles
import ProxyRuntime
import Testing

/// Transport faults at real sockets: time is the clock's, segments are the system's.
@Suite(.ownThreads, .timeLimit(.minutes(2))) struct TransportFaultTests {
    private static func profile(_ faults: String) throws -> Profile {
        try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults:\n\(faults)\n", file: "t.yaml")
    }

    @Test func bytesComeLateAndInPiecesAndAreTheSame() async throws {
        let profile = try Self.profile(
            """
              - { fault: latency, latency: 80ms, when: { to: client } }
              - { fault: slicer, average_size: 700B, size_variation: 200B, delay: 50us, when: { to: client } }
              - { fault: chop, when: { to: server } }
            """)
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { options in
            options.judge = true
            options.profile = profile
        }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        _ = try await peer.prefix(Sample.request().utf8.count)
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        let down = (0..<20).flatMap { Sample.frame(2, Sample.pattern(2_000, seed: $0)) }
        let up = (0..<20).flatMap { Sample.frame(2, Sample.pattern(500, seed: $0), mask: [1, 2, 3, 4]) }
        let begun = ContinuousClock.now
        try await peer.send(down)
        try await client.send(up)
        let got = try await client.prefix(Sample.accepted.utf8.count + down.count)
        #expect(begun.duration(to: .now) >= .milliseconds(80))
        #expect(got == Array(Sample.accepted.utf8) + down)
        let taken = try await peer.prefix(Sample.request().utf8.count + up.count)
        #expect(taken == Array(Sample.request().utf8) + up)
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
    }

    @Test func resetsAndLimitsEndBothSides() async throws {
        for fault in ["reset_peer, timeout: 20ms", "limit_data, bytes: 9B", "timeout, timeout: 50ms"] {
            let profile = try Self.profile("  - { fault: \(fault), when: { to: client } }")
            let server = try await RawServer()
            let proxy = try await proxy(to: server.port) { options in
                options.judge = true
                options.profile = profile
            }
            let client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send(Sample.request())
            let peer = try await server.next()
            _ = try await peer.prefix(Sample.request().utf8.count)
            try await peer.send(Sample.accepted)
            try await client.until { $0.ended || $0.closed }
            try await peer.until { $0.ended || $0.closed }
            #expect(client.seen.bytes.count == (fault.hasPrefix("limit_data") ? 9 : 0))
            await client.close()
            await peer.close()
            let result = await proxy.drain(grace: .seconds(20))
            await server.close()
            #expect(result.ledgerDifferences == [], "\(fault)")
        }
    }
}
