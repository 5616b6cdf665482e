import Contracts
import Journaling
import NIOCore
import NIOPosix
import Peers
import Profiles
import ProxyRuntime
import Synchronization
import Testing

@testable import Commands

/// A run of our own that came to nothing, and whose doing that was.
@Suite(.timeLimit(.minutes(2))) struct HealthRunnerTests {
    /// Takes connections, ends each at once, and knows where they came from.
    private final class Door: Sendable {
        let peers = Mutex<[String]>([])
        private let channel = Mutex<(any Channel)?>(nil)

        func open() async throws -> Endpoint {
            let opened = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .childChannelInitializer { channel in
                    let address = channel.remoteAddress
                    self.peers.withLock { $0.append("\(address?.ipAddress ?? ""):\(address?.port ?? 0)") }
                    channel.eventLoop.execute { channel.close(promise: nil) }
                    return channel.eventLoop.makeSucceededVoidFuture()
                }
                .bind(host: "127.0.0.1", port: 0).get()
            channel.withLock { $0 = opened }
            return Endpoint(host: "127.0.0.1", port: opened.localAddress?.port ?? 0)
        }

        func close() async throws { try await channel.withLock { $0 }?.close() }
    }

    private func runner() throws -> HealthRunner {
        var options = ProxyOptions(listen: try HostPort("127.0.0.1:0"), upstream: try Upstream(url: "ws://127.0.0.1:1"))
        options.contract = try ContractLoader().load("agent-chat")
        return try HealthRunner(options, every: .seconds(60), credential: nil)
    }

    private static func fault(on peer: String) -> RuntimeEvent {
        // Nobody knows whose connection it is: the contract may name no users.
        let record = FaultRecord(id: "f1", kind: "cut", influence: Influence(.openOperations, [.ending]), tap: .serverOut, on: nil, detail: "cut")
        return RuntimeEvent(instant: .zero, session: SessionID(1), user: nil, peer: peer, kind: .fault(record))
    }

    /// What faults did is told by the journal, and that is behind.
    @Test(arguments: [true, false]) func aFaultOfOursIsNoFailureOfTheTargets(isMapped: Bool) async throws {
        let (door, runner) = (Door(), try runner())
        let endpoint = try await door.open()
        let asked = Mutex(0)
        await runner.once(at: endpoint) {
            let count = asked.withLock { asked in
                asked += 1
                return asked
            }
            guard count > 1 else { return .seconds(100) }
            for peer in door.peers.withLock({ $0 }) {
                runner.note(Self.fault(on: isMapped ? "[::ffff:\(peer.replacing(":", with: "]:"))" : peer))
            }
            return .zero
        }
        #expect(asked.withLock { $0 } == 2)
        #expect(runner.last == nil, "the run before has the last word, and there was none")
        // Somebody else's connection.
        await runner.once(at: endpoint) {
            runner.note(Self.fault(on: "127.0.0.1:1"))
            return .zero
        }
        #expect(runner.last?.isOK == false && runner.last?.count == 2)
        try await door.close()
    }

    /// A journal that never comes so far delays the word for a while, and no longer.
    @Test func waitsForSoLong() async throws {
        let (door, runner) = (Door(), try runner())
        let clock = ContinuousClock()
        let began = clock.now
        await runner.once(at: try await door.open()) { .seconds(1_000) }
        #expect(runner.last?.isOK == false && began.duration(to: clock.now) < .seconds(30))
        try await door.close()
    }
}
