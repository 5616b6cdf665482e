import Journaling
import NIOCore
import Testing

@testable import Captures

/// Files of both forms, every link type, cut, bent and hostile.
@Suite struct CaptureFileTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
    private func talk(_ peer: TestPeer) -> [TestPacket] {
        peer.handshake + [
            peer.packet(client: true, at: 0, bytes("ping"), options: [1, 1, 1, 0]),
            peer.packet(client: false, at: 0, bytes("pong"), ack: 4),
        ]
    }
    private let expected = ["c:ping", "s:pong", "gone"]

    @Test func everyLinkType() throws {
        for link: UInt32 in [0, 1, 12, 14, 101, 108, 113, 276, 228, 229] {
            for version6 in [false, true] where link != (version6 ? 228 : 229) {
                var peer = TestPeer()
                (peer.link, peer.version6) = (link, version6)
                #expect(try lift(talk(peer)).events == expected, "link \(link), IPv6 \(version6)")
            }
        }
    }

    @Test func vlanTags() throws {
        for tags in [[5], [5, 6], [1, 2, 3]] {
            var peer = TestPeer()
            peer.vlan = tags
            #expect(try lift(talk(peer)).events == expected)
        }
    }

    @Test func bothByteOrdersAndUnits() throws {
        for swapped in [false, true] {
            for nanoseconds in [false, true] {
                let packets = talk(TestPeer()).map { $0.at(1_700_000_000_123_456_789) }
                let (sink, summary) = try lift(pcapFile(packets, swapped: swapped, nanoseconds: nanoseconds))
                #expect(sink.events == expected)
                #expect(sink.only.times[0] == (nanoseconds ? 1_700_000_000_123_456_789 : 1_700_000_000_123_456_000))
                #expect(summary.records == 5)
            }
        }
    }

    @Test func windowsOfEverySize() throws {
        let file = pcapFile(talk(TestPeer()))
        let folder = try Folder()
        try folder.write("a.pcap", file)
        for size in [64, 65, 100, 129, 1_000] {
            var window = try CaptureWindow(path: folder["a.pcap"], size: size)
            var taker = Counter()
            try PcapReader(&window, limits: .standard).read(&window, into: &taker)
            #expect(taker.sizes == talk(TestPeer()).map(\.bytes.count))
            #expect(window.offset == UInt64(file.count))
        }
    }

    @Test func blocksOfBothByteOrders() throws {
        for swapped in [false, true] {
            var blocks = TestBlocks(swapped: swapped)
            blocks.section()
            // Ethernet in nanoseconds; raw IP in 2^-10 s, an hour late.
            blocks.interface(1, options: joined(blocks.option(9, [9]), blocks.option(0, [])))
            blocks.interface(101, options: joined(blocks.option(9, [0x8a]), blocks.option(14, blocks.field(3_600, 8))))
            var raw = TestPeer()
            raw.link = 101
            let packets = talk(TestPeer())
            for (index, packet) in packets.enumerated() {
                if index == 3 {
                    blocks.block(0x0bad, [1, 2, 3])
                    blocks.enhanced(1, ticks: 1_024 * 10 + 512, talk(raw)[3])
                } else {
                    blocks.enhanced(0, ticks: 5_000_000_000, packet, options: blocks.option(1, bytes("a comment")))
                }
            }
            let sink = try lift(blocks.bytes).sink
            #expect(sink.events == expected)
            #expect(sink.only.times[0] == 3_610_500_000_000)
        }
    }

    @Test func severalSections() throws {
        var file: [UInt8] = []
        let packets = talk(TestPeer())
        for (index, swapped) in [false, true].enumerated() {
            var blocks = TestBlocks(swapped: swapped)
            blocks.section()
            blocks.interface(1)
            for packet in index == 0 ? packets[..<3] : packets[3...] { blocks.enhanced(0, ticks: 7, packet) }
            file += blocks.bytes
        }
        #expect(try lift(file).sink.events == expected)
    }

    @Test func simpleAndOldPackets() throws {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(1, snap: 60)
        let packets = talk(TestPeer())
        for packet in packets[..<3] {
            let count = blocks.field(UInt64(packet.bytes.count), 4)
            blocks.block(2, joined(zeros(12), count, count, packet.bytes))
        }
        for packet in packets[3...] {
            blocks.block(3, joined(blocks.field(UInt64(packet.bytes.count), 4), Array(packet.bytes.prefix(60))))
        }
        let sink = try lift(blocks.bytes).sink
        #expect(sink.events == ["c:pi", "c gap 2", "s:pong", "gone"])
        #expect(sink.notes.contains { $0.contains("bear no time") })
    }

    @Test func foreignInterfacesAreToldOnce() throws {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(105)
        blocks.interface(1)
        for packet in talk(TestPeer()) {
            blocks.enhanced(0, ticks: 1, packet)
            blocks.enhanced(1, ticks: 1, packet)
        }
        let sink = try lift(blocks.bytes).sink
        #expect(sink.events == expected)
        #expect(sink.notes.filter { $0.contains("link type 105") }.count == 1)
    }

    @Test func lossesAreTold() throws {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(1)
        for count: UInt64 in [3, 12] {
            let options = joined(blocks.option(4, blocks.field(99, 8)), blocks.option(5, blocks.field(count, 8)))
            blocks.block(5, joined(zeros(12), options))
        }
        #expect(try lift(blocks.bytes).sink.notes.contains { $0.contains("lost 12 packets") })
    }

    @Test func fragmentsAreJoined() throws {
        let peer = TestPeer()
        let whole = peer.packet(client: true, at: 0, bytes("0123456789abcdefghij")).bytes.dropFirst(34)
        func piece(_ range: Range<Int>, more: Bool) -> TestPacket {
            TestPacket(
                bytes: peer.framed(
                    peer.network(
                        client: true, Array(Array(whole)[range]), fragment: range.lowerBound / 8 | (more ? 0x2000 : 0)))
            )
        }
        let pieces = [piece(0..<16, more: true), piece(16..<32, more: true), piece(32..<40, more: false)]
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 2, 1]] {
            let sink = try lift(peer.handshake + order.map { pieces[$0] })
            #expect(sink.events == ["c:0123456789abcdefghij", "gone"], "\(order)")
        }
        let sink = try lift(peer.handshake + pieces.dropLast())
        #expect(sink.events == ["gone"])
        #expect(sink.notes.contains { $0.contains("fragments of 1 packet never became whole") })
    }

    @Test func extensionHeadersOfIPv6() throws {
        var peer = TestPeer()
        peer.version6 = true
        let plain = peer.packet(client: true, at: 0, bytes("ping")).bytes
        let ip = Array(plain.dropFirst(14))
        let tcp = Array(ip.dropFirst(40))
        func extended(_ chain: [(UInt8, [UInt8])]) -> TestPacket {
            var body: [UInt8] = []
            for (index, header) in chain.enumerated() {
                let next: UInt8 = index + 1 < chain.count ? chain[index + 1].0 : 6
                body += joined([next], header.1)
            }
            let all = joined(body, tcp)
            let head = joined(Array(ip.prefix(4)), .big16(all.count), [chain[0].0, 64], Array(ip[8..<40]))
            return TestPacket(bytes: joined(Array(plain.prefix(14)), head, all))
        }
        let eight = zeros(7)
        let options = joined([1], zeros(14))
        let chains: [[(UInt8, [UInt8])]] = [
            [(0, eight)], [(0, eight), (60, options), (43, eight)], [(51, joined([1], zeros(10)))], [(44, eight)],
        ]
        for chain in chains { #expect(try lift(peer.handshake + [extended(chain)]).events == ["c:ping", "gone"]) }
        let endless = extended(Array(repeating: (0, eight), count: 40))
        let sink = try lift(peer.handshake + [endless])
        #expect(sink.events == ["gone"])
        #expect(sink.notes.contains { $0.contains("packet 4: 1 packet has headers that contradict themselves") })
    }

    @Test func segmentsWithoutALength() throws {
        // A card cuts them later: the total length is 0 and there may be more than 64 KiB.
        let peer = TestPeer()
        var large = peer.packet(client: true, at: 0, [UInt8](repeating: 0x61, count: 100_000))
        (large.bytes[16], large.bytes[17]) = (0, 0)
        #expect(try lift(peer.handshake + [large]).only.clientBytes.count == 100_000)
    }

    @Test func paddingIsNoData() throws {
        let peer = TestPeer()
        var short = peer.packet(client: true, at: 0, bytes("a"))
        short.bytes += [0, 0, 0, 0, 0]
        #expect(
            try lift(peer.handshake + [short, peer.packet(client: true, at: 1, bytes("b"))]).events == ["c:ab", "gone"])
    }

    @Test func filters() throws {
        var other = TestPeer()
        other.serverPort = 9_999
        let packets = talk(TestPeer()) + talk(other)
        let (sink, summary) = try lift(pcapFile(packets), filter: "tcp port 9999")
        #expect(sink.only.server == "10.0.0.1:9999")
        #expect(summary.skipped == 5)
        for link: UInt32 in [0, 101, 113, 276, 228] {
            var raw = other
            raw.link = link
            #expect(try lift(pcapFile(talk(raw)), filter: "tcp port 9999").sink.events == expected)
        }
        #expect(throws: ImportError.self) { try lift(pcapFile(packets), filter: "tcp prt 9") }
    }

    @Test func filesThatAreNone() throws {
        let cases: [(file: [UInt8], word: String)] = [
            ([], "an empty file"), (bytes("hello world"), "begins with 68 65"), ([0x1f, 0x8b, 8, 0], "gunzip"),
        ]
        for (file, word) in cases {
            #expect { try lift(file) } throws: { error in
                guard let error = error as? ImportError else { return false }
                return "\(error.found ?? "") \(error.remedy ?? "")".contains(word)
            }
        }
        #expect { try lift(pcapFile(talk(TestPeer()), link: 105)) } throws: {
            ($0 as? ImportError)?.found == "link type 105"
        }
    }

    /// Every whole packet is read, then the cut is told; connections end all the same.
    @Test func cutAtEveryByte() throws {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(1)
        for packet in talk(TestPeer()) { blocks.enhanced(0, ticks: 1, packet) }
        for file in [pcapFile(talk(TestPeer())), blocks.bytes] {
            for count in 0..<file.count {
                let sink = RecordingSink()
                let folder = try Folder()
                try folder.write("a.pcap", file.prefix(count))
                do {
                    let summary = try PcapImporter.read([folder["a.pcap"]], options: ImportOptions(), into: sink)
                    #expect(summary.records <= 5)
                    #expect(sink.stories.values.allSatisfy { $0.events.isEmpty || $0.events.last == "gone" })
                    // Between two records nobody can see it; anywhere else it is the failure of the source.
                    if summary.records == 5 || [24, 48].contains(count) { continue }
                    let isWithin = summary.failure?.sentence == "the file is cut off"
                    #expect(isWithin || borders(file).contains(count), "\(count)")
                    #expect(!isWithin || summary.failure?.place.hasPrefix(folder["a.pcap"]) == true)
                } catch { #expect(count < 28, "\(error)") }
            }
        }
    }

    /// Where records of the classic form, or blocks, end.
    private func borders(_ file: [UInt8]) -> Set<Int> {
        func number(_ at: Int) -> Int { file.dropFirst(at).prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) } }
        let isClassic = file.first == 0xd4
        var at = isClassic ? 24 : 0
        var borders: Set<Int> = []
        while at < file.count {
            borders.insert(at)
            at += isClassic ? 16 + number(at + 8) : number(at + 4)
        }
        return borders
    }

    /// Files of one capture are read in the order of time, whatever order they are named in.
    @Test func severalFilesAreReadInTheOrderOfTime() throws {
        let packets = talk(TestPeer()).enumerated().map { $1.at(Int64($0 + 1) * 1_000_000_000) }
        let folder = try Folder()
        try folder.write("a.pcap", pcapFile(Array(packets.prefix(2))))
        try folder.write("b.pcap", pcapFile(Array(packets[2...3])))
        try folder.write("c.pcap", pcapFile(Array(packets.suffix(1))))
        for names in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
            let sink = RecordingSink()
            let paths = names.map { folder[$0 + ".pcap"] }
            let summary = try PcapImporter.read(paths, options: ImportOptions(), into: sink)
            #expect(sink.events == expected && sink.isOrdered && sink.notes == [], "\(names)")
            #expect(summary.records == 5 && summary.failure == nil)
        }
    }

    @Test func filesThatOverlapAreTold() throws {
        let packets = talk(TestPeer()).enumerated().map { $1.at(Int64($0 + 1) * 1_000_000_000) }
        let folder = try Folder()
        try folder.write("a.pcap", pcapFile(packets))
        try folder.write("b.pcap", pcapFile(Array(packets.suffix(2))))
        let sink = RecordingSink()
        _ = try PcapImporter.read([folder["b.pcap"], folder["a.pcap"]], options: ImportOptions(), into: sink)
        #expect(sink.notes.count == 1)
        #expect(sink.notes.first?.hasPrefix("\(folder["b.pcap"]) begins before \(folder["a.pcap"]) ends") == true)
        #expect(sink.events == expected)
    }

    /// A cut file is the failure of its source, and the files behind it are read.
    @Test func whatStandsBehindACutFileIsRead() throws {
        let packets = talk(TestPeer()).enumerated().map { $1.at(Int64($0 + 1) * 1_000_000_000) }
        let folder = try Folder()
        try folder.write("a.pcap", pcapFile(Array(packets.prefix(4))).dropLast(3))
        try folder.write("b.pcap", pcapFile(Array(packets.suffix(1))))
        let sink = RecordingSink()
        let summary = try PcapImporter.read([folder["a.pcap"], folder["b.pcap"]], options: ImportOptions(), into: sink)
        #expect(summary.records == 4 && sink.only.serverBytes == bytes("pong"))
        #expect(summary.failure?.place == folder["a.pcap"] + " packet 4" && summary.failure?.remedy != nil)
    }

    @Test func bentBytesNeverTrap() throws {
        var blocks = TestBlocks()
        blocks.section()
        blocks.interface(1, options: blocks.option(9, [9]))
        for packet in talk(TestPeer()) { blocks.enhanced(0, ticks: 1, packet) }
        var dice = Dice(
            DiceKey(seed: 7, profile: "", user: "", connection: 0), direction: .toServer, message: 0, fault: "")
        for file in [pcapFile(talk(TestPeer())), blocks.bytes] {
            for _ in 0..<1_500 {
                var bent = file
                for _ in 0...dice.below(4) {
                    let values: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: dice.next())]
                    bent[dice.below(bent.count)] = values[dice.below(values.count)]
                }
                let folder = try Folder()
                try folder.write("a.pcap", bent)
                let sink = RecordingSink()
                _ = try? PcapImporter.read([folder["a.pcap"]], options: ImportOptions(), into: sink)
                for story in sink.stories.values {
                    #expect(story.client != "never opened")
                    let ends = story.events.filter { $0.hasSuffix("finish") }
                    #expect(story.events.last == "gone" || story.events.isEmpty || ends.count == 2)
                }
            }
        }
    }
}

private struct Counter: PacketTaker {
    var sizes: [Int] = []
    mutating func packet(_ stamp: PacketStamp, _ bytes: RawSpan) { sizes.append(bytes.byteCount) }
    mutating func secrets(_ bytes: RawSpan) {}
    mutating func note(_ sentence: String) {}
    mutating func brokenOff(_ error: ImportError) {}
}
