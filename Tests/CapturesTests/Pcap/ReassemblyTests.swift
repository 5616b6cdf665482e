import Journaling
import NIOCore
import Testing

@testable import Captures

/// Segments in any order come out as the bytes that were sent; what is missing is told and never made up.
@Suite struct ReassemblyTests {
    let peer = TestPeer()
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func client(_ at: Int, _ text: String, ack: Int = 0) -> TestPacket {
        peer.packet(client: true, at: at, bytes(text), ack: ack)
    }
    private func server(_ at: Int, _ text: String, ack: Int = 0) -> TestPacket {
        peer.packet(client: false, at: at, bytes(text), ack: ack)
    }
    private func finish(client: Bool, _ at: Int, ack: Int = 0) -> TestPacket {
        peer.packet(client: client, at: at, flags: TestPeer.Flags.finish | TestPeer.Flags.acknowledge, ack: ack)
    }
    private func reset(client: Bool, _ at: Int) -> TestPacket {
        peer.packet(client: client, at: at, flags: TestPeer.Flags.reset)
    }

    @Test func aWholeConnection() throws {
        let sink = try lift(
            peer.handshake + [
                client(0, "ping"), server(0, "pong", ack: 4), client(4, "", ack: 4), finish(client: true, 4, ack: 4),
                server(4, "bye", ack: 5), finish(client: false, 7, ack: 5), client(5, "", ack: 8),
            ])
        #expect(sink.only.client == "10.0.0.7:50000")
        #expect(sink.only.server == "10.0.0.1:8080")
        #expect(sink.only.isWhole)
        #expect(sink.events == ["c:ping", "s:pong", "c finish", "s:bye", "s finish"])
        #expect(sink.notes == [])
    }

    /// Neither order nor where segments are cut makes a difference, and no gap is invented.
    @Test func everyPermutation() throws {
        let packets =
            peer.handshake.prefix(2) + [
                client(0, "one"), client(3, "two", ack: 2), finish(client: true, 6), server(0, "ok", ack: 3),
            ]
        for order in permutations(Array(0..<packets.count)) {
            let sink = try lift(order.map { packets[$0] })
            #expect(sink.only.clientBytes == bytes("onetwo"), "\(order)")
            #expect(sink.only.serverBytes == bytes("ok"), "\(order)")
            #expect(sink.events.filter { $0.contains("gap") } == [], "\(order)")
            #expect(sink.events.last == "gone", "\(order)")
            #expect(sink.events.contains("c finish"))
            #expect(sink.only.isWhole)
            #expect(sink.only.client == "10.0.0.7:50000", "\(order)")
        }
    }

    private func permutations(_ rest: [Int]) -> [[Int]] {
        guard rest.count > 1 else { return [rest] }
        return rest.indices.flatMap { index -> [[Int]] in
            var others = rest
            let first = others.remove(at: index)
            return permutations(others).map { [first] + $0 }
        }
    }

    @Test func everyCut() throws {
        let text = "GET / HTTP/1.1 etc."
        for size in 1...text.utf8.count {
            var packets = peer.handshake
            for at in stride(from: 0, to: text.utf8.count, by: size) {
                packets.append(client(at, String(text.dropFirst(at).prefix(size))))
            }
            #expect(try lift(packets).events == ["c:" + text, "gone"])
        }
    }

    @Test func whatIsSentAgainIsPassedOnOnce() throws {
        let sink = try lift(
            peer.handshake + [client(0, "abc"), client(0, "abc"), client(1, "bcde"), client(2, "c"), client(5, "f")])
        #expect(sink.events == ["c:abcdef", "gone"])
        #expect(sink.notes == [])
    }

    @Test func bytesThatCameFirstStay() throws {
        let delivered = try lift(peer.handshake + [client(0, "abcd"), client(2, "XXef")])
        #expect(delivered.events == ["c:abcdef", "gone"])
        #expect(
            delivered.notes.count == 1
                && delivered.notes[0].contains("chat.pcap packet 5: the client sends bytes again that differ"))

        let waiting = try lift(peer.handshake + [client(2, "cd"), client(1, "bXYe"), client(0, "a")])
        #expect(waiting.events == ["c:abcde", "gone"])
        #expect(waiting.notes.count == 1)

