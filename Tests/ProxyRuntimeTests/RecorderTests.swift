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

    /// Lets the recorder past its first frame when the gate is opened.
    private static func watcher(behind gate: DispatchSemaphore) -> Watcher {
        let isOpen = Mutex(false)
        return Watcher(onEntry: { entry in
            if !isOpen.withLock({ $0 }), case .frame = entry.body {
                gate.wait()
                isOpen.withLock { $0 = true }
            }
        })
    }

    /// What the recorder's queue holds at most, one session may not have for itself.
    @Test func aSessionThatBringsTooMuchHoldsNoOtherUp() async throws {
        let server = try await RawServer()
        let gate = DispatchSemaphore(value: 0)
        let proxy = try await proxy(to: server.port, Self.watcher(behind: gate)) { options in
            options.judge = true
            options.limits.recorderSessionBytes = 2 << 20
            options.limits.recorderBytes = 1 << 20
        }
        let costly = try await RawPeer.connect(port: proxy.address.port)
        try await costly.send(Sample.request())
        let far = try await server.next()
        try await far.send(Sample.accepted)
        _ = try await costly.prefix(Sample.accepted.utf8.count)
        // Two bytes and a key a frame: far more as entries than on the wire, so that few of them are let in.
        let flood = (0..<20_000).flatMap { _ in Sample.frame(9, [], mask: [0, 0, 0, 0]) }
        try await costly.send(flood)
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request("/ws/good"))
        let peer = try await server.next()
        var sent = try await peer.prefix(Sample.request("/ws/good").utf8.count)
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        for number in 0..<40 {
            let message = Sample.text("message \(number)", masked: true)
            sent += message
            try await client.send(message)
            #expect(try await peer.prefix(sent.count) == sent)
        }
        gate.signal()
        try await costly.finish()
        #expect(try await far.everything() == Array(Sample.request().utf8) + flood)
        try await far.finish()
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences == [])
        await server.close()
    }

    /// Who ends while the recorder is behind has the system hand over all at once: it waits, and is told piece by piece.
    @Test func whatCameBeforeAnEndIsToldBeforeIt() async throws {
        let server = try await RawServer()
        let gate = DispatchSemaphore(value: 0)
        let proxy = try await proxy(to: server.port, Self.watcher(behind: gate)) { options in
            options.judge = true
            options.limits.recorderSessionBytes = 32 << 10
        }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let peer = try await server.next()
        try await peer.send(Sample.accepted)
        _ = try await client.prefix(Sample.accepted.utf8.count)
        let bytes = (0..<3_000).flatMap { Sample.frame(2, Sample.pattern(100, seed: UInt32($0)), mask: [1, 2, 3, 4]) }
        try await client.send(bytes)
        try await client.finish()
        try await Task.sleep(for: .milliseconds(200))
        gate.signal()
        #expect(try await peer.everything() == Array(Sample.request().utf8) + bytes)
        try await peer.send(bytes)
        await peer.close()
        #expect(try await client.everything().count == Sample.accepted.utf8.count + bytes.count)
        let result = await proxy.drain(grace: .seconds(60))
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
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
        // Monitors go by the clock also where nothing is kept.
        #expect(kinds.withLock { $0.filter { $0 != "tick" } } == ["opened", "became", "ended", "ended", "closed"])
        #expect(result.statistics.messagesToServer == nil)
        #expect(result.judgement == nil)
        await server.close()
    }
}
