import NIOCore
import Testing
import Wire

@testable import Peers

/// What a plan's headers make of the upgrade request.
@Suite struct UpgradeOfferTests {
    private func request(_ headers: String, user: String = "alice credential header") throws -> String {
        var play = try PlayBook("1 alice connect /ws \(headers)", users: [user])
        play.begin()
        let commands = play.commands(at: 1, .connected(0))
        guard case .write(_, let bytes) = commands.first else { return "" }
        return String(buffer: bytes).replacing("\r\n", with: "|")
    }

    @Test func aHeaderTakesThePlaceOfOursOfItsName() throws {
        let text = try request(
            "header host: elsewhere header Sec-WebSocket-Version: 8 header authorization: Basic eA==")
        #expect(
            text.hasPrefix(
                "GET /ws HTTP/1.1|host: elsewhere|Upgrade: websocket|Connection: Upgrade|Sec-WebSocket-Key: "))
        #expect(text.hasSuffix("|Sec-WebSocket-Version: 8|authorization: Basic eA==||"))
    }

    @Test func anEmptyOneLeavesOursOutAndFurtherOnesAreAdded() throws {
        let text = try request(
            #"header Upgrade: header Connection: "" header Connection: a header connection: b header X: """#)
        #expect(!text.contains("Upgrade"))
        #expect(text.hasSuffix("|Connection: a|connection: b|X: ||"))
        let twice = try request("header Host: a header Host: b", user: "alice credential none")
        #expect(twice.hasPrefix("GET /ws HTTP/1.1|Host: a|Upgrade: "))
        #expect(twice.hasSuffix("|Sec-WebSocket-Version: 13|Host: b||"))
    }

    @Test func credentialsInCookieAndSubprotocolAreOursAsWell() throws {
        #expect(try request("header Cookie: a=b", user: "alice credential cookie").hasSuffix("|Cookie: a=b||"))
        let text = try request("header Sec-WebSocket-Protocol: chat", user: "alice credential subprotocol")
        #expect(text.hasSuffix("|Sec-WebSocket-Version: 13|Sec-WebSocket-Protocol: chat||"))
    }

    private func answer(_ headers: String, accepting key: String, _ more: String = "") throws -> [String] {
        var play = try PlayBook("1 alice connect /ws \(headers)\n2 alice until open within 1s")
        play.begin()
        play.at(1, .connected(0))
        play.at(
            1,
            .received(
                0,
                ByteBuffer(
                    string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Accept: \(AcceptKey.compute(key))\r\n\(more)\r\n")))
        return play.results
    }

    @Test func theAcceptMustBeThatOfAKeyThatWasSent() throws {
        let own = "header Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
        #expect(try answer(own, accepting: "AAAAAAAAAAAAAAAAAAAAAA==").last == "2 ok 1+0")
        #expect(
            try answer(own, accepting: "BAAAAAAAAAAAAAAAAAAAAA==").last?.hasPrefix(
                "2 cannot: the server's 101 is wrong") == true)
        let two = own + " header Sec-WebSocket-Key: b"
        #expect(try answer(two, accepting: "b").last == "2 ok 1+0")
        #expect(try answer(two, accepting: "c").last?.hasPrefix("2 cannot") == true)
        // Whoever sent none cannot be answered wrongly.
        #expect(try answer("header Sec-WebSocket-Key:", accepting: "c").last == "2 ok 1+0")
    }

    @Test func theSubprotocolMustBeOneThatWasOffered() throws {
        let own = "header Sec-WebSocket-Key: b header Sec-WebSocket-Protocol: chat"
        #expect(try answer(own, accepting: "b", "Sec-WebSocket-Protocol: chat\r\n").last == "2 ok 1+0")
        #expect(
            try answer(own, accepting: "b", "Sec-WebSocket-Protocol: other\r\n").last?.hasPrefix("2 cannot") == true)
    }
}
