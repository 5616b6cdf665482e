import Contracts
import Faults
import Journaling
import Profiles
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// Same seed, same profile, fifty users at once over real sockets: whatever the threads and the network do, each user's
/// faults decide the same of the same message.
@Suite(.ownThreads, .timeLimit(.minutes(5))) struct DeterminismTests {
    private static let users = 50
    private static let messages = 12
    private static let faults = """
        miswire: 1
        name: dice
        faults:
          - { id: lost, fault: drop, when: { message: share 20%, to: server } }
          - { id: late, fault: delay, delay: 2ms, jitter: 2ms, when: { message: share 30% } }
          - { id: broken, fault: bit-flip, when: { message: share 20%, to: client } }
          - { id: twice, fault: duplicate, when: { message: share 15%, to: server } }
          - { id: held, fault: accept-delay, delay: 3ms, jitter: 3ms, when: { connection: share 40% } }
          - { id: other, fault: replace, payload: "{}", when: { message: every 5, to: client } }
          - { id: far, fault: latency, latency: 1ms, jitter: 1ms, when: { connection: share 50%, to: client } }
        """

    @Test func threeRunsDecideTheSame() async throws {
        let first = try await decisions(seed: 7)
        #expect(first.count > Self.users * Self.messages / 2)
        for _ in 0..<2 {
            let again = try await decisions(seed: 7)
            #expect(again == first, "\(Set(again).symmetricDifference(first).sorted().prefix(6))")
        }
        let other = try await decisions(seed: 8)
        #expect(other != first)
    }

    /// `user03 toServer 4 lost applied: dropped`, sorted.
    private func decisions(seed: UInt64) async throws -> [String] {
        let contract = try ContractLoader.parse(
            text: "miswire-contract: 1\nname: t\nwire: { type: type }\nidentity:\n  user: header x-user\nrequests:\n  say: { shape: { type: <text> } }\n", file: "t.yaml")
        let profile = try ProfileLoader.parse(text: Self.faults, file: "dice.yaml")
        let log = Log()
        let server = try await RawServer { peer in
            try await peer.until { $0.bytes.suffix(4) == Array("\r\n\r\n".utf8)[...] || $0.bytes.count > 300 }
            try await peer.send(Sample.accepted)
            for number in 0..<Self.messages { try await peer.send(Sample.text("{\"type\":\"event\",\"n\":\(number)}", masked: false)) }
            try await peer.until { $0.ended || $0.closed }
            try? await peer.finish()
        }
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in log.add(entry) })) { options in
            options.profile = profile
            options.contract = contract
            options.seed = seed
            options.judge = true
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<Self.users {
                group.addTask {
                    let client = try await RawPeer.connect(port: proxy.address.port)
                    try await client.send(Sample.request(extra: "X-User: user\(number)\r\n"))
                    try await client.until { $0.bytes.count > Sample.accepted.utf8.count || $0.closed }
                    for message in 0..<Self.messages { try await client.send(Sample.text("{\"type\":\"say\",\"n\":\(message)}", masked: true)) }
                    try await client.finish()
                    try await client.until { $0.ended || $0.closed }
                    await client.close()
                }
            }
            try await group.waitForAll()
        }
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        return log.decisions
    }

    /// Entries by what they decide.
    private final class Log: Sendable {
        private let entries = Mutex<[Entry]>([])
        func add(_ entry: Entry) { entries.withLock { $0.append(entry) } }

        var decisions: [String] {
            let all = entries.withLock { $0 }
            var users: [SessionID: String] = [:]
            var messages: [EntryRef: String] = [:]
            for entry in all {
                guard let session = entry.session, let ref = entry.ref else { continue }
                switch entry.body {
                case .head(let head) where head.passage.direction == .toServer && users[session] == nil:
                    let view = HeadView(head.bytes)
                    users[session] = view.values(of: "x-user").first.map(view.text)
                case .frame(let frame) where frame.passage.in != nil:
                    if let ordinal = frame.message?.ordinal, ordinal > 0 { messages[ref] = "\(frame.passage.direction) \(ordinal)" }
                default: break
                }
            }
            return all.compactMap { entry in
                guard case .fault(let fault) = entry.body, let session = entry.session else { return nil }
                let what = fault.on.flatMap { messages[$0] } ?? "\(fault.tap)"
                return "\(users[session] ?? "?") \(what) \(fault.id) \(fault.applied) \(fault.detail) \(fault.held.nanoseconds)"
            }.sorted()
        }
    }
}
