import Journaling
import NIOCore
import Testing

@testable import Captures

/// Where connections begin and end, and which side is which.
@Suite struct ConnectionTests {
    let peer = TestPeer()
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func sequenceNumbersWrap() throws {
        var peer = peer
        peer.clientStart = .max - 4
        peer.serverStart = .max
        let sink = try lift(
            peer.handshake + [
                peer.packet(client: true, at: 6, bytes("ghi")), peer.packet(client: true, at: 0, bytes("abc")),
                peer.packet(client: true, at: 3, bytes("def")), peer.packet(client: false, at: 0, bytes("ok"), ack: 9),
                peer.packet(client: true, at: 9, flags: TestPeer.Flags.finish | TestPeer.Flags.acknowledge, ack: 2),
            ])
        #expect(sink.events == ["c:abcdefghi", "s:ok", "c finish", "gone"])
    }

    @Test func aLongStreamWrapsMoreThanOnce() throws {
        var peer = peer
        peer.clientStart = 0xffff_0000
        let chunk = [UInt8](repeating: 0x61, count: 60_000)
        let packets = peer.handshake + (0..<5).map { peer.packet(client: true, at: $0 * 60_000, chunk) }
        #expect(try lift(packets).only.clientBytes.count == 300_000)
    }

    @Test func aNewCallOnOldPortsIsANewConnection() throws {
        var again = peer
        again.clientStart = 5_000_000
        again.serverStart = 77
        let sink = try lift(
            peer.handshake + [peer.packet(client: true, at: 0, bytes("one"))] + again.handshake
                + [again.packet(client: true, at: 0, bytes("two"))])
        #expect(sink.stories[1]?.events == ["c:one", "gone"])
        #expect(sink.stories[2]?.events == ["c:two", "gone"])
        #expect(sink.stories.count == 2)
    }

    @Test func aCallThatIsRepeatedIsTheSame() throws {
        let sink = try lift(
            [peer.handshake[0]] + peer.handshake + peer.handshake + [peer.packet(client: true, at: 0, bytes("one"))])
        #expect(sink.events == ["c:one", "gone"])
    }

    @Test func callsWithoutAnswerAreNoConnections() throws {
        var refused = peer
        refused.clientPort = 50_001
        let sink = try lift([
            peer.handshake[0], refused.handshake[0],
            refused.packet(client: false, at: -1, flags: TestPeer.Flags.reset | TestPeer.Flags.acknowledge),
        ])
        #expect(sink.stories.isEmpty)
        #expect(sink.notes.count == 1 && sink.notes[0].contains("2 calls were never answered or refused"))
    }

    @Test func aConnectionWithoutBytesIsOne() throws {
        #expect(try lift(peer.handshake).stories.count == 1)
        #expect(try lift(peer.handshake).events == ["gone"])
    }

