import NIOCore
import Testing

@testable import Wire

/// An assembler whose calls may stand inside an expectation.
private final class Assembling {
    private var assembler: MessageAssembler
    init(_ assembler: MessageAssembler) { self.assembler = assembler }
    func take(_ frame: Frame) -> AssembledMessage? { assembler.take(frame) }
    func skip(_ header: FrameHeader) -> AssembledMessage? { assembler.skip(header) }
    var inMessage: Bool { assembler.inMessage }
    var openOrdinal: UInt32? { assembler.openOrdinal }
    var openOpcode: Opcode? { assembler.openOpcode }
}

@Suite struct MessageAssemblerTests {
    private static func frame(_ opcode: Opcode, _ text: String, fin: Bool = true, rsv: UInt8 = 0) -> Frame {
        Frame(fin: fin, rsv: rsv, opcode: opcode, payload: ByteBuffer(string: text))
    }

    private static func text(_ message: AssembledMessage?) -> String? {
        message?.payload.map { String(buffer: $0) }
    }

    /// What is joined is not copied for each of its fragments: that would be half a terabyte here.
    @Test(.timeLimit(.minutes(1))) func fragmentsCostTheirBytes() throws {
        let assembler = Assembling(MessageAssembler(.toServer))
        let part = ByteBuffer(repeating: 0x61, count: 256)
        _ = assembler.take(Frame(fin: false, opcode: .binary, payload: part))
        for _ in 2..<65_536 { _ = assembler.take(Frame(fin: false, opcode: .continuation, payload: part)) }
        let message = try #require(assembler.take(Frame(opcode: .continuation, payload: part)))
        #expect(message.payload?.readableBytes == 16 << 20 && message.fragments == 65_536)
    }

    @Test func controlFramesBetweenFragments() throws {
        let assembler = Assembling(MessageAssembler(.toServer))
        #expect(assembler.take(Self.frame(.text, "one ", fin: false)) == nil)
        #expect(assembler.inMessage && assembler.openOrdinal == 1 && assembler.openOpcode == .text)
        let ping = try #require(assembler.take(Self.frame(.ping, "p")))
        #expect(ping.opcode == .ping && ping.ordinal == 0 && Self.text(ping) == "p")
        #expect(assembler.take(Self.frame(.continuation, "", fin: false)) == nil)
        #expect(assembler.take(Self.frame(.pong, "")) != nil)
        let message = try #require(assembler.take(Self.frame(.continuation, "two")))
        #expect(message.opcode == .text && message.ordinal == 1 && message.fragments == 3)
        #expect(Self.text(message) == "one two" && message.unlifted == nil)
        let next = try #require(assembler.take(Self.frame(.binary, "x")))
        #expect(next.ordinal == 2 && next.opcode == .binary && !assembler.inMessage)
    }

    @Test func whatBreaksTheRules() throws {
        let assembler = Assembling(MessageAssembler(.toServer))
        let orphan = try #require(assembler.take(Self.frame(.continuation, "x")))
        #expect(orphan.ordinal == 0 && orphan.unlifted != nil && !orphan.isLimit)
        #expect(assembler.take(Self.frame(.text, "lost", fin: false)) == nil)
        let second = try #require(assembler.take(Self.frame(.text, "kept")))
        #expect(second.ordinal == 2 && Self.text(second) == "kept")
        let compressed = try #require(assembler.take(Self.frame(.text, "x", rsv: 4)))
        #expect(compressed.payload == nil && compressed.unlifted != nil && compressed.ordinal == 3)
        let reserved = try #require(assembler.take(Self.frame(Opcode(rawValue: 3), "x")))
        #expect(reserved.ordinal == 0)
        let late = Assembling(MessageAssembler(.toServer, startingAt: 7, midMessage: true))
        let rest = try #require(late.take(Self.frame(.continuation, "x")))
        #expect(rest.ordinal == 7 && rest.payload == nil)
        #expect(late.take(Self.frame(.text, "y"))?.ordinal == 8)
    }

    @Test func limits() throws {
        for size in [9, 10, 11] {
            let assembler = Assembling(MessageAssembler(.toServer, limit: 10))
            #expect(assembler.take(Self.frame(.text, "12345", fin: false)) == nil)
            let text = String(repeating: "x", count: size - 5)
            let message = try #require(assembler.take(Self.frame(.continuation, text)))
            #expect((message.payload != nil) == (size <= 10) && message.isLimit == (size > 10))
            #expect(Self.text(assembler.take(Self.frame(.text, "ok"))) == "ok")
        }
        for count in [2, 3, 4] {
            let assembler = Assembling(MessageAssembler(.toServer, fragments: 3))
            #expect(assembler.take(Self.frame(.text, "", fin: false)) == nil)
            for _ in 0..<count - 2 { #expect(assembler.take(Self.frame(.continuation, "", fin: false)) == nil) }
            let message = try #require(assembler.take(Self.frame(.continuation, "")))
            #expect((message.payload != nil) == (count <= 3) && message.fragments == count)
        }
        let assembler = Assembling(MessageAssembler(.toServer))
        let huge = FrameHeader(firstByte: 0x82, lengthForm: .sixtyFour, declaredLength: 1 << 62, maskKey: 0)
        let skipped = try #require(assembler.skip(huge))
        #expect(skipped.ordinal == 1 && skipped.isLimit && skipped.payload == nil)
    }

    @Test(arguments: [true, false])
    func compressed(_ takeover: Bool) throws {
        var parameters = DeflateParameters()
        parameters.clientNoContextTakeover = !takeover
        let deflater = try parameters.deflater(.toServer)
        let assembler = Assembling(MessageAssembler(.toServer, extensions: .deflate(parameters), limit: 5000))
        for round in 1...3 {
            let wire = try deflater.deflate(ByteBuffer(string: "hello hello hello \(round)"))
            let cut = wire.readableBytes / 2
            let first = Frame(
                fin: false, rsv: 4, opcode: .text, payload: wire.getSlice(at: 0, length: cut) ?? ByteBuffer())
            #expect(assembler.take(first) == nil)
            #expect(assembler.take(Self.frame(.ping, "")) != nil)
            let rest = wire.getSlice(at: cut, length: wire.readableBytes - cut) ?? ByteBuffer()
            let message = assembler.take(Frame(opcode: .continuation, payload: rest))
            #expect(Self.text(message) == "hello hello hello \(round)" && message?.isCompressed == true)
            // A message that is not compressed leaves the context alone.
            #expect(Self.text(assembler.take(Self.frame(.text, "plain"))) == "plain")
        }
        // One that is too long costs the context where there is one, and nothing where each message stands alone.
        let bomb = try deflater.deflate(ByteBuffer(repeating: 1, count: 5001))
        let over = try #require(assembler.take(Frame(rsv: 4, opcode: .binary, payload: bomb)))
        #expect(over.isLimit && over.payload == nil)
        let after = try deflater.deflate(ByteBuffer(string: "after"))
        let message = try #require(assembler.take(Frame(rsv: 4, opcode: .text, payload: after)))
        #expect((message.payload == nil) == takeover)
        #expect(Self.text(assembler.take(Self.frame(.text, "plain"))) == "plain")
    }

    @Test func unknownExtension() throws {
        let assembler = Assembling(MessageAssembler(.toServer, extensions: .unknown("extension x")))
        let message = try #require(assembler.take(Self.frame(.text, "x")))
        #expect(message.payload == nil && message.unlifted == "extension x" && message.ordinal == 1)
    }
}
