import Faults
import Foundation
import Glibc
import Journaling
import NIOCore
import NIOSSL
import Profiles
import Synchronization
import Testing
import Wire

@testable import ProxyRuntime

/// Every entry of a run.
final class Told: Sendable {
    private let kept = Mutex<[Entry]>([])
    var watcher: Watcher { Watcher(onEntry: { entry in self.kept.withLock { $0.append(entry) } }) }
    var entries: [Entry] { kept.withLock { $0 } }

    var ends: [EndRecord] { entries.compactMap { if case .ended(let end) = $0.body { end } else { nil } } }
    /// Waits until so many clients have ended.
    func clientEnds(_ count: Int = 1) async throws {
        while ends.filter({ $0.side == .client }).count < count { try await Task.sleep(for: .milliseconds(5)) }
    }

    var notes: [String] { entries.compactMap { if case .note(let text) = $0.body { text } else { nil } } }
    var faults: [FaultRecord] { entries.compactMap { if case .fault(let fault) = $0.body { fault } else { nil } } }
    var limits: [LimitRecord] { entries.compactMap { if case .limit(let limit) = $0.body { limit } else { nil } } }
}

/// TLS on both hops at real sockets: the same bytes as without, and no end of any kind goes by unsaid.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct TLSProxyTests {
    /// Which hops speak TLS.
    enum Hops: String, CaseIterable, Sendable {
        case client, server, both
        var client: Bool { self != .server }
        var server: Bool { self != .client }
    }

    /// A proxy and its two peers, the upgrade done.
    struct Scene {
        var client: RawPeer
        var peer: RawPeer
        var server: RawServer
        var proxy: ProxyServer
        var told: Told
        var greeted: Int
        var asked: Int

        func end() async -> RunResult {
            let result = await proxy.drain(grace: .seconds(20))
            await server.close()
            return result
        }
    }

    static func scene(
        _ hops: Hops, _ stand: TLSStand, receives: Int32? = nil, _ change: (inout ProxyOptions) -> Void = { _ in }
    ) async throws -> Scene {
        let server = try await RawServer(tls: hops.server ? try stand.server() : nil)
        let (proxy, told) = try await Self.proxy(hops, stand, server.port, change)
        let client = hops.client
            ? try await RawPeer.secure(port: proxy.address.port, try stand.client(), receives: receives)
            : try await RawPeer.connect(port: proxy.address.port, receives: receives)
        try await client.send(Sample.request())
        let peer = try await server.next()
        _ = try await peer.prefix(Sample.request().utf8.count)
        try await peer.send(Sample.accepted)
        let greeted = try await client.prefix(Sample.accepted.utf8.count)
        #expect(greeted == Array(Sample.accepted.utf8))
        return Scene(
            client: client, peer: peer, server: server, proxy: proxy, told: told, greeted: Sample.accepted.utf8.count,
            asked: Sample.request().utf8.count)
    }

    static func proxy(
        _ hops: Hops, _ stand: TLSStand, _ port: Int, _ change: (inout ProxyOptions) -> Void = { _ in }
    ) async throws -> (ProxyServer, Told) {
        let told = Told()
        let roots = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-root-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: roots) }
        try stand.authority.certificatePEM.write(toFile: roots, atomically: true, encoding: .utf8)
        let proxy = try await ProxyRuntimeTests.proxy(to: port, told.watcher) { options in
            options.judge = true
            if hops.client { options.tls.listener = .authority(stand.authority) }
            if hops.server {
                options.upstream = Upstream(
                    url: "wss://localhost:\(port)", address: HostPort(host: "localhost", port: port), isSecure: true)
                options.tls.upstream.authorities = roots
            }
            change(&options)
        }
        return (proxy, told)
    }

    // MARK: Bytes

    @Test(arguments: Hops.allCases)
    func bytesAreTheSameAndBothDirectionsEndInTurn(hops: Hops) async throws {
        let scene = try await Self.scene(hops, try TLSStand())
        let down = (0..<60).flatMap { Sample.frame(2, Sample.pattern(30_000, seed: $0)) }
        let up = (0..<60).flatMap { Sample.frame(2, Sample.pattern(20_000, seed: $0), mask: [1, 2, 3, 4]) }
        async let sent: Void = scene.peer.send(down)
        try await scene.client.send(up)
        try await sent
        let got = try await scene.client.prefix(scene.greeted + down.count)
        #expect(got.dropFirst(scene.greeted).elementsEqual(down))
        let taken = try await scene.peer.prefix(scene.asked + up.count)
        #expect(taken.dropFirst(scene.asked).elementsEqual(up))
        // The client ends; what the server still says comes through.
        try await scene.client.finish()
        _ = try await scene.peer.everything()
        let last = Sample.text("last words", masked: false)
        try await scene.peer.send(last)
        try await scene.peer.finish()
        let all = try await scene.client.everything()
        #expect(all.suffix(last.count).elementsEqual(last))
        #expect(scene.client.seen.error == nil)
        #expect(scene.peer.seen.error == nil)
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        #expect(scene.told.ends.allSatisfy { $0.style == .finish && $0.cause.isEmpty }, "\(scene.told.ends)")
        let words = (hops.client ? ["client: TLS 1.3"] : []) + (hops.server ? ["server: TLS 1.3"] : [])
        #expect(scene.told.notes.sorted() == words)
    }

    @Test(arguments: Hops.allCases)
    func aReaderThatStopsHoldsUpAndLosesNothing(hops: Hops) async throws {
        let scene = try await Self.scene(hops, try TLSStand(), receives: 65_536) { options in
            options.limits.recorderSessionBytes = 256 << 20
            options.limits.recorderBytes = 256 << 20
        }
        try await scene.client.setReading(false)
        let said = (0..<12).flatMap { Sample.frame(2, Sample.pattern(1 << 20, seed: $0)) }
        async let sent: Void = scene.peer.send(said)
        while !scene.told.entries.contains(where: { if case .hold(let hold) = $0.body { hold.isHeld && hold.side == .server } else { false } }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        try await scene.client.setReading(true)
        try await sent
        let got = try await scene.client.prefix(scene.greeted + said.count)
        #expect(got.dropFirst(scene.greeted).elementsEqual(said))
        try await scene.client.finish()
        _ = try await scene.peer.everything()
        try await scene.peer.finish()
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
    }

    @Test(arguments: Hops.allCases)
    func whoeverIsResetWithMuchUnderWayIsExplained(hops: Hops) async throws {
        // What is held back is held for the client, not for a recorder that is behind.
        let scene = try await Self.scene(hops, try TLSStand(), receives: 65_536) { options in
            options.limits.recorderSessionBytes = 256 << 20
            options.limits.recorderBytes = 256 << 20
        }
        try await scene.client.setReading(false)
        let said = (0..<16).flatMap { Sample.frame(2, Sample.pattern(1 << 20, seed: $0)) }
        async let sent: Void = scene.peer.send(said)
        while !scene.told.entries.contains(where: { if case .hold(let hold) = $0.body { hold.isHeld && hold.side == .server } else { false } }) {
            try await Task.sleep(for: .milliseconds(10))
        }
        let channel = try scene.client.channel
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        if hops.client { try await scene.client.abandon() } else { try await scene.client.reset() }
        _ = try? await sent
        try await scene.peer.until { $0.ended || $0.closed }
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        #expect(scene.told.ends.contains { $0.side == .client && $0.style == .reset && $0.undelivered > 0 }, "\(scene.told.ends)")
    }

    // MARK: Ends

    @Test(arguments: Hops.allCases)
    func anEndWithoutCloseNotifyIsToldAndHandedOn(hops: Hops) async throws {
        let scene = try await Self.scene(hops, try TLSStand())
        // From the side that speaks TLS.
        let (source, sink) = hops.client ? (scene.client, scene.peer) : (scene.peer, scene.client)
        try await source.truncate()
        _ = try await sink.everything()
        // Where the other hop speaks TLS too, its peer can tell.
        #expect((sink.seen.error?.contains("uncleanShutdown") == true) == (hops == .both), "\(sink.seen.error ?? "")")
        try await sink.finish()
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
        let side: Side = hops.client ? .client : .server
        #expect(scene.told.ends.contains { $0.side == side && $0.cause.contains("close_notify") }, "\(scene.told.ends)")
    }

    @Test(arguments: Hops.allCases)
    func aCutStillResets(hops: Hops) async throws {
        let text = "miswire: 1\nname: t\nfaults:\n  - { fault: cut, style: reset, side: both, when: { to: client, message: nth 1 } }\n"
        let profile = try ProfileLoader.parse(text: text, file: "t.yaml")
        let scene = try await Self.scene(hops, try TLSStand()) { $0.profile = profile }
        try await scene.peer.send(Sample.text("one", masked: false))
        try await scene.client.gone()
        try await scene.peer.gone()
        #expect(scene.client.seen.error?.contains("104") == true, "\(scene.client.seen.error ?? "")")
        #expect(scene.peer.seen.error?.contains("104") == true, "\(scene.peer.seen.error ?? "")")
        let result = await scene.end()
        #expect(result.ledgerDifferences == [])
    }

    // MARK: Handshakes that fail

    @Test func clearTextAtASecureListenerIsSaid() async throws {
        let server = try await RawServer()
        let (proxy, told) = try await Self.proxy(.client, try TLSStand(), server.port)
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        try await client.until { $0.ended || $0.closed }
        await client.close()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(told.ends.contains { $0.side == .client && $0.by == .peer && $0.cause.contains("HTTP without TLS") }, "\(told.ends)")
        #expect(result.statistics.failed == 1)
        #expect(result.ledgerDifferences == [])
    }

    @Test func whoNeverShakesHandsIsCutByALimit() async throws {
        let server = try await RawServer()
        let (proxy, told) = try await Self.proxy(.client, try TLSStand(), server.port) { $0.limits.handshakeTime = .milliseconds(200) }
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.until { $0.ended || $0.closed }
        await client.close()
        _ = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(told.limits.map(\.id) == ["L2"])
        #expect(told.ends.contains { $0.side == .client && $0.by == .tool }, "\(told.ends)")
    }

    @Test func aClientThatDoesNotTrustIsSaid() async throws {
        let server = try await RawServer()
        let (proxy, told) = try await Self.proxy(.client, try TLSStand(), server.port)
        let stranger = try TLSStand()
        let client = try await RawPeer.secure(port: proxy.address.port, try stranger.client())
        try await client.isSecured()
        #expect(!client.seen.secured)
        await client.close()
        try await told.clientEnds()
        _ = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(told.ends.contains { $0.side == .client && $0.cause.contains("unknown_ca") }, "\(told.ends)")
    }

    @Test func aNameThatTheCADoesNotVouchForIsSaid() async throws {
        let server = try await RawServer()
        let stand = try TLSStand()
        let (proxy, told) = try await Self.proxy(.client, stand, server.port)
        for (name, isGood) in [("evil.example", false), ("chat.test", true), ("a.chat.test", true)] {
            let client = try await RawPeer.secure(port: proxy.address.port, try stand.client(), name: name)
            try await client.isSecured()
            #expect(client.seen.secured == isGood, "\(name): \(client.seen.error ?? "")")
            await client.close()
        }
        try await told.clientEnds(3)
        _ = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(told.ends.contains { $0.cause.contains("does not vouch for evil.example") }, "\(told.ends)")
    }

    @Test(arguments: [
        (TLSOrders.Flaw.expired, "it expired on"), (.notYetValid, "it is not valid before"), (.selfSigned, "self-signed"),
        (.unknownCA, "is not trusted"), (.wrongHost, "is for another host"),
    ])
    func aServerThatCannotBeVerifiedIsA502WithAReason(flaw: TLSOrders.Flaw, words: String) async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server(flaw: flaw))
        let (proxy, told) = try await Self.proxy(.server, stand, server.port)
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(Sample.request())
        let answer = String(decoding: try await client.everything(), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 502 "))
        #expect(answer.contains(words), "\(answer)")
        await client.close()
        let result = await proxy.drain(grace: .seconds(5))
        #expect(told.ends.contains { $0.side == .server && $0.cause.contains(words) }, "\(told.ends)")
        #expect(result.ledgerDifferences == [])
        // The same is said before anything listens, and nothing is said of one that is not verified.
        var options = ProxyOptions(
            listen: HostPort(host: "127.0.0.1", port: 0),
            upstream: Upstream(url: "wss://localhost", address: HostPort(host: "localhost", port: server.port), isSecure: true))
        let error = await #expect(throws: RuntimeError.self) { try await ProxyServer.start(options, patience: .seconds(2)) }
        guard case .targetInsecure = error else { throw try #require(error) }
        options.tls.upstream.isInsecure = true
        let insecure = try await ProxyServer.start(options, patience: .seconds(2))
        #expect(insecure.targetSecurity == "TLS 1.3")
        #expect(options.isUnverified)
        _ = await insecure.drain(grace: .zero)
        await server.close()
    }

    @Test(arguments: [TLSVersion.tlsv1, .tlsv11, .tlsv12, .tlsv13])
    func nothingBelowTLS12IsSpokenOnEitherHop(version: TLSVersion) async throws {
        let isGood = version == .tlsv12 || version == .tlsv13
        func only(_ configuration: inout TLSConfiguration) {
            configuration.minimumTLSVersion = version
            configuration.maximumTLSVersion = version
        }
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server(only))
        let (proxy, _) = try await Self.proxy(.both, stand, server.port)
        let client = try await RawPeer.secure(port: proxy.address.port, try stand.client(only))
        try await client.isSecured()
        #expect(client.seen.secured == isGood)
        await client.close()
        let modern = try await RawPeer.secure(port: proxy.address.port, try stand.client())
        try await modern.send(Sample.request())
        if isGood {
            // The first is the other client's.
            _ = try await server.next()
            _ = try await (try await server.next()).prefix(10)
        } else {
            #expect(String(decoding: try await modern.everything(), as: UTF8.self).hasPrefix("HTTP/1.1 502 "))
        }
        await modern.close()
        _ = await proxy.drain(grace: .seconds(1))
        await server.close()
    }

    // MARK: Secrets

    @Test func theKeyLogHoldsBothHopsAndIsNobodyElses() async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-keys-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let log = try KeyLogWriter(path)
        let scene = try await Self.scene(.both, try TLSStand()) { $0.tls.keyLog = log }
        await scene.client.close()
        await scene.peer.close()
        _ = await scene.end()
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        #expect(lines.allSatisfy { $0.split(separator: " ").count == 3 })
        let connections = Set(lines.filter { $0.hasPrefix("CLIENT_TRAFFIC_SECRET_0 ") }.map { $0.split(separator: " ")[1] })
        #expect(connections.count == 2)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: TLSProblem.self) { try KeyLogWriter(path) }
    }
}
