import Journaling
import ProxyRuntime
import Testing

/// Peers that reset with data under way: every difference between the two sides is explained by the transport's end.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct ResetTests {
    @Test func clientsThatResetAtRandomInstants() async throws {
        let server = try await RawServer { peer in
            try await peer.until { $0.bytes.count >= Sample.request().utf8.count || $0.closed }
            try? await peer.send(Sample.accepted)
            for number in 0..<20 {
                if peer.seen.closed { return }
                try? await peer.send(Sample.frame(2, Sample.pattern(number * 3_000)))
            }
            try? await peer.until { $0.ended || $0.closed }
            await peer.close()
        }
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let port = proxy.address.port
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                if number >= 24 { try await group.next() }
                group.addTask { try await Self.victim(port, DiceKey(seed: 1, profile: "", user: "", connection: UInt64(number))) }
            }
            try await group.waitForAll()
        }
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.statistics.opened == 200)
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        await server.close()
    }

    private static func victim(_ port: Int, _ key: DiceKey) async throws {
        var dice = Dice(key, direction: nil, message: 0, fault: "victim")
        let client = try await RawPeer.connect(port: port)
        let stage = dice.below(5)
        let request = Array(Sample.request().utf8)
        if stage == 1 { try? await client.send(Array(request.prefix(dice.below(request.count)))) }
        if stage > 1 {
            try? await client.send(request)
            let wanted = dice.below(100_000)
            if stage > 2 { try await client.until { $0.bytes.count >= wanted || $0.closed } }
            if stage > 3 {
                try? await client.send(Sample.frame(2, Sample.pattern(dice.below(200_000)), mask: [0, 0, 0, 0]))
            }
        }
        try await client.reset()
    }
}
