import NIOCore
import Testing

@testable import Wire

@Suite struct HeadTests {
    struct Case {
        var line: String
        var kind: HeadParser.Kind
        var bytes: ByteBuffer
        var expected: String

        static func all(_ file: String) throws -> [Case] {
            try Vectors.lines(file).map { line in
                let kind: HeadParser.Kind = line.hasPrefix("request") ? .request : .response
                let middle = line.split(separator: " ; ", maxSplits: 1).last.map(String.init) ?? ""
                let parts = middle.split(separator: " ; ", omittingEmptySubsequences: false)
                let text = parts.dropLast().joined(separator: " ; ")
                return Case(
                    line: line, kind: kind, bytes: Vectors.unescaped(text, lines: true),
                    expected: String(parts.last ?? ""))
            }
        }
    }

    static func outcome(_ parser: inout HeadParser, _ reads: [ByteBuffer]) -> HeadParser.Result {
        for read in reads {
            parser.feed(read)
            let result = parser.next()
            if result != .partial { return result }
        }
        return .partial
    }

    static func describe(_ result: HeadParser.Result) -> String {
        switch result {
        case .partial: "partial"
        case .request(let head): head.isWebSocketUpgrade ? "upgrade" : "plain"
        case .response(let head): "\(head.status)"
        case .notHTTP: "no-http"
        case .refused(let refusal): "\(refusal.kind) \(refusal.offset)"
        }
    }

    @Test func accepts() throws {
        let cases = try Case.all("heads-accept.txt")
        #expect(cases.count >= 20)
        for one in cases {
            var behind = one.bytes
            behind.writeString("\u{1}early bytes")
            for reads in everyCut(one.bytes) + everyCut(behind) {
                var parser = HeadParser(one.kind)
                var result = HeadParser.Result.partial
                var rest: [ByteBuffer] = []
                for read in reads {
                    if result == .partial {
                        parser.feed(read)
                        result = parser.next()
                    } else {
                        rest.append(read)
                    }
                }
                #expect(Self.describe(result) == one.expected, "\(one.line)")
                switch result {
                case .request(let head): #expect(head.bytes == one.bytes)
                case .response(let head): #expect(head.bytes == one.bytes)
                default: break
                }
                var tail = parser.takeHeld()
                for read in rest { tail.writeImmutableBuffer(read) }
                #expect(tail.readableBytes == reads.map(\.readableBytes).reduce(0, +) - one.bytes.readableBytes)
            }
        }
    }

    @Test func refuses() throws {
        let cases = try Case.all("heads-refuse.txt")
        #expect(cases.count > 45)
        for one in cases {
            for reads in everyCut(one.bytes) {
                var parser = HeadParser(one.kind)
                let result = Self.outcome(&parser, reads)
                let fed = parser.held
                #expect(Self.describe(result) == one.expected, "\(one.line)")
                #expect(parser.next() == result, "the answer stays: \(one.line)")
                #expect(one.bytes.readableBytesView.starts(with: fed.readableBytesView), "\(one.line)")
            }
        }
    }

    @Test func whatIsNoHTTPIsKnownAtTheFirstByte() {
        for (kind, text) in [(HeadParser.Kind.request, "{"), (.request, "\u{16}"), (.response, "I"), (.response, "S")] {
            var parser = HeadParser(kind)
            parser.feed(ByteBuffer(string: text))
            guard case .notHTTP = parser.next() else {
                Issue.record("\(text) may still be HTTP")
                continue
            }
        }
    }

    @Test(arguments: ["total", "field", "line", "count"])
    func limits(_ what: String) throws {
        let build = { (size: Int) -> String in
            switch what {
            case "total":
                let start = "GET / HTTP/1.1\r\n"
                let field = "A: " + String(repeating: "b", count: 95) + "\r\n"
                var text = start + String(repeating: field, count: 9)
                text += "C: " + String(repeating: "d", count: size - text.utf8.count - 7) + "\r\n\r\n"
                return text
            case "field": return "GET / HTTP/1.1\r\nA: " + String(repeating: "b", count: size - 3) + "\r\n\r\n"
            case "line": return "GET /" + String(repeating: "a", count: size - 14) + " HTTP/1.1\r\n\r\n"
            default: return "GET / HTTP/1.1\r\n" + String(repeating: "a: b\r\n", count: size) + "\r\n"
            }
        }
        let limits = HeadLimits(total: 1000, field: 300, startLine: 200, fields: 20)
        let limit = ["total": 1000, "field": 300, "line": 200, "count": 20][what] ?? 0
        for size in [limit - 1, limit, limit + 1] {
            for pieces in [1, 7, 5000] {
                var parser = HeadParser(.request, limits: limits)
                var rest = ByteBuffer(string: build(size))
                var result = HeadParser.Result.partial
                while result == .partial, let piece = rest.readSlice(length: min(pieces, rest.readableBytes)),
                    piece.readableBytes > 0
                {
                    parser.feed(piece)
                    result = parser.next()
                }
                if size <= limit {
                    #expect(Self.describe(result) == "plain", "\(what) \(size)")
                } else if case .refused(let refusal) = result {
                    #expect(refusal.isLimit && refusal.status == 431, "\(what) \(size)")
                } else {
                    Issue.record("\(what) \(size): \(result)")
                }
            }
        }
    }

    @Test func neverEndingHeadsAreBounded() {
        for filler in ["GET /", "GET / HTTP/1.1\r\nA: ", "HTTP/1.1 200 "] {
            var parser = HeadParser(filler.hasPrefix("HTTP") ? .response : .request)
            parser.feed(ByteBuffer(string: filler))
            var refused = false
            for _ in 0..<80 where !refused {
                parser.feed(ByteBuffer(repeating: UInt8(ascii: "a"), count: 1024))
                if case .refused(let refusal) = parser.next() {
                    refused = true
                    #expect(refusal.isLimit)
                }
            }
            #expect(refused && parser.held.readableBytes < 70_000)
        }
    }

    @Test func severalHeadsInOneRead() {
        var parser = HeadParser(.response)
        parser.feed(
            ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 101 x\r\n\r\n"))
        let found = (0..<3).map { _ in Self.describe(parser.next()) }
        #expect(found == ["100", "103", "101"])
        #expect(parser.next() == .partial)
    }

    @Test func noiseNeverTraps() throws {
        var generator = SeededGenerator(6)
        let seeds = try Case.all("heads-accept.txt") + Case.all("heads-refuse.txt")
        for round in 0..<2500 {
            let seed = seeds[round % seeds.count]
            let bytes = generator.mutated(seed.bytes)
            var whole = HeadParser(seed.kind)
            var cut = HeadParser(seed.kind)
            let first = Self.outcome(&whole, [bytes])
            #expect(Self.outcome(&cut, generator.pieces(bytes)) == first, "\(bytes)")
            if case .request(let head) = first {
                #expect(try RequestHead(head.bytes) == head)
                let parts = head.queryItems + head.cookies + head.subprotocols
                for part in parts { #expect(head.removing(part.removalRange).readableBytes < head.bytes.readableBytes) }
            }
        }
    }
}
