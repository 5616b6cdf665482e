import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// Requests before the upgrade on one connection, and several upgrades: every byte as it came, and each upgrade a session.
@Suite struct ExchangeTests {
    /// Requests and their answers, of every length that HTTP/1.1 has (RFC 9112 section 6).
    static let plain: [(String, String)] = [
        ("GET /health HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        ("POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 19\r\n\r\nGET / HTTP/1.1\r\n\r\nx", "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n"),
        (
            "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n00\r\nT: 1\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nHTTP\r\n0\r\n\r\n"
        ),
        ("\r\nHEAD /big HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        ("GET /same HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"),
    ]
    static let upgrade = Sample.request(user: "alice")

    private static func accepted(_ net: Net, _ id: SessionID) -> Bool {
        net.became(net.last(id)) == [.accepted(subprotocol: nil, deflate: false)]
    }

    /// Both forms of the journal explain every byte.
    private static func differences(_ net: inout Net) -> [String] { net.differences(.raw) + net.conclude().differences }

    @Test(arguments: [1, 2, 7, 100_000]) func requestsOneAfterTheOtherAndThenTheUpgrade(size: Int) {
        var net = Net(profile: Sample.profile(Sample.rule("drop") { $0.to = .server }))
        let id = net.open(1)
        net.send(.connected, to: id)
        for (request, answer) in Self.plain {
            for chunk in Sample.cut(request, size) { net.client(id, chunk) }
            for chunk in Sample.cut(answer, size) { net.server(id, chunk) }
        }
        for chunk in Sample.cut(Self.upgrade, size) { net.client(id, chunk) }
        for chunk in Sample.cut(Sample.response(), size) { net.server(id, chunk) }
        #expect(String(buffer: net.takeServer(id)) == Self.plain.map(\.0).joined() + Self.upgrade)
        #expect(String(buffer: net.takeClient(id)) == Self.plain.map(\.1).joined() + Sample.response())
        #expect(net.became(id) == [.opaque("no Upgrade: websocket")])
        #expect(net.last(id) != id && Self.accepted(net, id))
        #expect(net.sessions[net.last(id)]?.label == "alice")
        // Faults act on what follows.
        net.client(id, Sample.frame("gone", masked: true))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(Self.differences(&net) == [])
    }

    @Test func pipelinedAtEverySplit() {
        let requests = Self.plain.map(\.0).joined() + Self.upgrade
        let answers = Self.plain.map(\.1).joined()
        for split in 1..<requests.utf8.count {
            var net = Net()
            let id = net.open(1)
            if split % 2 == 0 { net.send(.connected, to: id) }
            net.client(id, String(decoding: requests.utf8.prefix(split), as: UTF8.self))
            if split % 2 == 1 { net.send(.connected, to: id) }
            net.client(id, String(decoding: requests.utf8.dropFirst(split), as: UTF8.self))
            // Nobody is asked to upgrade before everything else is answered, and what is behind another protocol's request
            // waits for its answer.
            var asked = String(buffer: net.takeServer(id))
            #expect(asked == Self.plain.map(\.0).joined(), "split \(split)")
            let cut = split % answers.utf8.count
            net.server(id, String(decoding: answers.utf8.prefix(cut), as: UTF8.self))
            if cut > 0 { net.server(id, String(decoding: answers.utf8.dropFirst(cut), as: UTF8.self)) }
            if cut == 0 { net.server(id, answers) }
            asked += String(buffer: net.takeServer(id))
            #expect(asked == requests, "split \(split)")
            net.server(id, Sample.response())
            #expect(String(buffer: net.takeClient(id)) == answers + Sample.response(), "split \(split)")
            #expect(Self.accepted(net, id), "split \(split)")
            #expect(Self.differences(&net) == [], "split \(split)")
        }
    }

    @Test func aFaultAnswersInItsTurn() {
        var net = Net(profile: Sample.profile(Sample.rule("refuse", ["status": ["503"]])))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Self.plain[0].0 + Self.upgrade)
        #expect(net.takeClient(id).readableBytes == 0)
        net.server(id, Self.plain[0].1)
        let answers = String(buffer: net.takeClient(id))
        #expect(answers.hasPrefix(Self.plain[0].1 + "HTTP/1.1 503 "))
        #expect(String(buffer: net.takeServer(id)) == Self.plain[0].0)
        #expect(Self.differences(&net) == [])
    }

    @Test(arguments: ["Content-Length: 2\r\n\r\nno", "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", "Content-Length: 0\r\n\r\n"])
    func anUpgradeBehindARefusedOneIsAnotherSession(body: String) {
        for size in [1, 1_000] {
            var net = Net()
            let id = net.open(1)
            net.send(.connected, to: id)
            net.client(id, Sample.request(user: "mallory"))
            let refusal = "HTTP/1.1 401 Unauthorized\r\n" + body
            for chunk in Sample.cut(refusal, size) { net.server(id, chunk) }
            let requests = Self.plain[0].0 + Self.upgrade
            for chunk in Sample.cut(requests, size) { net.client(id, chunk) }
            net.server(id, Self.plain[0].1)
            net.server(id, Sample.response())
            #expect(String(buffer: net.takeServer(id)) == Sample.request(user: "mallory") + requests)
            #expect(String(buffer: net.takeClient(id)) == refusal + Self.plain[0].1 + Sample.response())
            #expect(net.became(id) == [.refused(status: 401)])
            #expect(Self.accepted(net, id) && net.sessions[net.last(id)]?.label == "alice")
            #expect(Self.differences(&net) == [])
        }
    }

    @Test func whoSaysMoreBehindARefusedUpgradeIsFollowedNoFurther() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        net.client(id, Sample.frame("early", masked: true))
        net.server(id, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        net.client(id, Self.upgrade)
        #expect(net.last(id) == id)
        #expect(String(buffer: net.takeServer(id)).hasSuffix(Self.upgrade))
        #expect(Self.differences(&net) == [])
    }

    /// What two readers may take for two things is refused in its turn (trust.md T22), and told.
    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400", "T22"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "400", "T22"),
        ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400", "T22"),
        ("GET / HTTP/1.1\nHost: a\n\n", "400", "T22"),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\n", "431", "L1"),
    ])
    func furtherHeadsThatMustNotPass(head: String, status: String, limit: String) {
        for isFirst in [true, false] {
            var net = Net()
            let id = net.open(1)
            net.send(.connected, to: id)
            if !isFirst { net.client(id, Self.plain[0].0) }
            net.client(id, head + Self.upgrade)
            if !isFirst {
                #expect(net.takeClient(id).readableBytes == 0)
                net.server(id, Self.plain[0].1)
            }
            let before = isFirst ? "" : Self.plain[0].1
            #expect(String(buffer: net.takeClient(id)).hasPrefix(before + "HTTP/1.1 \(status) "))
            #expect(String(buffer: net.takeServer(id)) == (isFirst ? "" : Self.plain[0].0))
            #expect(net.limits(id) == [limit])
            #expect(Self.differences(&net) == [])
        }
    }

    @Test(arguments: ["3\nabc\r\n0\r\n\r\n", "3 \nabc\r\n0\r\n\r\n", "3;a\rb\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n", "x\r\n", "0\r\nT: 1\n\r\n"])
    func chunksOfARequestThatAreReadInTwoWays(body: String) {
        for split in 0..<body.utf8.count {
            var net = Net()
            let id = net.open(1)
            net.send(.connected, to: id)
            net.client(id, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + String(decoding: body.utf8.prefix(split), as: UTF8.self))
            net.client(id, String(decoding: body.utf8.dropFirst(split), as: UTF8.self) + Self.upgrade)
            #expect(String(buffer: net.takeClient(id)).hasPrefix("HTTP/1.1 400 "), "split \(split)")
            #expect(net.limits(id) == ["T22"])
            #expect(Self.differences(&net) == [], "split \(split)")
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "GET /x"), ("220 ready\r\n", "EHLO"),
        ("HTTP/1.1 200 OK\r\n\r\n", "PRI"),
    ])
    func whatGoesOnInAnotherWayPasses(answer: String, more: String) {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        let request = "GET / HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
        net.client(id, request)
        net.server(id, answer)
        net.client(id, more)
        net.server(id, "and so on")
        net.send(.ended(.client, .finish), to: id)
        #expect(String(buffer: net.takeServer(id)) == request + more)
        #expect(String(buffer: net.takeClient(id)) == answer + "and so on")
        #expect(net.commands(id).contains("finish server"))
        #expect(Self.differences(&net) == [])
    }

    @Test func aFurtherHeadIsWaitedForNoLongerThanL2() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Self.plain[0].0)
        net.server(id, Self.plain[0].1)
        // Between requests there is no hurry.
        net.pass(.seconds(60))
        #expect(net.limits(id) == [])
        net.client(id, "GET /ws HT")
        net.pass(.seconds(11))
        #expect(net.limits(id) == ["L2"])
        net.client(id, "TP/1.1\r\n\r\n")
        #expect(String(buffer: net.takeServer(id)) == Self.plain[0].0 + "GET /ws HTTP/1.1\r\n\r\n")
        #expect(Self.differences(&net) == [])
    }

    @Test func whatWaitsBehindAnUpgradeStopsTheClient() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Self.plain[0].0 + Self.upgrade)
        _ = net.commands(id)
        net.client(id, Sample.frame(String(repeating: "x", count: 70_000), masked: true))
        #expect(net.commands(id) == ["reads client false"])
        net.server(id, Self.plain[0].1)
        #expect(net.commands(id) == ["reads client true"])
        #expect(net.last(id) != id)
        #expect(net.takeServer(id).readableBytes > 70_000)
        #expect(Self.differences(&net) == [])
    }

    /// With transport faults in between, the upgrade waits for what they hold.
    @Test func whatAFaultHoldsGoesFirst() {
        var net = Net(profile: Sample.profile(Sample.rule("latency", ["latency": ["200ms"]]) { $0.to = .client }))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Self.plain[0].0 + Self.upgrade)
        net.server(id, Self.plain[0].1)
        #expect(String(buffer: net.takeServer(id)) == Self.plain[0].0)
        net.pass(.seconds(1))
        #expect(String(buffer: net.takeServer(id)) == Self.upgrade)
        net.server(id, Sample.response())
        net.pass(.seconds(1))
        #expect(String(buffer: net.takeClient(id)) == Self.plain[0].1 + Sample.response())
        #expect(Self.differences(&net) == [])
    }

    /// Pieces of HTTP in no order at all: every byte goes on as it came, or is told why not.
    @Test(arguments: 1...6) func nonsense(round: Int) {
        let words =
            Self.plain.flatMap { [$0.0, $0.1] } + [
                Self.upgrade, Sample.response(), "HTTP/1.1 401 No\r\nContent-Length: 1\r\n\r\nx", "\r\n", "GET ", "0\r\n\r\n", "\u{0}", "5\r\nab",
                "HTTP/1.1 101 Switching Protocols\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n",
            ]
        for seed in 1...300 as ClosedRange<UInt64> {
            var dice = Dice(DiceKey(seed: seed, profile: "\(round)", user: "", connection: 3), direction: nil, message: 0, fault: "http")
            let isShaped = dice.below(3) == 0
            var net = Net(profile: isShaped ? Sample.profile(Sample.rule("latency", ["latency": ["20ms"]])) : nil, seed: seed)
            let id = net.open(1)
            if dice.below(4) > 0 { net.send(.connected, to: id) }
            var sent: [Side: ByteBuffer] = [.client: ByteBuffer(), .server: ByteBuffer()]
            for _ in 0..<(2 + dice.below(9)) {
                let side: Side = dice.below(2) == 0 ? .client : .server
                for chunk in Sample.chunks(ByteBuffer(string: words[dice.below(words.count)]), seed: dice.next()) {
                    if side == .client { net.client(id, chunk) } else { net.server(id, chunk) }
                    sent[side]?.writeImmutableBuffer(chunk)
                }
                if dice.below(9) == 0 { net.pass(.milliseconds(30)) }
            }
            net.send(.connected, to: net.last(id))
            net.pass(.seconds(50))
            let isWhole = net.sessions.keys.allSatisfy { net.limits($0).isEmpty && net.sessions[$0]?.gone.isEmpty == true }
            let raw = net.differences(.raw)
            let redacted = net.conclude().differences
            #expect(raw == [] && redacted == [], "seed \(seed): \(raw), \(redacted)")
            if isWhole, !isShaped {
                #expect(net.takeServer(id) == sent[.client], "seed \(seed)")
                #expect(net.takeClient(id) == sent[.server], "seed \(seed)")
            }
        }
    }
}

extension Sample {
    /// Pieces of that many bytes, the last one shorter.
    static func cut(_ text: String, _ size: Int) -> [ByteBuffer] {
        let bytes = Array(text.utf8)
        return stride(from: 0, to: bytes.count, by: size).map { ByteBuffer(bytes: bytes[$0..<min($0 + size, bytes.count)]) }
    }
}