    @Test func dataThatComesWithTheCall() throws {
        let open = peer.packet(client: true, at: -1, bytes("early"), flags: TestPeer.Flags.synchronize, ack: -1)
        let accepted = peer.packet(
            client: false, at: -1, flags: TestPeer.Flags.synchronize | TestPeer.Flags.acknowledge, ack: 5)
        #expect(
            try lift([open, accepted, peer.packet(client: true, at: 5, bytes("late"), ack: 0)]).events == [
                "c:earlylate", "gone",
            ])
        // The server did not take it, so that it comes again.
        #expect(
            try lift(
                [open] + peer.handshake.dropFirst() + [peer.packet(client: true, at: 0, bytes("earlylate"), ack: 0)]
            ).events
                == ["c:earlylate", "gone"])
    }

    @Test func lateSegmentsOpenNothing() throws {
        let ends = TestPeer.Flags.finish | TestPeer.Flags.acknowledge
        let sink = try lift(
            peer.handshake + [
                peer.packet(client: true, at: 0, bytes("one")), peer.packet(client: true, at: 3, flags: ends),
                peer.packet(client: false, at: 0, flags: ends, ack: 4), peer.packet(client: true, at: 4, ack: 1),
                peer.packet(client: true, at: 0, bytes("one")),
                peer.packet(client: false, at: 1, flags: TestPeer.Flags.reset),
            ])
        #expect(sink.events == ["c:one", "c finish", "s finish"])
    }

    @Test func resetsEndBothSides() throws {
        let sink = try lift(
            peer.handshake + [
                peer.packet(client: true, at: 0, bytes("one")),
                peer.packet(client: false, at: 0, flags: TestPeer.Flags.reset),
                peer.packet(client: true, at: 3, bytes("two")),
            ])
        #expect(sink.events == ["c:one", "s reset", "gone"])
    }

    @Test func resetsFromFarAwayArePassedOver() throws {
        let sink = try lift(
            peer.handshake + [
                peer.packet(client: true, at: 0, bytes("one")),
                peer.packet(client: false, at: 9_000_000, flags: TestPeer.Flags.reset),
                peer.packet(client: true, at: 3, bytes("two")),
                peer.packet(client: true, at: 0x7fff_0000, bytes("far")),
            ])
        #expect(sink.events == ["c:onetwo", "gone"])
        #expect(sink.notes.count == 1 && sink.notes[0].contains("passed over"))
    }

    // MARK: Captures that begin in the middle

    @Test func beginningInTheMiddle() throws {
        let cases: [(client: String?, server: String?, reason: String)] = [
            ("GET /ws HTTP/1.1", nil, "sends a request"), (nil, "HTTP/1.1 101", "answers with HTTP"),
            ("\u{16}\u{3}\u{1}\0\0\u{1}", nil, "greets first"),
        ]
        for example in cases {
            var odd = peer
            // Ports that would say the opposite.
            (odd.clientPort, odd.serverPort) = (80, 50_000)
            var packets: [TestPacket] = []
            if let text = example.client { packets.append(odd.packet(client: true, at: 100, bytes(text))) }
            if let text = example.server { packets.append(odd.packet(client: false, at: 100, bytes(text))) }
            let sink = try lift(packets)
            #expect(!sink.only.isWhole)
            #expect(sink.only.client == "10.0.0.7:80", "\(example)")
            #expect(sink.notes.contains { $0.contains(example.reason) }, "\(sink.notes)")
        }
    }

    @Test func masksTellWhoIsTheClient() throws {
        var odd = peer
        (odd.clientPort, odd.serverPort) = (80, 50_000)
        let masked = try lift([odd.packet(client: true, at: 5, [0x81, 0x82, 1, 2, 3, 4, 5, 6])])
        #expect(masked.only.client == "10.0.0.7:80")
        let plain = try lift([odd.packet(client: false, at: 5, [0x81, 0x02, 0x68, 0x69])])
        #expect(plain.only.client == "10.0.0.7:80")
    }

    @Test func portsTellWhenNothingElseDoes() throws {
        for (client, server) in [(50_000, 8_080), (9_000, 80), (40_000, 9_000), (60_000, 50_000)] {
            var other = peer
            (other.clientPort, other.serverPort) = (client, server)
            let sink = try lift([
                other.packet(client: false, at: 5, bytes("....")), other.packet(client: true, at: 5, bytes("....")),
            ])
            #expect(sink.only.client == "10.0.0.7:\(client)")
            #expect(sink.events == ["s:....", "c:....", "gone"])
        }
    }

    @Test func theFirstSegmentsMayBeOutOfOrder() throws {
        let sink = try lift([
            peer.packet(client: true, at: 103, bytes("def")), peer.packet(client: true, at: 100, bytes("abc")),
            peer.packet(client: false, at: 50, bytes("ok"), ack: 106),
        ])
        #expect(sink.events == ["c:abcdef", "s:ok", "gone"])
        #expect(sink.notes.count == 1)
    }

    @Test func whatIsHeldKeepsItsOrderAndTimes() throws {
        let texts = ["a", "b", "c", "d", "e"]
        let packets = texts.enumerated().map { index, text in
            peer.packet(client: index % 2 == 0, at: 100 + index / 2, bytes(text), ack: 100).at(
                Int64(index) * 30_000_000)
        }
        let sink = try lift(packets)
        #expect(sink.events == ["c:a", "s:b", "c:c", "s:d", "c:e", "gone"])
        #expect(Array(sink.only.times.prefix(5)) == (0..<5).map { Int64($0) * 30_000_000 })
    }

    @Test func acknowledgementsAloneOpenNothing() throws {
        #expect(try lift([peer.packet(client: true, at: 5), peer.packet(client: false, at: 5)]).stories.isEmpty)
    }

    @Test func manyConnectionsInterleaved() throws {
        var packets: [TestPacket] = []
        for round in 0..<4 {
            for number in 0..<300 {
                var other = peer
                other.clientPort = 10_000 + number
                other.version6 = number % 2 == 0
                if round == 0 { packets += other.handshake }
                packets.append(other.packet(client: true, at: round * 4, bytes("\(1_000 + number)")))
            }
        }
        let sink = try lift(packets)
        #expect(sink.stories.count == 300)
        for (id, story) in sink.stories {
            #expect(story.events == ["c:" + String(repeating: "\(999 + id)", count: 4), "gone"])
        }
        #expect(sink.stories[1]?.client == "[2001:db8::2]:10000")
        #expect(sink.stories[1]?.server == "[::1]:8080")
    }
}