        let across = try lift(
            peer.handshake + [client(6, "g"), client(2, "c"), client(4, "e"), client(1, "bXdXfXh"), client(0, "a")])
        #expect(across.events == ["c:abcdefgh", "gone"])
        #expect(across.notes.count == 1)
    }

    @Test func keepAliveProbesAreNoBytes() throws {
        let sink = try lift(peer.handshake + [client(0, "abc"), client(2, "\0"), client(2, ""), client(3, "d")])
        #expect(sink.events == ["c:abcd", "gone"])
        #expect(sink.notes == [])
    }

    // MARK: Missing segments

    @Test func anAcknowledgedHoleIsAGap() throws {
        var packets = peer.handshake + [client(0, "abc"), client(6, "ghi"), server(0, "", ack: 9)]
        packets.append(server(0, "ok", ack: 9).at(2_000_000_000))
        let sink = try lift(packets)
        #expect(sink.events == ["c:abc", "c gap 3", "c:ghi", "s:ok", "gone"])
        #expect(sink.isOrdered)
    }

    @Test func anAcknowledgedHoleIsGivenAMoment() throws {
        // The capture shows the acknowledgement before the bytes that it is about.
        let sink = try lift(
            peer.handshake + [
                client(0, "abc"), server(0, "", ack: 6), client(6, "ghi"), client(3, "def"), server(0, "ok", ack: 9),
            ])
        #expect(sink.events == ["c:abcdefghi", "s:ok", "gone"])
    }

    @Test func aHoleThatNobodyAcknowledgedIsAGapAtTheEnd() throws {
        #expect(
            try lift(peer.handshake + [client(0, "abc"), client(6, "ghi")]).events == [
                "c:abc", "c gap 3", "c:ghi", "gone",
            ])
    }

    @Test func bytesBeforeAnEndAreAGap() throws {
        #expect(
            try lift(peer.handshake + [client(0, "abc"), finish(client: true, 6)]).events
                == ["c:abc", "c gap 3", "c finish", "gone"])
        #expect(
            try lift(peer.handshake + [client(0, "abc"), reset(client: true, 6)]).events
                == ["c:abc", "c gap 3", "c reset", "gone"])
    }

    @Test func acknowledgedBytesThatNobodySawAreAGap() throws {
        #expect(
            try lift(peer.handshake + [client(0, "abc"), server(0, "", ack: 9)]).events == ["c:abc", "c gap 6", "gone"])
    }

    /// One more than was seen may be a FIN that the capture missed: no gap is made of it.
    @Test func theAcknowledgementOfAnEndIsNoGap() throws {
        #expect(try lift(peer.handshake + [client(0, "abc"), server(0, "", ack: 4)]).events == ["c:abc", "gone"])
    }

    @Test func oneDirectionOnly() throws {
        let packets = [
            peer.handshake[1], server(0, "one", ack: 5), server(3, "two", ack: 9).at(2_000_000_000),
            server(6, "", ack: 9).at(4_000_000_000),
        ]
        let sink = try lift(packets)
        #expect(sink.only.serverBytes == bytes("onetwo"))
        #expect(sink.events.filter { $0.hasPrefix("c gap") } == ["c gap 5", "c gap 4"])
        #expect(sink.only.client == "10.0.0.7:50000")
    }

    @Test func whatTheCaptureCutIsAGap() throws {
        let whole = client(0, "abcdef")
        let sink = try lift(peer.handshake + [whole.cut(to: whole.bytes.count - 2), client(6, "ghi")])
        #expect(sink.events == ["c:abcd", "c gap 2", "c:ghi", "gone"])
        #expect(sink.notes.contains { $0.contains("1 packet is shorter here than on the wire") })
        let headless = try lift(peer.handshake + [whole.cut(to: 40), client(6, "ghi")])
        #expect(headless.events == ["c gap 6", "c:ghi", "gone"])
        #expect(headless.notes.contains { $0.contains("less than the headers of 1 packet") })
    }

    // MARK: Bounds

    @Test func whatWaitsIsBounded() throws {
        for limit in [Piece.overhead * 3 + 5, Piece.overhead * 3 + 6, Piece.overhead * 3 + 7] {
            var limits = Limits.standard
            limits.importGapBytes = limit
            let sink = try lift(
                peer.handshake + [client(2, "aa"), client(6, "bb"), client(10, "cc"), client(0, "xx")], limits: limits)
            let overflows = limit < Piece.overhead * 3 + 6
            #expect(
                sink.events
                    == (overflows
                        ? ["c gap 2", "c:aa", "c gap 2", "c:bb", "c gap 2", "c:cc", "gone"]
                        : ["c:xxaa", "c gap 2", "c:bb", "c gap 2", "c:cc", "gone"]))
            #expect(sink.notes.contains { $0.contains("L15") } == overflows)
        }
    }

    @Test func connectionsAreBounded() throws {
        var limits = Limits.standard
        limits.importFlows = 3
        var packets: [TestPacket] = []
        for port in 0..<5 {
            var other = peer
            other.clientPort += port
            packets += other.handshake + [other.packet(client: true, at: 0, bytes("n\(port)"))]
        }
        let sink = try lift(packets, limits: limits)
        #expect(sink.stories.count == 5)
        for (id, story) in sink.stories { #expect(story.events == ["c:n\(id - 1)", "gone"]) }
        #expect(sink.notes.filter { $0.contains("L15: 3") }.count == 2)
    }

    /// Both hosts ignore a reset behind what was received (RFC 5961): what is said after it counts.
    @Test func aResetBehindTheStreamEndsNothing() throws {
        for distance in [1, 2, 1_000, 1 << 19, 1 << 20] {
            let sink = try lift(
                peer.handshake + [client(0, "one"), reset(client: true, 3 - distance), client(3, "two"), server(0, "ok", ack: 6)])
            #expect(sink.only.clientBytes == bytes("onetwo") && sink.only.serverBytes == bytes("ok"), "\(distance)")
            #expect(sink.notes.contains { $0.hasSuffix("a reset behind the stream is passed over") })
        }
        let sink = try lift(peer.handshake + [client(0, "one"), reset(client: true, 3), client(3, "two")])
        #expect(sink.events == ["c:one", "c reset", "gone"])
    }

    /// The same ports, and even the same first numbers, a while after the end: another connection.
    @Test func aCallBehindTheEndIsANewConnection() throws {
        let first = peer.handshake + [client(0, "one"), reset(client: true, 3)]
        let second = peer.handshake + [client(0, "two"), server(0, "ok", ack: 3)]
        let sink = try lift(first + second.map { $0.at(peer.time + 1_000_001_000) })
        #expect(sink.stories.count == 2)
        #expect(sink.stories[1]?.events == ["c:one", "c reset", "gone"])
        #expect(sink.stories[2]?.events == ["c:two", "s:ok", "gone"])
        // A call sent again is not.
        let late = try lift(first + second.map { $0.at(peer.time + 900_000_000) })
        #expect(late.stories.count == 1)
    }

    /// The other side's end, behind a hole, is told when the reset gives the hole up; the reset is told all the same.
    @Test func aResetMeetsAnEndThatWaited() throws {
        let packets = peer.handshake + [client(0, "abc"), finish(client: false, 3, ack: 3), reset(client: true, 3)]
        #expect(try lift(packets).events == ["c:abc", "s gap 3", "s finish", "c reset"])
    }

    /// Whatever the segments say: every connection that was opened is over at the end, and nothing is told behind an end.
    @Test func nobodyIsLeftOpen() throws {
        var dice = SplitMix(0x7c9)
        func pick(_ count: Int) -> Int { Int(dice.next() % UInt64(count)) }
        for _ in 0..<10 {
            var packets: [TestPacket] = []
            for port in 0..<200 {
                var other = peer
                other.clientPort += port
                if pick(3) > 0 { packets += other.handshake.prefix(1 + pick(3)) }
                for _ in 0..<(2 + pick(9)) {
                    let flags = [16, 16, 16, 16, 17, 17, 1, 4, 20, 5, 2, 18, 0][pick(13)]
                    let packet = other.packet(
                        client: pick(2) == 0, at: pick(12) - 1, zeros(pick(4) * pick(3)), flags: flags, ack: pick(14) - 1)
                    packets.append(packet.at(other.time + Int64(pick(3) * 30_000_000)))
                }
            }
            for (_, story) in try lift(packets).stories { #expect(story.broken == nil, "\(story.events)") }
        }
    }

    @Test func connectionsThatAreOverMakeRoomInSilence() throws {
        var limits = Limits.standard
        limits.importFlows = 2
        var packets: [TestPacket] = []
        for port in 0..<50 {
            var other = peer
            other.clientPort += port
            packets +=
                other.handshake + [
                    other.packet(client: true, at: 0, bytes("n\(port)")),
                    other.packet(client: true, at: "n\(port)".utf8.count, flags: TestPeer.Flags.reset),
                ]
        }
        let sink = try lift(packets, limits: limits)
        #expect(sink.stories.count == 50)
        #expect(sink.stories.values.allSatisfy { $0.events.dropFirst() == ["c reset", "gone"] })
        #expect(sink.notes == [])
    }
}
