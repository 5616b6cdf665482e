import NIOCore
import Testing

@testable import Wire

@Suite struct FrameTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var direction: Direction
        var wire: ByteBuffer
        var payload: ByteBuffer
        var violations: [FrameViolation]
        var testDescription: String { name }

        static func all() throws -> [Case] {
            try Vectors.table("rfc6455-frames.txt").map { columns in
                Case(
                    name: columns[0], direction: columns[1] == "client" ? .toServer : .toClient,
                    wire: Vectors.hex(columns[2]), payload: Vectors.hex(columns[3]),
                    violations: columns[4].split(separator: " ").compactMap { FrameViolation(rawValue: String($0)) })
            }
        }
    }

    /// All that a parser gives for these reads.
    static func parse(_ reads: [ByteBuffer], limit: Int = 1 << 20) -> [FrameParser.Result] {
        var parser = FrameParser(limit: limit)
        var out: [FrameParser.Result] = []
        for read in reads {
            parser.feed(read)
            while true {
                let result = parser.next()
                if result == .partial { break }
                out.append(result)
            }
        }
        return out
    }

    @Test func vectors() throws {
        let cases = try Case.all()
        #expect(cases.count >= 40)
        for one in cases {
            for reads in everyCut(one.wire) {
                let results = Self.parse(reads)
                guard case .frame(let frame, let wire)? = results.first, results.count == 1 else {
                    Issue.record("\(one.name): \(results)")
                    continue
                }
                #expect(frame.payload == one.payload, "\(one.name)")
                #expect(wire == one.wire, "\(one.name)")
                #expect(FrameWriter.bytes(frame) == one.wire, "\(one.name)")
                var legality = FrameLegality(one.direction)
                #expect(legality.violations(of: frame) == one.violations, "\(one.name)")
                // What a header shows, the scanner sees too.
                var scanner = FrameScanner(one.direction)
                let visible = Set(one.violations).subtracting([.closeTooShort, .closeCode, .closeReason, .text])
                let seen = reads.compactMap { scanner.scan($0).violation }.first
                #expect((seen == nil) == visible.isEmpty, "\(one.name)")
                if let seen { #expect(visible.contains(seen), "\(one.name)") }
            }
        }
    }

    @Test func valuesOfAFrame() throws {
        let frame = try #require(FrameParser.frame(exactly: Vectors.hex("818537fa213d7f9f4d5158")))
        #expect(frame.fin && frame.rsv == 0 && frame.opcode == .text && frame.maskKey == 0x37fa_213d)
        #expect(frame.lengthForm == .seven && frame.declaredLength == 5)
        #expect(FrameParser.frame(exactly: Vectors.hex("8105486565")) == nil)
        #expect(FrameParser.frame(exactly: Vectors.hex("81014100")) == nil)
        #expect(FrameParser.frame(exactly: ByteBuffer()) == nil)
    }

    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 65_537])
    func shortestLength(_ count: Int) throws {
        let payload = ByteBuffer(repeating: 7, count: count)
        for key in [nil, 0x0102_0304 as UInt32] {
            let frame = Frame(opcode: .binary, maskKey: key, payload: payload)
            let wire = FrameWriter.bytes(frame)
            #expect(FrameParser.frame(exactly: wire) == frame)
            var legality = FrameLegality(key == nil ? .toClient : .toServer)
            #expect(legality.violations(of: frame) == [])
            var scanner = FrameScanner(key == nil ? .toClient : .toServer)
            var ends: [Int32] = []
            let report = scanner.scan(wire, ends: &ends)
            #expect(report.violation == nil && report.atMessageBoundary)
            #expect(ends == [Int32(wire.readableBytes)])
        }
    }

    @Test func lengthWithTopBitIsIllegalAndNoTrap() {
        let good = Vectors.hex("810141")
        let bad = Vectors.hex("82ff8000000000000001 01020304 aabb")
        var wire = good
        wire.writeImmutableBuffer(bad)
        wire.writeImmutableBuffer(good)
        for reads in everyCut(wire) {
            let results = Self.parse(reads)
            guard case .frame? = results.first else {
                Issue.record("no frame")
                continue
            }
            var illegal = ByteBuffer()
            for result in results.dropFirst() {
                guard case .illegal(let bytes, .lengthTopBit) = result else {
                    Issue.record("\(result)")
                    continue
                }
                illegal.writeImmutableBuffer(bytes)
            }
            #expect(illegal.readableBytes == wire.readableBytes - 3)
            var scanner = FrameScanner(.toServer)
            let reports = reads.map { scanner.scan($0) }
            #expect(reports.map(\.framesEnded).reduce(0, +) == 1)
            #expect(scanner.isLost && reports.last?.lostOffset != nil)
        }
        var scanner = FrameScanner(.toClient)
        #expect(scanner.scan(wire).lostOffset == 3)
    }

    @Test func oversizeComesInPieces() throws {
        let big = FrameWriter.bytes(Frame(opcode: .text, maskKey: 5, payload: ByteBuffer(repeating: 1, count: 300)))
        var wire = big
        wire.writeImmutableBuffer(Vectors.hex("8000"))
        for reads in everyCut(wire) {
            var passed = ByteBuffer()
            var lasts = 0
            var headers: [FrameHeader] = []
            var frames = 0
            for result in Self.parse(reads, limit: 299) {
                switch result {
                case .oversize(let header): headers.append(header)
                case .piece(let bytes, let last):
                    passed.writeImmutableBuffer(bytes)
                    lasts += last ? 1 : 0
                case .frame: frames += 1
                default: Issue.record("\(result)")
                }
            }
            #expect(passed == big && lasts == 1 && frames == 1)
            #expect(headers.map(\.declaredLength) == [300])
        }
        // A frame of 2^62 bytes is streamed, never held.
        let endless = Vectors.hex("827f4000000000000000 aabbcc")
        var parser = FrameParser()
        parser.feed(endless)
        let header = try #require(FrameHeader(endless))
        #expect(parser.next() == .oversize(header))
        #expect(parser.next() == .piece(endless, last: false))
        parser.feed(ByteBuffer(repeating: 0, count: 1000))
        #expect(parser.next() == .piece(ByteBuffer(repeating: 0, count: 1000), last: false))
        #expect(parser.heldBytes == 0 && !parser.isIdle)
    }

    @Test func parserTakesOverFromTheScannerAnywhere() {
        var wire = Vectors.hex("818537fa213d7f9f4d5158")
        wire.writeImmutableBuffer(
            FrameWriter.bytes(Frame(opcode: .binary, maskKey: 1, payload: ByteBuffer(repeating: 9, count: 200))))
        wire.writeImmutableBuffer(Vectors.hex("8a8001020304"))
        for cut in 0...wire.readableBytes {
            var scanner = FrameScanner(.toServer)
            let before = scanner.scan(wire.getSlice(at: 0, length: cut) ?? ByteBuffer()).framesEnded
            var parser = FrameParser(resuming: scanner)
            #expect(parser.isIdle == scanner.atFrameBoundary)
            parser.feed(wire.getSlice(at: cut, length: wire.readableBytes - cut) ?? ByteBuffer())
            var rest = ByteBuffer()
            var after = 0
            loop: while true {
                switch parser.next() {
                case .frame(_, let bytes):
                    rest.writeImmutableBuffer(bytes)
                    after += 1
                case .piece(let bytes, let last):
                    rest.writeImmutableBuffer(bytes)
                    after += last ? 1 : 0
                case .oversize: continue
                default: break loop
                }
            }
            #expect(before + after == 3)
            #expect(Array(rest.readableBytesView) == wire.getBytes(at: cut, length: wire.readableBytes - cut))
            #expect(parser.isIdle)
        }
    }

    @Test func fragmentsAndOrder() {
        var legality = FrameLegality(.toClient)
        let text = { (bytes: String, fin: Bool, opcode: Opcode) in
            Frame(fin: fin, opcode: opcode, payload: Vectors.hex(bytes))
        }
        #expect(legality.violations(of: text("c3", false, .text)) == [])
        #expect(legality.violations(of: text("", true, .ping)) == [])
        #expect(legality.violations(of: text("a9", true, .continuation)) == [])
        #expect(legality.violations(of: text("c3", false, .text)) == [])
        #expect(legality.violations(of: text("28", true, .continuation)) == [.text])
        #expect(legality.violations(of: text("", true, .continuation)) == [.orphanContinuation])
        #expect(legality.violations(of: text("", false, .binary)) == [])
        #expect(legality.violations(of: text("", true, .text)) == [.messageInterrupted])
        #expect(legality.violations(of: text("03e8", true, .close)) == [])
        #expect(legality.violations(of: text("", true, .ping)) == [.afterClose])
    }

    @Test func deflateBit() {
        var legality = FrameLegality(.toClient, deflate: true)
        let frame = { (fin: Bool, opcode: Opcode) in Frame(fin: fin, rsv: 4, opcode: opcode, payload: ByteBuffer()) }
        #expect(legality.violations(of: frame(false, .text)) == [])
        #expect(legality.violations(of: frame(true, .continuation)) == [.deflatedContinuation])
        #expect(legality.violations(of: frame(true, .ping)) == [.deflatedContinuation])
        // Deflated text is no UTF-8 on the wire, and need not be.
        let deflated = Frame(rsv: 4, opcode: .text, payload: Vectors.hex("f248cdc9c90700"))
        #expect(legality.violations(of: deflated) == [])
    }

    @Test func unknownExtensionMayMeanAnything() {
        let odd = Frame(rsv: 7, opcode: Opcode(rawValue: 3), payload: Vectors.hex("ff"))
        let text = Frame(rsv: 2, opcode: .text, payload: Vectors.hex("ff"))
        var legality = FrameLegality(.toClient, extensions: .unknown("x"))
        var scanner = FrameScanner(.toClient, extensions: .unknown("x"))
        for frame in [odd, text] {
            #expect(legality.violations(of: frame) == [])
            let report = scanner.scan(FrameWriter.bytes(frame))
            #expect(report.violation == nil)
        }
        // The rest of the rules still hold.
        let masked = Frame(opcode: .ping, maskKey: 1, payload: ByteBuffer())
        #expect(legality.violations(of: masked) == [.maskUnexpected])
    }

    @Test func masksAtEveryLengthAndOffset() {
        for length in 0..<40 {
            for offset in 0..<5 {
                var generator = SeededGenerator(UInt64(length))
                let plain = generator.bytes(length)
                let key: UInt32 = 0xa1b2_c3d4
                let octets: [UInt8] = [0xa1, 0xb2, 0xc3, 0xd4]
                let expected = plain.readableBytesView.enumerated().map { $1 ^ octets[($0 + offset) % 4] }
                var masked = plain
                Mask.apply(key, to: &masked, offset: offset)
                #expect(Array(masked.readableBytesView) == expected)
                Mask.apply(key, to: &masked, offset: offset)
                #expect(masked == plain)
            }
        }
    }

    @Test func closeBodies() {
        #expect(CloseBody(ByteBuffer()) == CloseBody(Vectors.hex("03")))
        #expect(CloseBody(ByteBuffer()).code == nil)
        #expect(CloseBody(Vectors.hex("03e8")) == CloseBody(code: 1000))
        #expect(CloseBody(Vectors.hex("0fa1627965")).reason == "bye")
        #expect(CloseBody(Vectors.hex("03e8ff")).code == 1000)
        #expect(CloseBody(Vectors.hex("03e8ff")).reason == nil)
        #expect(CloseBody(code: 1001, reason: "bye").payload == Vectors.hex("03e9627965"))
        let long = CloseBody(code: 1000, reason: String(repeating: "é", count: 100)).payload
        #expect(long.readableBytes <= 125 && CloseBody(long).reason == String(repeating: "é", count: 61))
        let allowed = (0...5000).filter { CloseBody.mayBeSent(UInt16($0)) }
        #expect(allowed == Array(1000...1003) + Array(1007...1014) + Array(3000...4999))
    }
}
