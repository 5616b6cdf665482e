import Crypto
import Faults
import Foundation
import Journaling
import NIOCore
import NIOSSL
import Profiles
import SwiftASN1
import Testing
import Wire
import X509

@testable import ProxyRuntime

/// TLS inside the tunnels of a forward proxy is opened: what it carries is a session as any other, and whatever else a tunnel
/// carries goes on as it did.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct TunnelTLSTests {
    private static let established = "HTTP/1.1 200 Connection Established\r\n\r\n"

    /// A forward proxy with the stand's CA on both hops, and what it tells.
    private func proxy(
        _ stand: TLSStand, faults: String? = nil, opens: Bool = true, _ change: (inout TLSOptions) -> Void = { _ in }
    ) async throws -> (ProxyServer, Told) {
        let roots = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-root-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: roots) }
        try stand.authority.certificatePEM.write(toFile: roots, atomically: true, encoding: .utf8)
        let profile = try faults.map { try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults:\n\($0)\n", file: "t.yaml") }
        var route = Route(listen: HostPort(host: "127.0.0.1", port: 0), way: .forward(AllowList()), profile: profile)
        if opens {
            route.tls.listener = .authority(stand.authority)
            route.tls.upstream.authorities = roots
        }
        change(&route.tls)
        var options = ProxyOptions(route)
        options.loops = 2
        options.judge = true
        let told = Told()
        return (try await ProxyServer.start(options, onEntry: told.watcher.onEntry), told)
    }

    /// A client in a tunnel to that place, TLS not yet begun.
    private func tunnel(_ proxy: ProxyServer, to place: String) async throws -> RawPeer {
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send("CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n\r\n")
        #expect(try await client.prefix(Self.established.utf8.count) == Array(Self.established.utf8))
        return client
    }

    /// Everything behind the answer to CONNECT.
    private func behind(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.dropFirst(Self.established.utf8.count)) }

    private func became(_ told: Told) -> [Became] {
        told.entries.compactMap { if case .became(let became) = $0.body { became } else { nil } }
    }

    private func targets(_ told: Told) -> [String?] {
        told.entries.compactMap { if case .opened(let opened) = $0.body { opened.target } else { nil } }
    }

    @Test func whatIsEncryptedIsASessionWithFaults() async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server())
        let (proxy, told) = try await proxy(stand, faults: "  - { fault: drop, when: { to: server, message: nth 2 } }")
        let place = "localhost:\(server.port)"
        let client = try await tunnel(proxy, to: place)
        try await client.beginTLS(try stand.client(), name: "localhost")
        try await client.send(Sample.request())
        let peer = try await server.next()
        let request = Array(Sample.request().utf8)
        #expect(try await peer.prefix(request.count) == request)
        try await peer.send(Sample.accepted)
        let large = Sample.frame(2, Sample.pattern(200_000), mask: [1, 2, 3, 4])
        try await client.send(large + Sample.text("dropped", masked: true) + Sample.text("kept", masked: true))
        let heard = request + large + Sample.text("kept", masked: true)
        #expect(try await peer.prefix(heard.count) == heard)
        let answer = Sample.frame(2, Sample.pattern(150_000, seed: 7)) + Sample.text("bye", masked: false)
        try await peer.send(answer)
        try await peer.finish()
        #expect(behind(try await client.everything()) == Array(Sample.accepted.utf8) + answer)
        try await client.finish()
        #expect(try await peer.everything() == heard)
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.drained)
        #expect(result.ledgerDifferences == [])
        #expect(became(told) == [.accepted(subprotocol: nil, deflate: false)])
        #expect(targets(told) == [place])
        #expect(told.notes.sorted() == ["client: TLS 1.3", "server: TLS 1.3"])
        #expect(told.faults.map(\.applied) == [true])
        // Both ended in order: neither side misses a close_notify.
        #expect(client.seen.error == nil && peer.seen.error == nil)
    }

    /// No SNI is sent for an address: the certificate is for the place that CONNECT named, and so must the server's be.
    @Test(arguments: ["127.0.0.1", "localhost"]) func anAddressHasACertificateToo(name: String) async throws {
        let stand = try TLSStand()
        let (own, key) = try Self.root(for: name, at: stand.now)
        let chain = [NIOSSLCertificateSource.certificate(try NIOSSLCertificate(bytes: Array(own.pemString.utf8), format: .pem))]
        let server = try await RawServer(
            tls: try NIOSSLContext(configuration: .makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))))
        let roots = FileManager.default.temporaryDirectory.appendingPathComponent("miswire-root-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: roots) }
        try own.pemString.write(toFile: roots, atomically: true, encoding: .utf8)
        let (proxy, told) = try await proxy(stand) { $0.upstream.authorities = roots }
        let client = try await tunnel(proxy, to: "127.0.0.1:\(server.port)")
        try await client.beginTLS(try stand.client { $0.certificateVerification = .none }, name: nil)
        try await client.isSecured()
        #expect(try await client.shownNames() == [[127, 0, 0, 1]])
        try await client.send(Sample.request())
        let peer = try await server.next()
        if name == "localhost" {
            let answer = String(decoding: behind(try await client.everything()), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("is for another host"), "\(answer)")
        } else {
            #expect(try await peer.prefix(Sample.request().utf8.count) == Array(Sample.request().utf8))
        }
        await client.close()
        await peer.close()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(told.notes.sorted() == ["client: TLS 1.3"] + (name == "localhost" ? [] : ["server: TLS 1.3"]))
    }

    /// A server's certificate that is its own root: the library's verifier knows no name constraints of addresses, which our CA has.
    private static func root(for name: String, at now: Int64) throws -> (PEMDocument, NIOSSLPrivateKey) {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName("a server") }
        let address = CANames.address(name).map { GeneralName.ipAddress(ASN1OctetString(contentBytes: $0[...])) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(now - 3_600)), notValidAfter: Date(timeIntervalSince1970: Double(now + 86_400)),
            issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                SubjectAlternativeNames([address ?? .dnsName(name)])
            }, issuerPrivateKey: .init(key))
        return (try certificate.serializeAsPEM(), try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der))
    }

    @Test func aPageAndThenAnUpgradeGoThroughOneTunnel() async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server())
        let (proxy, told) = try await proxy(stand)
        let client = try await tunnel(proxy, to: "localhost:\(server.port)")
        try await client.beginTLS(try stand.client(), name: "localhost")
        let page = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", given = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage"
        try await client.send(page)
        let peer = try await server.next()
        #expect(try await peer.prefix(page.utf8.count) == Array(page.utf8))
        try await peer.send(given)
        let start = Self.established.utf8.count + given.utf8.count
        #expect(behind(try await client.prefix(start)) == Array(given.utf8))
        try await client.send(Sample.request())
        let asked = page.utf8.count + Sample.request().utf8.count
        #expect(try await peer.prefix(asked) == Array((page + Sample.request()).utf8))
        try await peer.send(Sample.accepted)
        try await peer.send(Sample.text("hi", masked: false))
        let whole = start + Sample.accepted.utf8.count + 4
        #expect(behind(try await client.prefix(whole)) == Array((given + Sample.accepted).utf8) + Sample.text("hi", masked: false))
        try await client.finish()
        _ = try await peer.everything()
        try await peer.finish()
        try await client.gone()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(became(told).last == .accepted(subprotocol: nil, deflate: false))
        #expect(targets(told) == ["localhost:\(server.port)", "localhost:\(server.port)"])
    }

    // MARK: Who is not trusted

    @Test(arguments: [(TLSOrders.Flaw.expired, "it expired on"), (.selfSigned, "self-signed"), (.unknownCA, "is not trusted"), (.wrongHost, "is for another host")])
    func aServerThatCannotBeVerifiedIsA502InsideTheTunnel(flaw: TLSOrders.Flaw, words: String) async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server(flaw: flaw))
        for isInsecure in [false, true] {
            let (proxy, told) = try await proxy(stand) { $0.upstream.isInsecure = isInsecure }
            let client = try await tunnel(proxy, to: "localhost:\(server.port)")
            try await client.beginTLS(try stand.client(), name: "localhost")
            try await client.send(Sample.request())
            let peer = try await server.next()
            if isInsecure {
                #expect(try await peer.prefix(Sample.request().utf8.count) == Array(Sample.request().utf8))
                await peer.close()
                await client.close()
            } else {
                let answer = String(decoding: behind(try await client.everything()), as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains(words), "\(answer)")
                await client.close()
                #expect(try await peer.everything() == [])
            }
            let result = await proxy.drain(grace: .seconds(5))
            #expect(result.ledgerDifferences == [])
            #expect(told.ends.contains { $0.side == .server && $0.cause.contains(words) } == !isInsecure, "\(told.ends)")
        }
        await server.close()
    }

    @Test func aServerWithoutTLSIsA502InsideTheTunnel() async throws {
        let stand = try TLSStand()
        let server = try await RawServer { peer in
            _ = try await peer.prefix(1)
            try await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            try await peer.finish()
        }
        let (proxy, told) = try await proxy(stand)
        let client = try await tunnel(proxy, to: "localhost:\(server.port)")
        try await client.beginTLS(try stand.client(), name: "localhost")
        try await client.send(Sample.request())
        let answer = String(decoding: behind(try await client.everything()), as: UTF8.self)
        #expect(answer.hasPrefix("HTTP/1.1 502 ") && answer.contains("answered without TLS"), "\(answer)")
        await client.close()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(told.ends.contains { $0.side == .server && $0.cause.contains("answered without TLS") }, "\(told.ends)")
    }

    @Test func aClientThatDoesNotTrustOrAsksForAStrangerIsSaid() async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server())
        let (proxy, told) = try await proxy(stand)
        let rows: [(NIOSSLContext, String)] = [(try TLSStand().client(), "localhost"), (try stand.client(), "evil.example")]
        for (context, name) in rows {
            let client = try await tunnel(proxy, to: "localhost:\(server.port)")
            try await client.beginTLS(context, name: name)
            try await client.isSecured()
            #expect(!client.seen.secured)
            await client.close()
        }
        try await told.clientEnds(2)
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(told.ends.contains { $0.side == .client && $0.cause.contains("unknown_ca") }, "\(told.ends)")
        #expect(told.ends.contains { $0.side == .client && $0.cause.contains("does not vouch for evil.example") }, "\(told.ends)")
    }

    @Test func faultsActOnItsHandshake() async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server())
        let (proxy, told) = try await proxy(stand, faults: "  - { fault: tls-certificate, how: expired }")
        let client = try await tunnel(proxy, to: "localhost:\(server.port)")
        try await client.beginTLS(try stand.client(), name: "localhost")
        try await client.isSecured()
        #expect(client.seen.error?.contains("CERTIFICATE_VERIFY_FAILED") == true, "\(client.seen.error ?? "")")
        await client.close()
        try await told.clientEnds()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(told.faults.map(\.applied) == [true])
    }

    // MARK: What is not opened

    @Test func whatIsNotTLSGoesOnAsItDid() async throws {
        let stand = try TLSStand()
        let server = try await RawServer()
        let (proxy, told) = try await proxy(stand)
        let place = "localhost:\(server.port)"
        // HTTP, the upgrade behind CONNECT in one go.
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send("CONNECT \(place) HTTP/1.1\r\n\r\n" + Sample.request())
        var peer = try await server.next()
        #expect(try await peer.prefix(Sample.request().utf8.count) == Array(Sample.request().utf8))
        try await peer.send(Sample.accepted)
        try await peer.finish()
        #expect(behind(try await client.everything()) == Array(Sample.accepted.utf8))
        await client.close()
        // Neither, and a server that speaks first, and a client that ends without a word.
        let odd: [UInt8] = [0x16, 3, 1, 0, 5] + Array("hello".utf8)
        for (said, answer) in [(odd, "answer"), ([], "220 ready"), ([], "")] {
            let other = try await tunnel(proxy, to: place)
            peer = try await server.next()
            if !said.isEmpty {
                try await other.send(said)
                #expect(try await peer.prefix(said.count) == said)
            }
            if answer.isEmpty {
                try await other.finish()
                #expect(try await peer.everything() == said)
            }
            try await peer.send(answer)
            try await peer.finish()
            #expect(behind(try await other.everything()) == Array(answer.utf8))
            if !answer.isEmpty {
                try await other.finish()
                #expect(try await peer.everything() == said)
            }
            try await other.gone()
        }
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.drained)
        #expect(result.ledgerDifferences == [])
        #expect(
            became(told) == [
                .accepted(subprotocol: nil, deflate: false), .opaque("TLS, which is not terminated here"),
                .opaque("the server spoke first"), .opaque("the client ended before a request head was whole"),
            ])
        #expect(told.notes == [])
    }

    @Test func whatOnlyBeginsLikeAHelloIsToldAndAnsweredByAnAlert() async throws {
        let stand = try TLSStand()
        let server = try await RawServer()
        let (proxy, told) = try await proxy(stand)
        let client = try await tunnel(proxy, to: "localhost:\(server.port)")
        // A record of one message that is no hello, its bytes one by one.
        for byte in [22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3] as [UInt8] { try await client.send([byte]) }
        let answer = behind(try await client.everything())
        #expect(answer.first == 21, "\(answer)")
        await client.close()
        try await told.clientEnds()
        let result = await proxy.drain(grace: .seconds(5))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.statistics.failed == 1)
        #expect(told.ends.contains { $0.side == .client && $0.cause.contains("TLS handshake") }, "\(told.ends)")
    }

    @Test func whoSaysNothingInATunnelHoldsUpNobody() async throws {
        let stand = try TLSStand()
        let server = try await RawServer()
        let (proxy, told) = try await proxy(stand)
        let silent = try await tunnel(proxy, to: "localhost:\(server.port)")
        let begun = try await tunnel(proxy, to: "localhost:\(server.port)")
        try await begun.send([22, 3])
        let peers = [try await server.next(), try await server.next()]
        let result = await proxy.drain(grace: .seconds(20))
        for peer in peers + [silent, begun] { try await peer.until { $0.ended || $0.closed } }
        for peer in peers + [silent, begun] { await peer.close() }
        await server.close()
        #expect(result.drained)
        #expect(result.ledgerDifferences == [])
        #expect(told.ends.isEmpty)
    }

    @Test func withoutTheOptionTheServersOwnTLSArrives() async throws {
        let stand = try TLSStand()
        let server = try await RawServer(tls: try stand.server(for: "chat.test"))
        let (proxy, told) = try await proxy(stand, opens: false)
        let client = try await tunnel(proxy, to: "localhost:\(server.port)")
        try await client.beginTLS(try stand.client(), name: "chat.test")
        try await client.send(Sample.request())
        let peer = try await server.next()
        #expect(try await peer.prefix(Sample.request().utf8.count) == Array(Sample.request().utf8))
        try await peer.finish()
        _ = try await client.everything()
        try await client.finish()
        try await client.gone()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(became(told) == [.opaque("TLS, which is not terminated here")])
        #expect(told.notes == [])
    }

    @Test func nobodyElseIsDialled() async throws {
        let stand = try TLSStand()
        let (proxy, told) = try await proxy(stand)
        for (place, sentence) in [("chat.test:443", "not among those that may be dialled"), ("localhost:\(proxy.address.port)", "the proxy itself")] {
            let client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send("CONNECT \(place) HTTP/1.1\r\n\r\n")
            let answer = String(decoding: try await client.everything(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 403 ") && answer.contains(sentence), "\(answer)")
            await client.close()
        }
        let result = await proxy.drain(grace: .seconds(5))
        #expect(result.statistics.opened == 0 && told.ends.isEmpty)
    }

    @Test func whatIsSaidOfCertificatesNeedsTunnelsThatAreOpened() async throws {
        let error = await #expect(throws: RuntimeError.self) {
            _ = try await proxy(try TLSStand(), opens: false) { $0.upstream.isInsecure = true }
        }
        guard case .tls(let problem) = error else { throw try #require(error) }
        #expect(problem.sentence.hasPrefix("TLS inside CONNECT is tunnelled as it is"))
    }
}
