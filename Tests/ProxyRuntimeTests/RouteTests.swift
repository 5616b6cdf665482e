import Faults
import Journaling
import NIOCore
import Profiles
import Synchronization
import Testing

@testable import ProxyRuntime

/// Several ways in at once: each leads where it should, with its own faults, into one journal.
@Suite(.ownThreads, .timeLimit(.minutes(2))) struct RouteTests {
    private static func reverse(_ name: String, to port: Int, listen: Int = 0, profile: Profile? = nil) -> Route {
        let upstream = Upstream(url: "ws://127.0.0.1:\(port)", address: HostPort(host: "127.0.0.1", port: port))
        return Route(name: name, listen: HostPort(host: "127.0.0.1", port: listen), way: .reverse(upstream), profile: profile)
    }

    @Test func eachListenerHasItsOwnServerAndFaults() async throws {
        let refusing = try ProfileLoader.parse(text: "miswire: 1\nname: t\nfaults: [{ fault: refuse, status: 418 }]\n", file: "t.yaml")
        let servers = [try await RawServer(), try await RawServer()]
        let seen = Mutex<[Entry]>([])
        var options = ProxyOptions(
            Self.reverse("one", to: servers[0].port),
            [Self.reverse("two", to: servers[1].port), Self.reverse("shut", to: servers[0].port, profile: refusing)])
        options.loops = 2
        options.judge = true
        let proxy = try await ProxyServer.start(options, onEntry: { entry in seen.withLock { $0.append(entry) } })
        #expect(Set(proxy.addresses.map(\.port)).count == 3)
        for (index, word) in ["first", "second"].enumerated() {
            let client = try await RawPeer.connect(port: proxy.addresses[index].port)
            let request = Sample.request("/\(word)")
            try await client.send(request)
            let peer = try await servers[index].next()
            #expect(try await peer.prefix(request.utf8.count) == Array(request.utf8))
            try await peer.send(Sample.accepted)
            #expect(try await client.prefix(Sample.accepted.utf8.count) == Array(Sample.accepted.utf8))
            try await client.finish()
            _ = try await peer.everything()
            try await peer.finish()
            try await client.gone()
        }
        let client = try await RawPeer.connect(port: proxy.addresses[2].port)
        try await client.send(Sample.request("/third"))
        #expect(String(decoding: try await client.everything(), as: UTF8.self).hasPrefix("HTTP/1.1 418 "))
        await client.close()
        let result = await proxy.drain(grace: .seconds(20))
        for server in servers { await server.close() }
        #expect(result.ledgerDifferences == [])
        #expect(result.statistics.opened == 3)
        let routes = seen.withLock { entries in
            entries.compactMap { entry in if case .opened(let opened) = entry.body { opened.route } else { nil } }
        }
        #expect(routes == ["one", "two", "shut"])
    }

    @Test func noRouteLeadsToOneOfOurListeners() async throws {
        let port = try #require(FreePort.find())
        let options = ProxyOptions(Self.reverse("a", to: port), [Self.reverse("b", to: 9, listen: port)])
        await #expect(throws: RuntimeError.forbiddenTarget(HostPort(host: "127.0.0.1", port: port), "the proxy itself listens there")) {
            _ = try await ProxyServer.start(options)
        }
    }

    /// What one route's users say never goes to another's servers (trust.md T26).
    @Test func messagesStayWithinOneRoute() {
        let directory = SessionDirectory()
        for (number, realm) in [(1, "0"), (2, "1"), (3, "0")] as [(UInt32, String)] {
            directory.list(.init(session: SessionID(number), loop: 0, label: "user\(number)", realm: realm))
        }
        func partner(_ partner: SessionSelector.Partner) -> SessionID? {
            let message = Message(
                direction: .toServer, opcode: .text, payload: ByteBuffer(), ordinal: 1,
                entry: EntryRef(session: SessionID(1), ordinal: 1))
            let crossing = Crossing(
                message: message, from: SessionID(1), fromUser: "user1", fault: "f", kind: "cross-streams",
                influence: Influence(.message, []), selector: SessionSelector(partner, exchange: false))
            return directory.partner(for: crossing)?.session
        }
        for draw in 0..<20 as Range<UInt64> { #expect(partner(.other(draw: draw)) == SessionID(3)) }
        #expect(partner(.user("user2")) == nil && partner(.session(SessionID(2))) == nil)
        #expect(partner(.user("user3")) == SessionID(3))
    }

    @Test(arguments: [
        ("chat.example", "chat.example:443", true), ("chat.example", "CHAT.example.:1", true), ("chat.example:80", "chat.example:443", false),
        ("*.example", "a.b.example:1", true), ("*.example", "example:1", false), ("*.example", "a.example.org:1", false),
        ("a*b*c", "axxbyyc:1", true), ("a*b*c", "axxbyy:1", false), ("[::1]:8", "[::1]:8", true), ("10.0.0.*:5", "10.0.0.7:5", true),
        ("10.0.0.*:5", "10.0.1.7:5", false), ("x", "127.0.0.1:9", true), ("x", "localhost:9", true), ("x", "127.0.0.1.evil.example:9", false),
        ("x", "notlocalhost:9", false),
    ])
    func whomAForwardProxyMayDial(rule: String, place: String, isAllowed: Bool) throws {
        #expect(AllowList([try AllowList.Rule(rule)]).allows(try HostPort(place)) == isAllowed)
    }

    @Test(arguments: ["", ":80", "a b", "a/b", "u@h", "h:0", "h:x", "h:99999"])
    func whatIsNoRule(text: String) { #expect(throws: RuntimeError.self) { _ = try AllowList.Rule(text) } }
}
