import Faults
import Journaling
import Profiles
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// Whatever a peer sends, from either side: it is relayed byte for byte or refused, nothing is held beyond the limits, and a
/// session beside it does not notice. Every message is lifted here, for a rule that waits for a message that never comes.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct HostilePeersTests {
    struct Act: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let from: Side
        var bytes: [UInt8]
        /// In place of a head: it is answered with this, and the other side gets nothing of it.
        var answer: String?
        /// The limit that must have bitten, and no other may.
        var limit: String?
        var isDeflated = false
    }

    private static func both(
        _ name: String, limit: String? = nil, isDeflated: Bool = false, _ bytes: (_ mask: [UInt8]?) -> [UInt8]
    ) -> [Act] {
        Side.allCases.map { side in
            Act(
                testDescription: "\(name), from the \(side.rawValue)", from: side, bytes: bytes(side == .client ? [5, 6, 7, 8] : nil),
                limit: limit, isDeflated: isDeflated)
        }
    }

    private static func head(_ name: String, _ text: String, _ answer: String, from side: Side = .client, limit: String) -> Act {
        Act(testDescription: name, from: side, bytes: Array(text.utf8), answer: answer, limit: limit)
    }

    private static let many = (1...300).map { "X-\($0): y\r\n" }.joined()
    private static let long = String(repeating: "x", count: 70_000)
    private static let get = "GET /ws/bad HTTP/1.1\r\nHost: a\r\n"
    /// 64 KiB of zeros in 83 bytes and a header that says so, several times over (zlib 1.3, level 9).
    private static func bomb(_ mask: [UInt8]?) -> [UInt8] {
        let deflater = try? Deflater(windowBits: 15, takeover: false)
        let zeros = deflater.flatMap { try? $0.deflate(.init(repeating: 0, count: 1 << 20)) }
        return Sample.frame(1, zeros.map { Array($0.readableBytesView) } ?? [], rsv: 4, mask: mask)
    }

    static let acts: [Act] =
        both("a length of 2^63") { _ in [0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4] + Sample.pattern(9_000) }
        + both("a length of 2^62", limit: "L4") { mask in
            [0x82, mask == nil ? 0x7f : 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0] + (mask ?? []) + Sample.pattern(300_000)
        }
        + both("fragments without end", limit: "L4") { mask in
            Sample.frame(1, [0x61], fin: false, mask: mask)
                + (0..<600).flatMap { _ in Sample.frame(0, [], fin: false, mask: mask) } + Sample.frame(0, [0x62], mask: mask)
                + Sample.text("behind", masked: mask != nil)
        }
        + both("a message longer than the limit, in fragments", limit: "L4") { mask in
            (0..<30).flatMap { Sample.frame($0 == 0 ? 2 : 0, Sample.pattern(5_000), fin: $0 == 29, mask: mask) }
        }
        + both("a bomb", limit: "L4", isDeflated: true, bomb)
        + both("what is no deflate, compressed", isDeflated: true) { mask in
            Sample.frame(1, [0xff, 0xff, 0xff, 0xff], rsv: 4, mask: mask) + Sample.text("behind", masked: mask != nil)
        }
        + both("every first byte there is") { mask in
            (0...255 as ClosedRange<UInt8>).flatMap { first in
                Sample.frame(first & 15, [first], fin: first & 0x80 != 0, rsv: first >> 4 & 7, mask: first & 1 == 0 ? mask : nil)
            }
        }
        + both("garbage") { _ in Sample.pattern(50_000, seed: 77) }
        + [
            head("a head without end", get + "X-Long: " + long, "HTTP/1.1 431 ", limit: "L1"),
            head("a request line without end", "GET /" + long, "HTTP/1.1 431 ", limit: "L1"),
            head("many fields", get + many + "\r\n", "HTTP/1.1 431 ", limit: "L1"),
            head("a bare line feed", get + "X: y\n\r\n", "HTTP/1.1 400 ", limit: "T22"),
            head("a zero in the head", get + "X: \0\r\n\r\n", "HTTP/1.1 400 ", limit: "T22"),
            head("two hosts", get + "Host: b\r\n\r\n", "HTTP/1.1 400 ", limit: "T22"),
            head("an answer without end", "HTTP/1.1 101 X\r\nX: " + long, "HTTP/1.1 502 ", from: .server, limit: "L1"),
            head("an answer of many fields", "HTTP/1.1 101 X\r\n" + many + "\r\n", "HTTP/1.1 502 ", from: .server, limit: "L1"),
        ]

    @Test(arguments: acts) func isRelayedOrRefusedAndNobodyElseNotices(_ act: Act) async throws {
        let server = try await RawServer()
        let entries = Mutex<[LimitRecord]>([])
        let profile = try ProfileLoader.parse(
            text: "miswire: 1\nname: t\nfaults:\n  - { id: f1, fault: drop, when: { message: nth 1000000 } }\n", file: "t.yaml")
        let proxy = try await proxy(
            to: server.port,
            Watcher(onEntry: { entry in
                if case .limit(let limit) = entry.body { entries.withLock { $0.append(limit) } }
            })
        ) { options in
            options.judge = true
            options.profile = profile
            options.limits.messageFragments = 256
            options.limits.messageBytes = 64 << 10
        }
        var honest = try await Honest(proxy, server)
        try await honest.talk()
        if let answer = act.answer { try await refused(act, answer, proxy, server) } else { try await relayed(act, proxy, server) }
        try await honest.talk()
        try await honest.end()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        #expect(Set(entries.withLock { $0.map(\.id) }) == Set(act.limit.map { [$0] } ?? []))
    }

    private func relayed(_ act: Act, _ proxy: ProxyServer, _ server: RawServer) async throws {
        let lines = act.isDeflated ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : ""
        let request = Array(Sample.request("/ws/bad", extra: lines).utf8)
        let accepted = Array(Sample.accepted.utf8.dropLast(2)) + Array((lines + "\r\n").utf8)
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send(request)
        let peer = try await server.next()
        _ = try await peer.prefix(request.count)
        // What the server says may ride on its very 101.
        try await peer.send(accepted + (act.from == .server ? act.bytes : []))
        _ = try await client.prefix(accepted.count)
        if act.from == .client { try await client.send(act.bytes) }
        let (far, want) = act.from == .client ? (peer, request + act.bytes) : (client, accepted + act.bytes)
        let got = try await far.prefix(want.count)
        #expect(got == want, "\(got.count) bytes of \(want.count)")
        try await (act.from == .client ? client : peer).reset()
        try await far.until { $0.ended || $0.closed }
        #expect(far.seen.bytes.count == want.count)
        await far.close()
    }

    private func refused(_ act: Act, _ answer: String, _ proxy: ProxyServer, _ server: RawServer) async throws {
        let client = try await RawPeer.connect(port: proxy.address.port)
        if act.from == .client {
            try? await client.send(act.bytes)
        } else {
            try await client.send(Sample.request("/ws/bad"))
            let peer = try await server.next()
            _ = try await peer.prefix(Sample.request("/ws/bad").utf8.count)
            try? await peer.send(act.bytes)
        }
        let got = try await client.prefix(answer.utf8.count)
        #expect(String(decoding: got, as: UTF8.self) == answer)
        try await client.until { $0.ended || $0.closed }
        await client.close()
    }

    /// A session that must not notice: each side says what the other one gets.
    private struct Honest {
        let client: RawPeer
        let peer: RawPeer
        var toServer = Array(Sample.request("/ws/good").utf8)
        var toClient = Array(Sample.accepted.utf8)

        init(_ proxy: ProxyServer, _ server: RawServer) async throws {
            client = try await RawPeer.connect(port: proxy.address.port)
            try await client.send(toServer)
            peer = try await server.next()
            try await peer.send(toClient)
            _ = try await client.prefix(toClient.count)
        }

        mutating func talk() async throws {
            for number in 0..<8 {
                let up = Sample.text("to the server \(number) \(toServer.count)", masked: true)
                let down = Sample.frame(2, Sample.pattern(900, seed: UInt32(toClient.count)))
                toServer += up
                toClient += down
                try await client.send(up)
                try await peer.send(down)
            }
            #expect(try await peer.prefix(toServer.count) == toServer, "the session beside it, at the server")
            #expect(try await client.prefix(toClient.count) == toClient, "the session beside it, at the client")
        }

        func end() async throws {
            try await client.finish()
            #expect(try await peer.everything() == toServer)
            try await peer.finish()
            #expect(try await client.everything() == toClient)
        }
    }

    /// A head that comes byte by byte keeps nobody from talking, and is taken when it is there.
    @Test func aDrippingHeadHoldsNobodyUp() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port) { $0.judge = true }
        let request = Array(Sample.request("/ws/slow").utf8)
        let slow = try await RawPeer.connect(port: proxy.address.port)
        var honest: Honest?
        for (place, byte) in request.enumerated() {
            try await slow.send([byte])
            if place == 30 {
                // The upstream of the slow one is there already, and silent.
                _ = try await server.next()
                honest = try await Honest(proxy, server)
            }
            if place > 30, place % 40 == 0 { try await honest?.talk() }
        }
        try await honest?.end()
        await slow.close()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.statistics.opened == 2)
    }
}
