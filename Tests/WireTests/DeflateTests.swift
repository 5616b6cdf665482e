import NIOCore
import Testing

@testable import Wire

@Suite struct DeflateTests {
    @Test func vectors() throws {
        var inflater = try Inflater()
        for row in try Vectors.table("rfc7692-deflate.txt") {
            if row[1] == "fresh" { inflater = try Inflater() }
            let plain = try inflater.inflate(Vectors.hex(row[2]))
            #expect(String(buffer: plain) == row[3], "\(row[0])")
        }
        // Section 7.2.3.2: without the first message's window the second says nothing.
        let alone = try Inflater()
        #expect(throws: DeflateError.self) { try alone.inflate(Vectors.hex("f200110000")) }
        #expect(throws: DeflateError.contextLost) { try alone.inflate(Vectors.hex("f248cdc9c90700")) }
        let each = try Inflater(takeover: false)
        #expect(throws: DeflateError.self) { try each.inflate(Vectors.hex("f200110000")) }
        #expect(try String(buffer: each.inflate(Vectors.hex("f248cdc9c90700"))) == "Hello")
        #expect(throws: DeflateError.self) { try each.inflate(Vectors.hex("f200110000")) }
    }

    @Test(arguments: [true, false], 8...15)
    func roundTrip(_ takeover: Bool, _ bits: Int) throws {
        var generator = SeededGenerator(UInt64(bits))
        let deflater = try Deflater(windowBits: bits, takeover: takeover)
        // The strictest reader that the negotiation allows.
        let inflater = try Inflater(windowBits: bits, takeover: takeover)
        let text = ByteBuffer(
            string: String(repeating: "{\"type\":\"agent_thinking\",\"run_id\":\"run_1\"}", count: 40))
        for count in [0, 1, 5, 0, 0, 300, 5000, 40_000, 100] {
            for plain in [generator.bytes(count), ByteBuffer(repeating: 0x61, count: count), text] {
                let wire = try deflater.deflate(plain)
                #expect(try inflater.inflate(wire) == plain)
            }
        }
    }

    @Test func takeoverIsWorthIt() throws {
        let text = ByteBuffer(string: "a sentence that will come again word by word")
        let deflater = try Deflater()
        let first = try deflater.deflate(text).readableBytes
        #expect(try deflater.deflate(text).readableBytes < first / 2)
        let fresh = try Deflater(takeover: false)
        #expect(try fresh.deflate(text) == fresh.deflate(text))
    }

    @Test func aFreshDeflaterMayBeginAnywhere() throws {
        let first = try Deflater()
        let inflater = try Inflater()
        for text in ["one two three", "one two three four"] {
            #expect(try String(buffer: inflater.inflate(first.deflate(ByteBuffer(string: text)))) == text)
        }
        let second = try Deflater()
        for text in ["three two one", "three two one zero"] {
            #expect(try String(buffer: inflater.inflate(second.deflate(ByteBuffer(string: text)))) == text)
        }
    }

    @Test func aCopyGoesItsOwnWay() throws {
        let first = try Inflater()
        #expect(try String(buffer: first.inflate(Vectors.hex("f248cdc9c90700"))) == "Hello")
        let second = try first.copied()
        first.skip()
        #expect(!first.isUsable && second.isUsable)
        #expect(try String(buffer: second.inflate(Vectors.hex("f200110000"))) == "Hello")
        #expect(try !first.copied().isUsable)
        #expect(try String(buffer: Inflater().copied().inflate(Vectors.hex("f248cdc9c90700"))) == "Hello")
    }

    @Test func limitHoldsDuringInflation() throws {
        let bomb = try Deflater().deflate(ByteBuffer(repeating: 0, count: 1_000_000))
        #expect(bomb.readableBytes < 2000)
        #expect(throws: DeflateError.tooLong(999_999)) { try Inflater().inflate(bomb, limit: 999_999) }
        #expect(try Inflater().inflate(bomb, limit: 1_000_000).readableBytes == 1_000_000)
        let kept = try Inflater()
        #expect(throws: DeflateError.tooLong(20_000)) { try kept.inflate(bomb, limit: 20_000) }
        #expect(!kept.isUsable)
        #expect(throws: DeflateError.contextLost) { try kept.inflate(Vectors.hex("00")) }
        let each = try Inflater(takeover: false)
        #expect(throws: DeflateError.tooLong(20_000)) { try each.inflate(bomb, limit: 20_000) }
        #expect(try String(buffer: each.inflate(Vectors.hex("f248cdc9c90700"))) == "Hello")
    }

    @Test(arguments: [-1, 0, 7, 16, 99])
    func windowBitsOutOfRange(_ bits: Int) {
        #expect(throws: DeflateError.windowBits(bits)) { try Inflater(windowBits: bits) }
        #expect(throws: DeflateError.windowBits(bits)) { try Deflater(windowBits: bits) }
    }

    @Test func noiseNeverTraps() throws {
        var generator = SeededGenerator(7)
        let seed = try Deflater().deflate(
            ByteBuffer(string: String(repeating: "some text, some more text; ", count: 20)))
        var failed = 0
        for round in 0..<1500 {
            let inflater = try Inflater(takeover: round % 2 == 0)
            let bytes = round % 3 == 0 ? generator.bytes(generator.below(60)) : generator.mutated(seed)
            do throws(DeflateError) {
                let plain = try inflater.inflate(bytes, limit: 4096)
                #expect(plain.readableBytes <= 4096)
            } catch {
                failed += 1
            }
        }
        #expect(failed > 300)
    }

    @Test func negotiation() throws {
        let answer = { (fields: [String]) in
            let lines = fields.map { "Sec-WebSocket-Extensions: \($0)\r\n" }.joined()
            return try ResponseHead(ByteBuffer(string: "HTTP/1.1 101 x\r\n\(lines)\r\n")).extensions
        }
        #expect(try answer([]) == .none)
        #expect(try answer([""]) == .none)
        #expect(try answer(["permessage-deflate"]) == .deflate(DeflateParameters()))
        let full = try answer([
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=\"10\"; server_max_window_bits=8"
        ])
        let parameters = try #require(full.deflate)
        #expect(!parameters.takeover(.toClient) && parameters.takeover(.toServer))
        #expect(parameters.windowBits(.toClient) == 8 && parameters.windowBits(.toServer) == 10)
        #expect(
            try ExtensionItem.parse(parameters.text).map { try DeflateParameters($0[0], isOffer: false) } == parameters)
        let refused = [
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=08", "permessage-deflate; server_max_window_bits=+9",
            "permessage-deflate; server_max_window_bits", "permessage-deflate; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; x",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits=99999999999999999999", "x-other",
            "permessage-deflate, permessage-deflate",
            "permessage-deflate; =", "permessage-deflate;;", "a b",
        ]
        for value in refused {
            guard case .unknown = try answer([value]) else {
                Issue.record("\(value) was taken")
                continue
            }
        }
        let head =
            "GET / HTTP/1.1\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x;y=\"a\"\r\n\r\n"
        let offers = try #require(try RequestHead(ByteBuffer(string: head)).extensionOffers)
        #expect(offers.map(\.text) == ["permessage-deflate; client_max_window_bits", "x; y=a"])
        #expect(try DeflateParameters(offers[0], isOffer: true).clientMayLimitWindow)
        #expect(throws: DeflateParameters.Problem.self) { try DeflateParameters(offers[0], isOffer: false) }
    }
}
