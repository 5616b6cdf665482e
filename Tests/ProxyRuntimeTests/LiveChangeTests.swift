import Faults
import Journaling
import ProxyRuntime
import Synchronization
import Testing

/// Faults added, changed and removed while many connections are busy: bytes stay in their order, none is lost or doubled,
/// and no change waits for any of them. `.ci/live-changes` is the long form, and measures how long anybody waits.
@Suite(.ownThreads, .timeLimit(.minutes(5))) struct LiveChangeTests {
    /// No kind here changes a byte, or ends anything, as it is set.
    private static let kinds: [(kind: String, settings: [(name: String, values: [String])])] = [
        ("latency", [("latency", ["3ms"]), ("jitter", ["2ms"])]), ("slicer", []), ("chop", []),
        ("bandwidth", [("rate", ["256KiB/s"])]), ("coalesce", [("time", ["2ms"])]), ("stall-reads", [("time", ["1h"])]),
        ("drop", []), ("json-mutate", []), ("duplicate", []), ("delay", [("delay", ["2ms"])]),
    ]

    private static func rule(_ number: Int) -> FaultRule {
        let (kind, settings) = kinds[number % kinds.count]
        var trigger = Trigger()
        trigger.to = [.client, .server, nil][number / kinds.count % 3]
        if ["drop", "json-mutate", "duplicate"].contains(kind) { trigger.message = .share(0) }
        return FaultRule(id: "f\(number % 4)", kind: kind, settings: Settings(settings), when: trigger)
    }

    @Test func changesUnderTraffic() async throws {
        let connections = 24
        let rounds = 40
        let server = try await RawServer { peer in
            _ = try await peer.prefix(Sample.request().utf8.count)
            try await peer.send(Sample.accepted)
            // Each message comes back, unmasked: what arrived is what the server says arrived.
            var answered = 0
            for _ in 0..<rounds {
                let due = Sample.request().utf8.count + (answered + 1) * LiveChangeTests.up(0, 0).count
                _ = try await peer.prefix(due)
                try await peer.send(LiveChangeTests.down(answered))
                answered += 1
            }
        }
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let changes = Task {
            var worst = Duration.zero
            var present: Set<String> = []
            for number in 0..<250 {
                let rule = Self.rule(number)
                let begun = ContinuousClock.now
                if !present.contains(rule.id) { try proxy.add(rule) } else if number % 3 == 0 { try proxy.remove(rule.id) } else { try proxy.update(rule) }
                worst = max(worst, begun.duration(to: .now))
                if present.contains(rule.id), number % 3 == 0 { present.remove(rule.id) } else { present.insert(rule.id) }
                if number % 50 == 49 { proxy.stopFaults(); proxy.restoreFaults() }
                try await Task.sleep(for: .milliseconds(4))
            }
            proxy.apply(nil)
            return worst
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<connections { group.addTask { try await Self.talk(number, rounds, proxy.address.port) } }
            try await group.waitForAll()
        }
        _ = try await changes.value
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(proxy.profile == nil)
    }

    private static func up(_ connection: Int, _ number: Int) -> [UInt8] {
        Sample.frame(2, Sample.pattern(300, seed: UInt32(connection &* 1_000 &+ number)), mask: [9, 8, 7, 6])
    }
    private static func down(_ number: Int) -> [UInt8] { Sample.frame(2, Sample.pattern(700, seed: UInt32(number &+ 7))) }

    private static func talk(_ connection: Int, _ rounds: Int, _ port: Int) async throws {
        let client = try await RawPeer.connect(port: port)
        try await client.send(Sample.request())
        var expected = Array(Sample.accepted.utf8)
        _ = try await client.prefix(expected.count)
        for number in 0..<rounds {
            try await client.send(up(connection, number))
            expected += down(number)
            try await Task.sleep(for: .milliseconds(10))
        }
        let got = try await client.prefix(expected.count)
        #expect(got == expected, "connection \(connection)")
        try await client.finish()
        await client.close()
    }

    @Test func whatCannotBeChanged() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port)
        let rule = Self.rule(0)
        try proxy.add(rule)
        #expect(throws: FaultChangeError.idTaken("f0")) { try proxy.add(rule) }
        #expect(throws: FaultChangeError.unknown("f9")) { try proxy.remove("f9") }
        #expect(throws: FaultChangeError.unknownKind("later")) {
            try proxy.add(FaultRule(id: "x", kind: "later", settings: Settings(), when: Trigger()))
        }
        #expect(throws: FaultChangeError.self) {
            try proxy.add(FaultRule(id: "x", kind: "latency", settings: Settings([("latency", ["soon"])]), when: Trigger()))
        }
        #expect(proxy.profile?.faults.map(\.id) == ["f0"])
        let hash = proxy.profile?.hash
        try proxy.remove("f0")
        #expect(proxy.profile?.faults.isEmpty == true && proxy.profile?.hash != hash)
        _ = await proxy.drain(grace: .zero)
        await server.close()
    }
}
