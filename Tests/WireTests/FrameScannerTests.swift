import NIOCore
import Testing

@testable import Wire

@Suite struct FrameScannerTests {
    /// What the parser and the sequence of frames say, to compare the scanner with.
    struct Expectation: Equatable {
        var ends: [Int] = []
        var messagesStarted = 0
        var messagesEnded = 0
    }

    static func frames(_ count: Int, _ generator: inout SeededGenerator) -> (wire: ByteBuffer, expected: Expectation) {
        var wire = ByteBuffer()
        var expected = Expectation()
        let opcodes: [Opcode] = [.continuation, .text, .binary, .ping, .close, Opcode(rawValue: 3)]
        for _ in 0..<count {
            let opcode = opcodes[generator.below(opcodes.count)]
            let length = [0, 1, 5, 125, 126, 200][generator.below(6)]
            let key = generator.below(2) == 0 ? nil : UInt32(truncatingIfNeeded: generator.next())
            var frame = Frame(
                fin: generator.below(2) == 0, opcode: opcode, maskKey: key, payload: generator.bytes(length))
            if generator.below(4) == 0 { frame.lengthForm = .sixtyFour }
            FrameWriter.write(frame, into: &wire)
            expected.ends.append(wire.readableBytes)
            if opcode == .text || opcode == .binary { expected.messagesStarted += 1 }
            if !opcode.isControl, opcode.rawValue < 3, frame.fin { expected.messagesEnded += 1 }
        }
        return (wire, expected)
    }

    static func scan(_ reads: [ByteBuffer]) -> (Expectation, FrameScanner) {
        var scanner = FrameScanner(.toServer)
        var found = Expectation()
        var base = 0
        for read in reads {
            var ends: [Int32] = []
            let report = scanner.scan(read, ends: &ends)
            #expect(report.framesEnded == ends.count)
            #expect(report.atFrameBoundary == scanner.atFrameBoundary)
            found.ends += ends.map { Int($0) + base }
            found.messagesStarted += report.messagesStarted
            found.messagesEnded += report.messagesEnded
            base += read.readableBytes
        }
        return (found, scanner)
    }

    @Test func sameAtEveryCut() {
        var generator = SeededGenerator(1)
        for _ in 0..<6 {
            let (wire, expected) = Self.frames(6, &generator)
            for reads in everyCut(wire) {
                let (found, scanner) = Self.scan(reads)
                #expect(found == expected)
                #expect(scanner.atFrameBoundary && scanner.partialCount == 0)
            }
        }
    }

    @Test func sameInRandomPieces() {
        var generator = SeededGenerator(2)
        for _ in 0..<100 {
            let (wire, expected) = Self.frames(20, &generator)
            #expect(Self.scan(generator.pieces(wire)).0 == expected)
        }
    }

    @Test func reportOfOneRead() {
        // A ping, a first fragment, and the beginning of a continuation.
        var scanner = FrameScanner(.toClient)
        var ends: [Int32] = []
        let report = scanner.scan(Vectors.hex("8900 010141 8005 4142"), ends: &ends)
        #expect(ends == [2, 5])
        #expect(report.framesStarted == 3 && report.framesEnded == 2)
        #expect(report.messagesStarted == 1 && report.messagesEnded == 0)
        #expect(report.started(.ping) && report.started(.text) && report.started(.continuation))
        #expect(!report.started(.binary) && !report.started(.close))
        #expect(report.violation == nil && report.lostOffset == nil)
        #expect(!report.atFrameBoundary && !report.atMessageBoundary)
        // The frame that ends the message is begun: its header says so already, its bytes do not.
        #expect(scanner.remaining == 3 && !scanner.rules.inMessage)
        let rest = scanner.scan(Vectors.hex("434445 89"), ends: &ends)
        #expect(ends == [2, 5, 3])
        #expect(rest.messagesEnded == 1 && !rest.atFrameBoundary && scanner.partialCount == 1)
        #expect(scanner.partialHeader == Vectors.hex("89"))
        let last = scanner.scan(Vectors.hex("00"))
        #expect(last.framesEnded == 1 && last.atMessageBoundary)
    }

    @Test func whereTheFirstViolationBegins() {
        var scanner = FrameScanner(.toClient)
        let report = scanner.scan(Vectors.hex("8900 8300 c10141"))
        #expect(report.violation == .reservedOpcode && report.violationOffset == 2)
        // It goes on: framing is not lost, only a rule is broken.
        #expect(report.framesEnded == 3 && report.lostOffset == nil && report.atFrameBoundary)
        var split = FrameScanner(.toClient)
        #expect(split.scan(Vectors.hex("8900 83")).violation == nil)
        let second = split.scan(Vectors.hex("00"))
        #expect(second.violation == .reservedOpcode && second.violationOffset == 0)
    }

    @Test func agreesWithTheParserOnNoise() {
        var generator = SeededGenerator(3)
        for round in 0..<400 {
            let base = Self.frames(4, &generator).wire
            let wire = round % 2 == 0 ? generator.bytes(generator.below(200)) : generator.mutated(base)
            let whole = Self.scan([wire])
            let cut = Self.scan(generator.pieces(wire))
            #expect(whole.0 == cut.0)
            #expect(whole.1 == cut.1)
            var ends: [Int] = []
            var offset = 0
            for result in FrameTests.parse(generator.pieces(wire), limit: 100) {
                switch result {
                case .frame(let frame, let bytes):
                    offset += bytes.readableBytes
                    ends.append(offset)
                    #expect(FrameWriter.bytes(frame) == bytes)
                case .piece(let bytes, let last):
                    offset += bytes.readableBytes
                    if last { ends.append(offset) }
                default: break
                }
            }
            #expect(ends == whole.0.ends)
        }
    }
}
