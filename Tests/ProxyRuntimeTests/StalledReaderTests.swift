import Contracts
import Journaling
import Oracles
import Profiles
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// A client that stops reading while much is said to it: the proxy can hand nothing on and stops reading the server, says
/// so, and blames nobody for what lies unread.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct StalledReaderTests {
    private static let greeting = #"{"type":"connected","user_id":"alice","connection_id":"ws_alice_1_0a"}"#
    private static let error = #"{"type":"error","error":"message_processing_error","message":"no","timestamp":1.5}"#

    @Test func aHealthyServerIsNotBlamed() async throws {
        var contract = try ContractLoader().load("demo")
        contract.auth?.anonymous = true
        let holds = Mutex<[HoldRecord]>([])
        let (held, tell) = AsyncStream<Void>.makeStream()
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port, Watcher(onEntry: { entry in
            guard case .hold(let hold) = entry.body, hold.side == .server else { return }
            holds.withLock { $0.append(hold) }
            tell.yield()
        })) { [contract] options in
            options.contract = contract
            options.judge = true
            // The client alone shall hold things up.
            options.limits.recorderSessionBytes = 256 << 20
            options.limits.recorderBytes = 256 << 20
        }
        let client = try await RawPeer.connect(port: proxy.address.port, receives: 65_536)
        try await client.send(Sample.request())
        let peer = try await server.next()
        let greeted = Array(Sample.accepted.utf8) + Sample.text(Self.greeting, masked: false)
        try await peer.send(greeted)
        _ = try await client.prefix(greeted.count)
        try await client.setReading(false)
        let malformed = Sample.text("{", masked: true)
        try await client.send(malformed)
        _ = try await peer.prefix(Sample.request().utf8.count + malformed.count)
        let bulk = (0..<8).map { Sample.frame(2, Sample.pattern(1 << 20, seed: $0)) }
        let said = bulk.flatMap { $0 } + Sample.text(Self.error, masked: false)
        async let sent: Void = peer.send(said)
        for await _ in held { break }
        // The error's deadline passes unheard.
        try await Task.sleep(for: .milliseconds(900))
        try await client.setReading(true)
        try await sent
        let got = try await client.prefix(greeted.count + said.count)
        #expect(got == greeted + said)
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        let result = await proxy.drain(grace: .seconds(60))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.judgement?.findings.map(\.sentence) == [])
        let errors = result.judgement?.properties.first { $0.id == "E3" }
        #expect(errors?.passed == 1)
        let told = holds.withLock { $0 }
        #expect(told.first == HoldRecord(side: .server, isHeld: true, cause: .full))
        #expect(told.last == HoldRecord(side: .server, isHeld: false, cause: .full))
        for (first, second) in zip(told, told.dropFirst()) { #expect(first.isHeld != second.isHeld) }
    }
}
