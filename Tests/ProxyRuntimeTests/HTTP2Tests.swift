import Faults
import Journaling
import NIOCore
import NIOHPACK
import NIOHTTP2
import Profiles
import ProxyRuntime
import Synchronization
import Testing
import Wire

/// WebSocket over HTTP/2 (RFC 8441) at real sockets, on either hop.
@Suite(.ownThreads, .timeLimit(.minutes(3))) struct HTTP2Tests {
    /// One end of an accepted WebSocket; what its peer has seen begins with `heads` bytes of heads.
    private struct End {
        var peer: RawPeer
        var heads: Int
        func frames(_ count: Int) async throws -> [UInt8] { Array(try await peer.prefix(heads + count).dropFirst(heads)) }
        func rest() async throws -> [UInt8] { Array(try await peer.everything().dropFirst(heads)) }
    }

    private static func http2(_ client: Bool, _ server: Bool) -> (inout ProxyOptions) -> Void {
        { options in
            options.judge = true
            options.http2 = HTTP2Options(fromClients: client, toServer: server)
        }
    }

    private static func opened(_ seen: borrowing Mutex<[Entry]>) -> [Opened] {
        seen.withLock { $0 }.compactMap { entry in if case .opened(let opened) = entry.body { opened } else { nil } }
    }

    private static let okay: HPACKHeaders = [":status": "200", "x-from": "server"]

    /// Opens a WebSocket through the proxy and accepts it.
    private static func open(
        _ client: Bool, through port: Int, to server: (RawServer?, StreamServer?)
    ) async throws -> (client: End, server: End) {
        let near: RawPeer
        if client {
            near = try await StreamClient(port: port).webSocket("/ws?a=1", ["cookie": "a=1", "x-odd": "two  blanks", "cookie": "b=2"])
        } else {
            near = try await RawPeer.connect(port: port)
            try await near.send(Sample.request())
        }
        let far: RawPeer
        let farHead: String
        if let raw = server.0 {
            far = try await raw.next()
            try await far.until { String(decoding: $0.bytes, as: UTF8.self).contains("\r\n\r\n") }
            farHead = String(decoding: far.seen.bytes, as: UTF8.self)
            let head = try RequestHead(ByteBuffer(string: farHead))
            let accept = AcceptKey.compute(try #require(head.value("sec-websocket-key")))
            try await far.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Accept: \(accept)\r\nX-From: server\r\n\r\n")
        } else {
            far = try await #require(server.1).next()
            farHead = try await far.head()
            try await far.send(head: okay)
        }
        let nearHead: String
        if client {
            nearHead = try await near.head()
            #expect(nearHead == StreamCodec.text([":status": "200", "x-from": "server"]))
        } else {
            try await near.until { String(decoding: $0.bytes, as: UTF8.self).contains("\r\n\r\n") }
            nearHead = String(decoding: near.seen.bytes, as: UTF8.self)
            let head = try ResponseHead(ByteBuffer(string: nearHead))
            #expect(head.acceptProblem(for: try RequestHead(ByteBuffer(string: Sample.request()))) == nil)
            #expect(head.value("x-from") == "server")
        }
        return (End(peer: near, heads: nearHead.utf8.count), End(peer: far, heads: farHead.utf8.count))
    }

    @Test(arguments: [(false, false), (true, false), (false, true), (true, true)])
    func bytesAreIdenticalOnEveryWay(client: Bool, server: Bool) async throws {
        let raw = server ? nil : try await RawServer()
        let streams = server ? try await StreamServer() : nil
        let seen = Mutex<[Entry]>([])
        let proxy = try await proxy(
            to: raw?.port ?? streams?.port ?? 0, Watcher(onEntry: { entry in seen.withLock { $0.append(entry) } }),
            Self.http2(client, server))
        let ends = try await Self.open(client, through: proxy.address.port, to: (raw, streams))
        let up = Sample.text("hello", masked: true) + Sample.frame(2, Sample.pattern(1_500_000), mask: [1, 2, 3, 4])
            + Sample.frame(9, Array("ping".utf8), mask: [0, 0, 0, 0]) + Sample.frame(8, [3, 0xe8], mask: [9, 9, 9, 9])
        let down = Sample.text("{\"type\":\"connected\"}", masked: false) + Sample.frame(2, Sample.pattern(1_200_000, seed: 5))
        try await ends.client.peer.send(up)
        try await ends.server.peer.send(down)
        #expect(try await ends.server.frames(up.count) == up)
        #expect(try await ends.client.frames(down.count) == down)
        // One half ends, the other goes on.
        try await ends.client.peer.finish()
        #expect(try await ends.server.rest() == up)
        let last = Sample.text("last words", masked: false)
        try await ends.server.peer.send(last)
        try await ends.server.peer.finish()
        #expect(try await ends.client.rest() == down + last)
        let result = await proxy.drain(grace: .seconds(20))
        await raw?.close()
        await streams?.close()
        #expect(result.ledgerDifferences == [])
        #expect(result.drained)
        #expect(result.statistics.connected == 1)
        let entries = seen.withLock { $0 }
        #expect(Self.opened(seen).map(\.http2) == [(client ? [Side.client] : []) + (server ? [.server] : [])])
        let ended = entries.compactMap { entry -> EndRecord? in if case .ended(let end) = entry.body { end } else { nil } }
        #expect(ended.allSatisfy { $0.style == .finish && $0.undelivered == 0 }, "\(ended)")
    }

    @Test func fieldsKeepTheirOrderAndWhatIsOfOneHopStaysThere() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port, Watcher(), Self.http2(true, false))
        let client = try await StreamClient(port: proxy.address.port)
        #expect(client.settings.contains(HTTP2Setting(parameter: .enableConnectProtocol, value: 1)))
        #expect(client.settings.contains(HTTP2Setting(parameter: .maxConcurrentStreams, value: 100)))
        let stream = try await client.webSocket(
            "/ws?a=1", ["cookie": "a=1", "x-odd": "two  blanks", "cookie": "b=2", "sec-websocket-protocol": "chat", "te": "trailers"])
        let peer = try await server.next()
        try await peer.until { String(decoding: $0.bytes, as: UTF8.self).contains("\r\n\r\n") }
        let lines = String(decoding: peer.seen.bytes, as: UTF8.self).components(separatedBy: "\r\n")
        #expect(lines.first == "GET /ws?a=1 HTTP/1.1")
        #expect(lines[1...3] == ["Host: chat.example:7", "Upgrade: websocket", "Connection: Upgrade"])
        #expect(lines[4].hasPrefix("Sec-WebSocket-Key: ") && lines[4].utf8.count == 19 + 24)
        #expect(
            lines[5...] == [
                "sec-websocket-version: 13", "cookie: a=1; b=2", "x-odd: two  blanks", "sec-websocket-protocol: chat",
                "te: trailers", "", "",
            ])
        await stream.close()
        await client.close()
        await peer.close()
        #expect(await proxy.drain(grace: .seconds(20)).ledgerDifferences == [])
        await server.close()
    }

    @Test(arguments: [false, true]) func sessionsOfOneConnectionDoNotTouch(server: Bool) async throws {
        let raw = server ? nil : try await RawServer()
        let streams = server ? try await StreamServer() : nil
        let seen = Mutex<[Entry]>([])
        let proxy = try await proxy(
            to: raw?.port ?? streams?.port ?? 0, Watcher(onEntry: { entry in seen.withLock { $0.append(entry) } }),
            Self.http2(true, server))
        let client = try await StreamClient(port: proxy.address.port)
        var near: [RawPeer] = []
        var far: [RawPeer] = []
        var heads: [Int] = []
        for number in 0..<3 {
            near.append(try await client.webSocket("/\(number)"))
            if let raw { far.append(try await raw.next()) } else { far.append(try await #require(streams).next()) }
            if server {
                heads.append(try await far[number].head().utf8.count)
                try await far[number].send(head: Self.okay)
            } else {
                try await far[number].until { String(decoding: $0.bytes, as: UTF8.self).contains("\r\n\r\n") }
                heads.append(far[number].seen.bytes.count)
                try await far[number].send("HTTP/1.1 101 Switching Protocols\r\nX-From: server\r\n\r\n")
            }
            _ = try await near[number].head()
        }
        // The first reads nothing while much is sent to it; the second is reset; the third goes on.
        try await near[0].setReading(false)
        let flood = Sample.frame(2, Sample.pattern(4 << 20))
        let flooding = far[0]
        async let sent: Void = flooding.send(flood)
        try await near[1].reset()
        try await far[1].until { $0.closed }
        let words = Sample.text("still here", masked: true)
        try await near[2].send(words)
        #expect(try await far[2].prefix(heads[2] + words.count).suffix(words.count) == words[...])
        let back = Sample.frame(2, Sample.pattern(300_000))
        try await far[2].send(back)
        let head = try await near[2].head().utf8.count
        #expect(Array(try await near[2].prefix(head + back.count).dropFirst(head)) == back)
        try await near[0].setReading(true)
        try await near[0].channel.eventLoop.submit { [channel = try near[0].channel] in channel.read() }.get()
        #expect(Array(try await near[0].prefix(head + flood.count).dropFirst(head)) == flood)
        try await sent
        if server { #expect(String(decoding: far[1].seen.bytes, as: UTF8.self).hasSuffix("!reset 8\n")) }
        for number in [0, 2] {
            try await near[number].finish()
            _ = try await far[number].everything()
            try await far[number].finish()
            _ = try await near[number].everything()
        }
        // The connection ends in an orderly way when the proxy stops.
        async let result = proxy.drain(grace: .seconds(20))
        #expect(try await client.goAway.soon() == .noError)
        #expect(await result.ledgerDifferences == [])
        #expect(await result.drained)
        await raw?.close()
        await streams?.close()
        let opened = Self.opened(seen)
        #expect(opened.count == 3 && Set(opened.map(\.transport)).count == 1)
    }

    @Test func faultsActOnMessages() async throws {
        let profile = try ProfileLoader.parse(
            text: """
                miswire: 1
                name: t
                faults:
                  - { fault: drop, when: { to: client, message: every 2 } }
                  - { fault: json-mutate, op: ["null"], field: [a], when: { to: server } }
                """, file: "t.yaml")
        let server = try await StreamServer()
        let proxy = try await proxy(to: server.port) { options in
            Self.http2(true, true)(&options)
            options.profile = profile
        }
        let ends = try await Self.open(true, through: proxy.address.port, to: (nil, server))
        try await ends.client.peer.send(Sample.text("{\"a\":1}", masked: true))
        let frame = try await ends.server.frames(6 + 10)
        #expect(zip(frame[6...], 0...).map { $0 ^ frame[2 + $1 % 4] } == Array("{\"a\":null}".utf8))
        for number in 1...4 { try await ends.server.peer.send(Sample.text("\(number)", masked: false)) }
        try await ends.server.peer.finish()
        #expect(try await ends.client.rest() == Sample.text("1", masked: false) + Sample.text("3", masked: false))
        try await ends.client.peer.finish()
        _ = try await ends.server.rest()
        let result = await proxy.drain(grace: .seconds(20))
        await server.close()
        #expect(result.ledgerDifferences == [])
    }

    @Test func refusalsArriveWhole() async throws {
        // HTTP/1.1 refuses in chunks, the client is on HTTP/2.
        let raw = try await RawServer()
        let first = try await proxy(to: raw.port, Watcher(), Self.http2(true, false))
        let client = try await StreamClient(port: first.address.port)
        let stream = try await client.webSocket()
        let peer = try await raw.next()
        try await peer.send("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 401 No\r\n")
        try await peer.send("Transfer-Encoding: chunked\r\nWWW-Authenticate: Bearer\r\n\r\n")
        try await peer.send("4;x=y\r\nno")
        try await peer.send("pe\r\n0\r\nTrailer: t\r\n\r\n")
        let told =
            StreamCodec.text([":status": "103", "link": "a"])
            + StreamCodec.text([":status": "401", "www-authenticate": "Bearer"]) + "nope"
        #expect(String(decoding: try await stream.everything(), as: UTF8.self) == told)
        await peer.close()
        await client.close()
        #expect(await first.drain(grace: .seconds(20)).ledgerDifferences == [])
        await raw.close()
        // HTTP/2 refuses, the client is on HTTP/1.1.
        let server = try await StreamServer()
        let second = try await proxy(to: server.port, Watcher(), Self.http2(false, true))
        let near = try await RawPeer.connect(port: second.address.port)
        try await near.send(Sample.request())
        let far = try await server.next()
        try await far.send(head: [":status": "403", "x-why": "no"])
        try await far.send("nope")
        try await far.finish()
        #expect(
            String(decoding: try await near.everything(), as: UTF8.self)
                == "HTTP/1.1 403 Forbidden\r\nx-why: no\r\nConnection: close\r\n\r\nnope")
        await near.close()
        let result = await second.drain(grace: .seconds(20))
        #expect(result.ledgerDifferences == [])
        #expect(result.statistics.refused == 1)
        await server.close()
    }

    @Test func aServerWithoutWebSocketOverHTTP2IsSaidToBeOne() async throws {
        let server = try await StreamServer([])
        let proxy = try await proxy(to: server.port, Watcher(), Self.http2(true, true))
        let client = try await StreamClient(port: proxy.address.port)
        let stream = try await client.webSocket()
        let told = String(decoding: try await stream.everything(), as: UTF8.self)
        #expect(told.hasPrefix(":status=502\n"))
        let why = "the server takes no WebSocket over HTTP/2 (its settings lack SETTINGS_ENABLE_CONNECT_PROTOCOL)"
        #expect(told.hasSuffix("\n\nmiswire: \(why)\n"))
        await client.close()
        #expect(await proxy.drain(grace: .seconds(20)).ledgerDifferences == [])
        await server.close()
    }

    @Test(arguments: [(true, false), (false, true), (true, true)])
    func plainRequestsAreRelayed(client: Bool, server: Bool) async throws {
        let raw = server ? nil : try await RawServer()
        let streams = server ? try await StreamServer() : nil
        let proxy = try await proxy(to: raw?.port ?? streams?.port ?? 0, Watcher(), Self.http2(client, server))
        let near: RawPeer
        if client {
            near = try await StreamClient(port: proxy.address.port).stream(
                [":method": "POST", ":scheme": "http", ":path": "/login", ":authority": "h", "x-a": "1"])
            try await near.send("hel")
            try await near.send("lo")
            try await near.finish()
        } else {
            near = try await RawPeer.connect(port: proxy.address.port)
            try await near.send("POST /login HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n")
            try await near.send("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        }
        let far: RawPeer
        if let streams {
            far = try await streams.next()
            let head = StreamCodec.text([":method": "POST", ":scheme": "http", ":path": "/login", ":authority": "h", "x-a": "1"])
            #expect(String(decoding: try await far.everything(), as: UTF8.self) == head + "hello")
            try await far.send(head: [":status": "200", "content-length": "2"])
            try await far.send("ok")
            try await far.finish()
        } else {
            far = try await #require(raw).next()
            let asked = "POST /login HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nx-a: 1\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
            #expect(String(decoding: try await far.prefix(asked.utf8.count), as: UTF8.self) == asked)
            try await far.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        }
        let told = String(decoding: try await near.everything(), as: UTF8.self)
        #expect(
            told == (client ? StreamCodec.text([":status": "200", "content-length": "2"]) + "ok"
                : "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nConnection: close\r\n\r\nok"))
        await near.close()
        await far.close()
        let result = await proxy.drain(grace: .seconds(20))
        #expect(result.ledgerDifferences == [])
        await raw?.close()
        await streams?.close()
    }

    /// Two proxies, one behind the other: HTTP/2 by ALPN between them, HTTP/1.1 at both ends.
    @Test func overTLSTheProtocolIsSettledByALPN() async throws {
        let server = try await RawServer()
        let authority = try Authority(names: .loopback, at: MonotonicClock.wall / 1_000_000_000)
        let seen = Mutex<[Entry]>([])
        let behind = try await proxy(to: server.port, Watcher(onEntry: { entry in seen.withLock { $0.append(entry) } })) { options in
            Self.http2(true, false)(&options)
            options.tls.listener = .authority(authority)
        }
        let before = try await proxy(to: behind.address.port) { options in
            Self.http2(false, true)(&options)
            options.upstream?.isSecure = true
            options.tls.upstream.isInsecure = true
        }
        let ends = try await Self.open(false, through: before.address.port, to: (server, nil))
        let bytes = Sample.frame(2, Sample.pattern(500_000), mask: [1, 2, 3, 4])
        try await ends.client.peer.send(bytes)
        try await ends.client.peer.finish()
        #expect(try await ends.server.rest() == bytes)
        try await ends.server.peer.send(bytes)
        try await ends.server.peer.finish()
        #expect(try await ends.client.rest() == bytes)
        #expect(await before.drain(grace: .seconds(20)).ledgerDifferences == [])
        let result = await behind.drain(grace: .seconds(20))
        #expect(result.ledgerDifferences == [] && result.drained)
        await server.close()
        #expect(Self.opened(seen).map(\.http2) == [[.client]])
    }

    @Test func otherTunnelsAndLateServersAreAnswered() async throws {
        let server = try await RawServer()
        let proxy = try await proxy(to: server.port, Watcher(), Self.http2(true, false))
        let client = try await StreamClient(port: proxy.address.port)
        let other = try await client.stream(
            [":method": "CONNECT", ":protocol": "connect-udp", ":scheme": "http", ":path": "/", ":authority": "h"])
        let told = String(decoding: try await other.everything(), as: UTF8.self)
        #expect(told.hasPrefix(":status=501\n") && told.contains("miswire: CONNECT for `connect-udp` is not relayed"))
        // HTTP/1.1 on the same listener, however it is cut.
        let plain = try await RawPeer.connect(port: proxy.address.port)
        try await plain.send("P")
        try await plain.send("RI /ws HTTP/1.1\r\n\r\n")
        let peer = try await server.next()
        #expect(try await peer.prefix(20) == Array("PRI /ws HTTP/1.1\r\n\r\n".utf8))
        await plain.close()
        await peer.close()
        await client.close()
        let result = await proxy.drain(grace: .seconds(20))
        #expect(result.ledgerDifferences == [])
        await server.close()
    }
}
