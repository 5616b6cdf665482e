import Journaling
import NIOCore
import Testing
import Wire

@testable import Faults

/// How sessions begin, as transcripts: what came, what was done.
@Suite struct OpeningTests {
    @Test func nothingIsSentBeforeTheUpstreamIsThere() {
        var net = Net()
        let id = net.open(1)
        #expect(net.commands(id) == ["connect"])
        net.client(id, Sample.request())
        #expect(net.takeServer(id).readableBytes == 0)
        net.send(.connected, to: id)
        #expect(String(buffer: net.takeServer(id)) == Sample.request())
        #expect(net.takeClient(id).readableBytes == 0)
        #expect(net.became(id).isEmpty)
        net.server(id, Sample.response())
        #expect(String(buffer: net.takeClient(id)) == Sample.response())
        #expect(net.sessions[id]?.label == "s1")
        #expect(net.conclude().differences == [])
    }

    @Test func interimAnswersPassBeforeTheLastOne() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        let answers = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + Sample.response()
        net.server(id, answers)
        #expect(String(buffer: net.takeClient(id)) == answers)
        #expect(net.became(id) == [.accepted(subprotocol: nil, deflate: false)])
    }

    @Test func refusalOfTheServerPassesWithItsBody() {
        var net = Net(profile: Sample.profile(Sample.rule("drop")))
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        net.client(id, Sample.frame("too early", masked: true))
        let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno"
        net.server(id, answer)
        net.server(id, "more")
        #expect(String(buffer: net.takeClient(id)) == answer + "more")
        #expect(net.became(id) == [.refused(status: 401)])
        net.send(.ended(.server, .finish), to: id)
        #expect(net.commands(id).contains("finish client"))
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "no Upgrade: websocket"),
        ("\u{16}\u{3}\u{1}hello", "TLS, which is not terminated here"),
        ("PING\r\n", "the first bytes are no HTTP method"),
    ])
    func whatIsNoUpgradeTurnsOpaque(first: String, reason: String) {
        var net = Net(profile: Sample.profile(Sample.rule("drop")))
        let id = net.open(1)
        net.client(id, first)
        net.send(.connected, to: id)
        net.client(id, "and more")
        net.server(id, "an answer")
        #expect(String(buffer: net.takeServer(id)) == first + "and more")
        #expect(String(buffer: net.takeClient(id)) == "an answer")
        #expect(net.became(id) == [.opaque(reason)])
        #expect(net.conclude().differences == [])
    }

    @Test func serverSpeaksFirst() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, "GE")
        net.server(id, "220 ready\r\n")
        net.client(id, "T x\r\n")
        #expect(String(buffer: net.takeClient(id)) == "220 ready\r\n")
        #expect(String(buffer: net.takeServer(id)) == "GET x\r\n")
        #expect(net.became(id) == [.opaque("the server spoke first")])
        #expect(net.conclude().differences == [])
    }

    @Test func answerThatIsNoHTTPPasses() {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, Sample.request())
        let early = Sample.frame("{\"type\":\"connected\"}", masked: false)
        net.server(id, early)
        net.server(id, Sample.response())
        #expect(net.takeClient(id) == Sample.joined(early, ByteBuffer(string: Sample.response())))
        guard case .opaque? = net.became(id).first else { return #expect(Bool(false), "not opaque") }
        #expect(net.conclude().differences == [])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 20_000) + "\r\n\r\n", "HTTP/1.1 431", "L1"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "HTTP/1.1 400", "T22"),
        ("GET / HTTP/1.1\nHost: a\n\n", "HTTP/1.1 400", "T22"),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400", "T22"),
    ])
    func headsThatMustNotPass(head: String, answer: String, limit: String) {
        var net = Net()
        let id = net.open(1)
        net.send(.connected, to: id)
        net.client(id, head)
        #expect(String(buffer: net.takeClient(id)).hasPrefix(answer))
        #expect(net.takeServer(id).readableBytes == 0)
        #expect(net.limits(id) == [limit])
        #expect(net.commands(id) == ["connect", "close client half", "close server reset"])
        #expect(net.conclude().differences == [])
    }

    @Test func upstreamDownIs502WithItsReason() {
        for failsFirst in [true, false] {
            var net = Net()
            let id = net.open(1)
            if failsFirst { net.send(.connectFailed("connection refused by 127.0.0.1:9"), to: id) }
            // A frame in the same read is lost with the request, and told.
            net.client(id, Sample.joined(ByteBuffer(string: Sample.request()), Sample.frame("early", masked: true)))
            if !failsFirst { net.send(.connectFailed("connection refused by 127.0.0.1:9"), to: id) }
            let answer = String(buffer: net.takeClient(id))
            #expect(answer.hasPrefix("HTTP/1.1 502 Bad Gateway\r\n"))
            #expect(answer.hasSuffix("miswire: connection refused by 127.0.0.1:9\n"))
            #expect(net.ends(id).first?.cause == "connection refused by 127.0.0.1:9")
            #expect(net.commands(id).contains("close client half"))
            #expect(net.conclude().differences == [])
        }
    }

    @Test func headsAreWaitedForNoLongerThanL2() {
        var net = Net()
        let slow = net.open(1)
        let mute = net.open(2)
        let waiting = net.open(3)
        for id in [slow, mute, waiting] { net.send(.connected, to: id) }
        net.client(slow, "GET / HT")
        net.client(waiting, Sample.request())
        net.pass(.seconds(11))
        #expect(String(buffer: net.takeClient(slow)).hasPrefix("HTTP/1.1 408"))
        #expect(net.became(mute) == [.opaque("nobody spoke within 10.0 seconds")])
        #expect(net.takeClient(waiting).readableBytes == 0)
        net.pass(.seconds(20))
        #expect(String(buffer: net.takeClient(waiting)).hasPrefix("HTTP/1.1 504"))
        #expect(net.conclude().differences == [])
    }

    @Test func aWaitingUpstreamStopsTheClient() {
        var net = Net()
        let id = net.open(1)
        net.client(id, Sample.request())
        _ = net.commands(id)
        net.client(id, Sample.frame(String(repeating: "x", count: 70_000), masked: true))
        #expect(net.commands(id) == ["reads client false"])
        net.send(.connected, to: id)
        #expect(net.commands(id) == ["reads client true"])
        #expect(net.conclude().differences == [])
    }

    /// Found by fuzzing whole sessions: what such a client said was told to be lost twice.
    @Test func whoSpeaksNoHTTPToAServerThatIsNotThere() {
        for text in ["{", "T E\rG\0/ws HTTP/1.1", "\u{16}\u{3}\u{1}"] {
            var net = Net()
            let id = net.open(1)
            net.send(.connectFailed("connection refused by 127.0.0.1:9"), to: id)
            net.client(id, text)
            #expect(net.takeClient(id).readableBytes == 0)
            #expect(net.ends(id).first?.undelivered == UInt64(text.utf8.count))
            #expect(net.differences(.raw) == [])
            #expect(net.conclude().differences == [])
        }
    }
}
