import Faults
import Journaling
import NIOCore
import NIOSSL
import Profiles
import Testing
import Wire

@testable import ProxyRuntime

/// TLS faults at real sockets: what the peers' own library says of them.
@Suite(.ownThreads, .timeLimit(.minutes(2))) struct TLSFaultTests {
    private static func profile(_ fault: String) throws -> Profile {
        try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults:\n  - { fault: \(fault) }\n", file: "t.yaml")
    }

    /// A proxy with that fault, and a server that nobody reaches.
    private func refused(
        _ fault: String, name: String = "localhost", _ change: (inout TLSConfiguration) -> Void = { _ in }
    ) async throws -> (client: RawPeer.Seen, told: Told) {
        let stand = try TLSStand()
        let server = try await RawServer()
        let profile = try Self.profile(fault)
        let (proxy, told) = try await TLSProxyTests.proxy(.client, stand, server.port) { $0.profile = profile }
        let client = try await RawPeer.secure(port: proxy.address.port, try stand.client(change), name: name)
        try await client.isSecured()
        let seen = client.seen
        await client.close()
        // The proxy hears of it on a loop of its own.
        try await told.clientEnds()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        return (seen, told)
    }

    @Test(arguments: TLSOrders.Flaw.allCases)
    func noClientTakesAWrongCertificate(flaw: TLSOrders.Flaw) async throws {
        let (client, told) = try await refused("tls-certificate, how: \(flaw.rawValue)")
        #expect(!client.secured)
        #expect(told.faults.map(\.applied) == [true])
        let ends = told.ends.filter { $0.side == .client }
        // A wrong name is found by the client when the handshake itself is done.
        #expect(flaw == .wrongHost || ends.contains { $0.cause.contains("the client ended the TLS handshake") }, "\(ends)")
        if flaw != .wrongHost { #expect(client.error?.contains("CERTIFICATE_VERIFY_FAILED") == true, "\(client.error ?? "")") }
    }

    @Test(arguments: ["tls-certificate, how: expired", "tls-version, min: '1.0', max: '1.0'"])
    func withoutTheFaultTheSameConnectionStands(fault: String) async throws {
        // Not chosen: the connection is the first, and the rule wants the ninth.
        let (client, told) = try await refused("\(fault), when: { connection: nth 9 }")
        #expect(client.secured)
        #expect(told.faults.isEmpty)
    }

    @Test(arguments: [
        ("min: '1.0', max: '1.0'", TLSVersion.tlsv1), ("min: '1.0', max: '1.1'", .tlsv11), ("min: '1.2', max: '1.2'", .tlsv12),
        ("min: '1.3', max: '1.3'", .tlsv13),
    ])
    func versionsAreLimited(settings: String, version: TLSVersion) async throws {
        let (only, _) = try await refused("tls-version, \(settings)") { configuration in
            configuration.minimumTLSVersion = .tlsv1
            configuration.maximumTLSVersion = version
        }
        #expect(only.secured, "\(only.error ?? "")")
        let isOld = version == .tlsv1 || version == .tlsv11
        let (modern, told) = try await refused("tls-version, \(settings)") { configuration in
            configuration.minimumTLSVersion = isOld ? .tlsv12 : version == .tlsv12 ? .tlsv13 : .tlsv12
            configuration.maximumTLSVersion = version == .tlsv13 ? .tlsv12 : .tlsv13
        }
        #expect(!modern.secured)
        #expect(told.ends.contains { $0.side == .client && $0.cause.contains("TLS") }, "\(told.ends)")
    }

    @Test func ciphersAreLimited() async throws {
        for (suite, isGood) in [(NIOTLSCipher.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, true), (.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false)] {
            let (client, _) = try await refused("tls-version, max: '1.2', ciphers: [chacha20]") { configuration in
                configuration.maximumTLSVersion = .tlsv12
                configuration.cipherSuiteValues = [suite]
            }
            #expect(client.secured == isGood)
        }
    }

    @Test(arguments: ["before-hello", "after-hello"])
    func aStallHoldsTheHandshakeAndThenItGoesOn(stage: String) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for side in Side.allCases { group.addTask { try await Self.stall(side, stage) } }
            try await group.waitForAll()
        }
    }

    private static func stall(_ side: Side, _ stage: String) async throws {
        let profile = try profile("tls-stall, side: \(side.rawValue), stage: \(stage), time: 7s")
        let begun = ContinuousClock.now
        // Our own limit is shorter, and must not end what a fault holds up; it is long enough for the handshakes themselves.
        let scene = try await TLSProxyTests.scene(.both, try TLSStand()) { options in
            options.profile = profile
            options.limits.handshakeTime = .seconds(6)
        }
        #expect(begun.duration(to: .now) >= .seconds(7))
        await scene.client.close()
        await scene.peer.close()
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        #expect(scene.told.limits.isEmpty)
        #expect(scene.told.faults.map(\.applied) == [true])
    }

    @Test(arguments: Side.allCases)
    func aDamagedRecordIsNoticed(side: Side) async throws {
        // The first record to either side is the head of the opening, the second a message.
        let profile = try Self.profile("tls-corrupt, side: \(side.rawValue), record: 2")
        let scene = try await TLSProxyTests.scene(.both, try TLSStand()) { $0.profile = profile }
        let victim = side == .client ? scene.client : scene.peer
        let other = side == .client ? scene.peer : scene.client
        try await other.send(Sample.text("to be damaged", masked: side == .server))
        try await victim.gone()
        #expect(victim.seen.error?.contains("BAD_DECRYPT") == true || victim.seen.error?.contains("BAD_RECORD_MAC") == true, "\(victim.seen.error ?? "")")
        #expect(victim.seen.bytes.count == (side == .client ? scene.greeted : scene.asked))
        await other.close()
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        #expect(scene.told.faults.map(\.applied) == [true])
    }

    @Test(arguments: Side.allCases)
    func truncationIsSeenByWhoeverItIsDoneTo(side: Side) async throws {
        let profile = try Self.profile("tls-truncate, side: \(side.rawValue), when: { to: client, message: nth 1 }")
        let scene = try await TLSProxyTests.scene(.both, try TLSStand()) { $0.profile = profile }
        let frame = Sample.text("the last one", masked: false)
        try await scene.peer.send(frame)
        let victim = side == .client ? scene.client : scene.peer
        try await victim.until { $0.ended || $0.closed }
        #expect(victim.seen.error?.contains("uncleanShutdown") == true, "\(victim.seen.error ?? "")")
        let got = try await scene.client.prefix(scene.greeted + frame.count)
        #expect(got.suffix(frame.count).elementsEqual(frame))
        await scene.client.close()
        await scene.peer.close()
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        #expect(scene.told.ends.contains { $0.side == side && $0.by == .fault }, "\(scene.told.ends)")
    }
}
