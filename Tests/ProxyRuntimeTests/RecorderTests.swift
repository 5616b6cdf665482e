import Dispatch
import Journaling
import NIOCore
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// The recorder is behind the loops and shows everything, in order, however slow it is (trust.md L11).
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct RecorderTests {
    @Test func aRecorderThatIsBehindStopsTheSocketsAndLosesNothing() async throws {
        let server = try await RawServer()
        let gate = DispatchSemaphore(value: 0)
        let isOpen = Mutex(false)
        let recorded = Mutex<[UInt8]>([])
        let numbers = Mutex<[UInt64]>([])
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in
            if !isOpen.withLock({ $0 }), case .frame = entry.body {
                gate.wait()
                isOpen.withLock { $0 = true }
            }
            numbers.withLock { $0.append(entry.number) }
            if case .frame(let frame) = entry.body {
                recorded.withLock { $0.append(contentsOf: frame.frame.payload.readableBytesView) }
            }
        })) { options in
            options.judge = true
            options.limits.recorderSessionBytes = 256 << 10
            options.limits.recorderBytes = 1 << 20
        }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        let payload = Sample.pattern(48 << 10)
        let frame = Sample.frame(2, payload, mask: [0, 0, 0, 0])
        let count = 512
        let released = Mutex(false)
        async let early: Bool = {
            for _ in 0..<count { try await client.send(frame) }
            return released.withLock { !$0 }
        }()
        // Time for a proxy that does not wait for its recorder to swallow everything.
        try await Task.sleep(for: .milliseconds(300))
        released.withLock { $0 = true }
        gate.signal()
        #expect(try await !early)
        try await client.finish()
        #expect(try await peer.everything().count == Sample.request().utf8.count + count * frame.count)
        try await peer.finish()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences == [])
        #expect(recorded.withLock { $0.count } == count * payload.count)
        #expect(recorded.withLock { $0.prefix(payload.count).elementsEqual(payload) })
        #expect(numbers.withLock { $0 } == Array(1...result.entries))
        await server.close()
    }

    @Test func withoutReaderNoTrafficIsKept() async throws {
        let server = try await RawServer()
        let kinds = Mutex<[String]>([])
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in
            kinds.withLock { $0.append("\(entry.body)".prefix { $0 != "(" }.description) }
        }))
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        for _ in 0..<50 { try await client.send(Sample.text("x", masked: true)) }
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        _ = try await client.everything()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(kinds.withLock { $0 } == ["opened", "became", "ended", "ended", "closed"])
        #expect(result.statistics.messagesToServer == nil)
        #expect(result.judgement == nil)
        await server.close()
    }
}
