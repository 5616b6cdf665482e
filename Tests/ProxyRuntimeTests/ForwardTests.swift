import Faults
import Journaling
import NIOCore
import Profiles
import Synchronization
import Testing
import Wire

@testable import ProxyRuntime

/// A forward proxy: what goes through it is a session like any other, and nobody has an open proxy.
@Suite(.ownThreads, .timeLimit(.minutes(2))) struct ForwardTests {
    private final class Journal: Sendable {
        private let entries = Mutex<[Entry]>([])
        func take(_ entry: Entry) { entries.withLock { $0.append(entry) } }
        var became: [Became] { entries.withLock { $0.compactMap { if case .became(let became) = $0.body { became } else { nil } } } }
        var targets: [String?] { entries.withLock { $0.compactMap { if case .opened(let opened) = $0.body { opened.target } else { nil } } } }
        var notes: [String] { entries.withLock { $0.compactMap { if case .note(let note) = $0.body { note } else { nil } } } }
    }

    private static func start(_ journal: Journal, allow: [String] = [], faults: String? = nil) async throws -> ProxyServer {
        let rules = try allow.map { text throws(RuntimeError) in try AllowList.Rule(text) }
        let profile = try faults.map { try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults:\n\($0)\n", file: "t.yaml") }
        var options = ProxyOptions(
            Route(listen: HostPort(host: "127.0.0.1", port: 0), way: .forward(AllowList(rules)), profile: profile))
        options.loops = 2
        options.judge = true
        return try await ProxyServer.start(options, onEntry: journal.take)
    }

    private static let established = "HTTP/1.1 200 Connection Established\r\n\r\n"

    @Test func whatFlowsInsideATunnelIsASession() async throws {
        let journal = Journal()
        let server = try await RawServer()
        let proxy = try await Self.start(journal, faults: "  - { fault: drop, when: { to: server, message: nth 1 } }")
        let client = try await RawPeer.connect(port: proxy.address.port)
        // Nobody waits for the answer to CONNECT.
        let place = "127.0.0.1:\(server.port)"
        try await client.send("CONNECT \(place) HTTP/1.1\r\nHost: \(place)\r\n\r\n" + Sample.request())
        let peer = try await server.next()
        let request = Array(Sample.request().utf8)
        #expect(try await peer.prefix(request.count) == request)
        try await peer.send(Sample.accepted)
        let answer = Array((Self.established + Sample.accepted).utf8)
        #expect(try await client.prefix(answer.count) == answer)
        try await client.send(Sample.text("dropped", masked: true) + Sample.text("kept", masked: true))
        try await client.finish()
        #expect(try await peer.everything() == request + Sample.text("kept", masked: true))
        try await peer.finish()
        try await client.gone()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        #expect(journal.became == [.accepted(subprotocol: nil, deflate: false)])
        #expect(journal.targets == [place])
    }

    @Test func whatIsEncryptedIsTunnelledAndTold() async throws {
        let journal = Journal()
        let server = try await RawServer()
        let proxy = try await Self.start(journal)
        let client = try await RawPeer.connect(port: proxy.address.port)
        try await client.send("CONNECT localhost:\(server.port) HTTP/1.1\r\n\r\n")
        #expect(try await client.prefix(Self.established.utf8.count) == Array(Self.established.utf8))
        let hello: [UInt8] = [0x16, 3, 1, 0, 5] + Array("hello".utf8)
        try await client.send(hello)
        let peer = try await server.next()
        #expect(try await peer.prefix(hello.count) == hello)
        try await peer.send("answer")
        try await peer.finish()
        #expect(try await client.everything() == Array((Self.established + "answer").utf8))
        try await client.finish()
        _ = try await peer.everything()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(journal.became == [.opaque("TLS, which is not terminated here")])
    }

    @Test func wholeURLsReachTheirServerInOriginForm() async throws {
        let journal = Journal()
        let server = try await RawServer()
        let proxy = try await Self.start(journal)
        let place = "127.0.0.1:\(server.port)"
        let upgrade = Sample.request("/ws?a=b").replacingOnce("chat.example:7", place)
        let client = try await RawPeer.connect(port: proxy.address.port)
        let early = Sample.text("x", masked: true)
        try await client.send(Array(upgrade.replacingOnce("GET /ws", "GET ws://\(place)/ws").utf8) + early)
        let peer = try await server.next()
        #expect(try await peer.prefix(upgrade.utf8.count + early.count) == Array(upgrade.utf8) + early)
        await client.close()
        _ = try await peer.everything()
        await peer.close()
        // One that is no upgrade is alone on its connection, since the next may be for another host.
        let plain = try await RawPeer.connect(port: proxy.address.port)
        let post = "Content-Length: 3\r\n"
        try await plain.send("POST http://\(place) HTTP/1.1\r\nHost: \(place)\r\nConnection: keep-alive\r\n\(post)\r\nab")
        try await plain.send("cGET http://other.example/ HTTP/1.1\r\n\r\n")
        let second = try await server.next()
        let expected = "POST / HTTP/1.1\r\nHost: \(place)\r\n\(post)Connection: close\r\n\r\nabc"
        #expect(try await second.prefix(expected.utf8.count) == Array(expected.utf8))
        try await second.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try await second.finish()
        #expect(try await plain.everything() == Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8))
        try await plain.finish()
        #expect(try await second.everything() == Array(expected.utf8))
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
        #expect(journal.targets == [place, place])
    }

    @Test func nobodyHasAnOpenProxy() async throws {
        let journal = Journal()
        let closed = try #require(FreePort.find())
        let proxy = try await Self.start(journal, allow: ["*.example", "169.254.*", "other.test:80"])
        let own = proxy.address.port
        let rows: [(String, String, String)] = [
            ("CONNECT chat.test:443 HTTP/1.1\r\n\r\n", "403", "chat.test:443 is not among those that may be dialled"),
            ("CONNECT other.test:81 HTTP/1.1\r\n\r\n", "403", "other.test:81 is not among"),
            ("CONNECT 127.0.0.1:\(own) HTTP/1.1\r\n\r\n", "403", "the proxy itself listens there"),
            ("CONNECT localhost:\(own) HTTP/1.1\r\n\r\n", "403", "the proxy itself listens there"),
            ("GET http://127.0.0.1:\(own)/ HTTP/1.1\r\n\r\n", "403", "the proxy itself listens there"),
            ("CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", "403", "link-local and metadata addresses are not dialled"),
            ("CONNECT 127.0.0.1:\(closed) HTTP/1.1\r\n\r\n", "502", "refused the connection"),
            ("CONNECT localhost HTTP/1.1\r\n\r\n", "400", "CONNECT takes HOST:PORT"),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400", "this is a forward proxy"),
            ("GET https://localhost/ HTTP/1.1\r\n\r\n", "400", "through CONNECT"),
            ("GET http://u@localhost/ HTTP/1.1\r\n\r\n", "400", "names no host"),
            ("GET http://localhost/ HTTP/1.1\r\nHost: other\r\n\r\n", "400", "two hosts"),
            ("GET http://localhost/ HTTP/1.1\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\n", "431", "request head"),
            ("\u{16}\u{3}\u{1}", "400", "TLS, which is not terminated here"),
        ]
        for (request, status, sentence) in rows {
            let client = try await RawPeer.connect(port: own)
            try await client.send(request)
            let answer = String(decoding: try await client.everything(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && answer.contains(sentence), "\(request.prefix(60)): \(answer)")
            await client.close()
        }
        // Who leaves without a word leaves nothing behind, and stopping waits for nobody who has not asked yet.
        let silent = try await RawPeer.connect(port: own)
        try await silent.until { $0.isActive }
        let result = await proxy.drain(grace: .seconds(20))
        try await silent.until { $0.ended || $0.closed }
        await silent.close()
        #expect(result.drained)
        #expect(result.statistics.opened == 0)
        #expect(journal.notes.count == rows.count)
        #expect(result.ledgerDifferences == [])
    }

    @Test func requestsAreReadTheSameAtEverySplit() {
        let texts = [
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\nrest", "GET ws://A.example?q=1 HTTP/1.1\r\nHost: a.example:80\r\n\r\nrest",
            "GET ftp://a/ HTTP/1.1\r\n\r\n", "CONNECT :1 HTTP/1.1\r\n\r\n", "CONNECT a:0 HTTP/1.1\r\n\r\n", "GET http:///x HTTP/1.1\r\n\r\n",
        ]
        for text in texts {
            var whole = ForwardRequest(.standard)
            let expected = whole.take(ByteBuffer(string: text))
            #expect(expected != .partial)
            for split in 1..<text.utf8.count {
                var reader = ForwardRequest(.standard)
                let first = reader.take(ByteBuffer(bytes: Array(text.utf8.prefix(split))))
                if first != .partial {
                    // It was whole before; what is behind it is not read any more.
                    if case .refused = expected { #expect(first == expected) }
                    continue
                }
                #expect(reader.take(ByteBuffer(bytes: Array(text.utf8.dropFirst(split)))) == expected, "\(text) at \(split)")
            }
        }
        var reader = ForwardRequest(.standard)
        guard case .request(let place, let head, false, let rest) = reader.take(ByteBuffer(string: texts[1])) else {
            return #expect(Bool(false), "no request")
        }
        #expect(place == HostPort(host: "a.example", port: 80) && String(buffer: rest) == "rest")
        #expect(String(buffer: head.bytes) == "GET /?q=1 HTTP/1.1\r\nHost: a.example:80\r\nConnection: close\r\n\r\n")
    }
}

extension String {
    fileprivate func replacingOnce(_ word: String, _ other: String) -> String {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(word) { return self[..<index] + other + self[self.index(index, offsetBy: word.count)...] }
            index = self.index(after: index)
        }
        return self
    }
}
