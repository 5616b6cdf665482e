import NIOCore
import Testing

@testable import Wire

@Suite struct JSONTests {
    static func columns(_ line: String) -> (text: ByteBuffer, rest: String) {
        let parts = line.split(separator: " ; ", maxSplits: 1, omittingEmptySubsequences: false)
        return (Vectors.unescaped(String(parts[0]), lines: false), String(parts.last ?? ""))
    }

    @Test func accepts() throws {
        let lines = try Vectors.lines("json-accept.txt")
        #expect(lines.count > 25)
        for line in lines {
            let (text, rest) = Self.columns(line)
            let expected = rest == "=" ? String(buffer: text) : String(buffer: Vectors.unescaped(rest, lines: false))
            let value = try JSON.parse(text)
            #expect(value.text == expected, "\(line)")
            #expect(JSON.decode(text) == .value(value, tolerated: false), "\(line)")
            #expect(try JSON.parse(value.text) == value, "\(line)")
            let document = JSONDocument(text)
            #expect(document.problem == nil && !document.tolerated, "\(line)")
            #expect(document.root.flatMap { document.value(of: $0) } == value, "\(line)")
            #expect(JSONReader(text).value(at: []) == value, "\(line)")
            let start = text.readableBytesView.firstIndex { $0 > 0x20 } ?? 0
            let range = JSONExtent.value(at: start, in: text.readableBytesUInt8Span)?.range
            #expect(try range.map { try JSON.parse(ByteBuffer(bytes: Array(text.readableBytesView)[$0])) } == value, "\(line)")
        }
    }

    @Test func tolerates() throws {
        for line in try Vectors.lines("json-tolerated.txt") {
            let (text, rest) = Self.columns(line)
            guard case .value(_, tolerated: true) = JSON.decode(text) else {
                Issue.record("\(line): \(JSON.decode(text))")
                continue
            }
            #expect(JSONDocument(text).tolerated, "\(line)")
            do throws(JSONError) {
                _ = try JSON.parse(text)
                #expect(rest == "accept", "\(line)")
            } catch {
                #expect(rest == "refuse" && error.tolerated, "\(line)")
            }
        }
    }

    @Test func rejects() throws {
        let lines = try Vectors.lines("json-reject.txt")
        #expect(lines.count > 50)
        for line in lines {
            let (text, rest) = Self.columns(line)
            guard case .malformed(let error) = JSON.decode(text) else {
                Issue.record("\(line): \(JSON.decode(text))")
                continue
            }
            #expect("\(error.offset)" == rest.trimmed, "\(line): \(error.reason)")
            #expect(!error.tolerated, "\(line)")
            #expect(throws: JSONError.self) { try JSON.parse(text) }
            #expect(JSONDocument(text).problem == error)
            #expect(JSONReader(text).value(at: []) == nil)
            // What is wrong may stand behind the value.
            let extent = JSONExtent.value(at: 0, in: text.readableBytesUInt8Span)
            #expect(extent.map { $0.range.upperBound < text.readableBytes } ?? true, "\(line)")
        }
    }

    @Test func limits() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(JSON.decode(nested(64)).value != nil)
        #expect(JSON.decode(nested(64)) == .value(try JSON.parse(nested(64)), tolerated: false))
        #expect(JSON.decode(nested(65)) == .value(try JSON.parse(nested(65)), tolerated: true))
        #expect(JSON.decode(nested(127)).value != nil)
        #expect(JSON.decode(nested(128)).value != nil)
        for text in [nested(129), nested(100_000)] {
            guard case .malformed(let error) = JSON.decode(text) else {
                Issue.record("too deep and taken")
                continue
            }
            #expect(error.tolerated && error.offset == 128)
        }
        let wide = { (count: Int) in "[" + String(repeating: "0,", count: count - 2) + "0]" }
        #expect(JSON.decode(wide(10), limits: JSONLimits(nodes: 9)).value == nil)
        #expect(JSON.decode(wide(10), limits: JSONLimits(nodes: 10)).value != nil)
        #expect(JSON.decode(wide(10), limits: JSONLimits(nodes: 11)).value != nil)
    }

    /// Flags of open containers are kept 64 in a word.
    @Test func whatIsOpenIsKnownAtEveryDepth() {
        let limits = JSONLimits(depth: 200)
        for depth in [1, 2, 63, 64, 65, 127, 128, 129, 200] {
            for odd in 0..<2 {
                let isObject = (0..<depth).map { ($0 + odd) % 3 == 0 }
                let text = isObject.map { $0 ? #"{"a":"# : "[" }.joined() + "1" + isObject.reversed().map { $0 ? "}" : "]" }.joined()
                #expect(JSON.decode(text, limits: limits).value?.text == text)
                for place in [0, depth / 2, depth - 1] {
                    var bytes = Array(text.utf8)
                    let end = bytes.count - 1 - place
                    bytes[end] = bytes[end] == UInt8(ascii: "}") ? UInt8(ascii: "]") : UInt8(ascii: "}")
                    guard case .malformed(let error) = JSON.decode(ByteBuffer(bytes: bytes), limits: limits) else {
                        Issue.record("the wrong bracket closes number \(place)")
                        continue
                    }
                    #expect(error.offset == end)
                }
            }
        }
    }

    /// Keys are first told apart by their length and last eight bytes.
    @Test(arguments: [
        ("a", "a", true), ("", "", true), ("a", #"\u0061"#, true), ("12345678", "12345678", true), ("12345678", "02345678", false),
        ("connection_id", "connection_id", true), ("connection_id", "xonnection_id", false), ("é", #"\u00e9"#, true),
        ("connection_id", #"c\u006fnnection_id"#, true), ("é", "e\u{301}", false), ("a", #"\u0000a"#, false),
    ])
    func repeatedKeysAreFound(first: String, second: String, isSame: Bool) {
        let few = "{\"\(first)\":1,\"b\":{\"b\":2},\"\(second)\":3}"
        let many = "{" + (0..<20).map { "\"k\($0)\":0," }.joined() + few.dropFirst()
        for text in [few, many] {
            guard case .value(let value, let tolerated) = JSON.decode(text) else {
                Issue.record("\(text)")
                continue
            }
            #expect(tolerated == isSame, "\(text)")
            #expect(JSONDocument(ByteBuffer(string: text)).tolerated == isSame, "\(text)")
            #expect(value.object?.count == (text == few ? 3 : 23))
        }
    }

    @Test func lookups() throws {
        let value = try JSON.parse(#"{"a":1,"b":[true,null,"x"],"a":2,"é":3}"#)
        #expect(value["a"] == 2)
        #expect(value["b"]?[2] == "x" && value["b"]?[-1] == "x" && value["b"]?[-2]?.isNull == true)
        #expect(value["b"]?[3] == nil && value["b"]?[-4] == nil && value["c"] == nil && value["b"]?["a"] == nil)
        // The same letter composed otherwise is another key.
        #expect(value["e\u{301}"] == nil && value["\u{e9}"] == 3)
        #expect(JSON.number("1e2").integer == 100 && JSON.number("1.5").integer == nil)
        #expect(JSON.number("9223372036854775807").integer == Int.max)
        #expect(JSON.number("-9223372036854775808").integer == Int.min)
        #expect(JSON.number("9223372036854775808").integer == nil && JSON.number("1e400").integer == nil)
        #expect(JSON.number("0e99999999999999999999").integer == 0)
    }

    @Test func canonical() throws {
        let same: [[String]] = [
            ["1", "1.0", "1e0", "10e-1", "1.000"], ["0", "-0", "0.0", "0e5"], ["-0.5", "-5e-1", "-0.50"],
            ["1e400", "10e399"], ["1e-30", "0.1e-29"], ["1e99999999999999999999", "1e99999999999999999998"],
            [#"{"b":1,"a":2.0}"#, #"{"a":2,"b":1}"#, #"{"b":7,"a":2,"b":1}"#],
            [#"{"a":[1,{"c":1,"b":2}]}"#, #"{"a":[1.0,{"b":2,"c":1}]}"#],
            [#""\u0041""#, #""A""#],
        ]
        var seen = Set<String>()
        for group in same {
            let texts = Set(try group.map { try JSON.parse($0).canonical })
            #expect(texts.count == 1, "\(group): \(texts)")
            for text in texts {
                #expect(seen.insert(text).inserted, "\(text)")
                #expect(try JSON.parse(text).canonical == text)
            }
        }
        #expect(try JSON.parse("123.456").canonical == "123.456")
        #expect(try JSON.parse("0.00123").canonical == "0.00123")
        #expect(try JSON.parse("-1200").canonical == "-1200")
        #expect(try JSON.parse("[1,2]").canonical != JSON.parse("[2,1]").canonical)
        #expect(try JSON.parse("1").canonical != JSON.parse(#""1""#).canonical)
    }

    /// RFC 8259 section 6: what a program makes of a number that keeps doubles.
    @Test func rounded() throws {
        for (text, wanted) in [
            ("1e-400", "0"), ("-1e-400", "0"), ("1e400", "null"), ("[-1e400,NaN,Infinity]", "[null,null,null]"), ("5e-324", "5e-324"),
            ("9007199254740993", "9007199254740992"), ("0.10000000000000000001", "0.1"), ("12345678", "12345678"),
            ("1e22", "1e22"), (#"{"b":[1.0,"1e400"],"a":0.30000000000000000001}"#, #"{"a":0.3,"b":[1,"1e400"]}"#),
        ] {
            let value = try #require(JSON.decode(ByteBuffer(string: text)).value, "\(text)")
            #expect(value.rounded.canonical == wanted, "\(text)")
        }
    }

    @Test func noiseNeverTraps() {
        var generator = SeededGenerator(5)
        let seed = ByteBuffer(
            string: #"{"type":"a\u00e9\ud83d\ude00","n":[1,-2.5e+3,true,false,null,{}],"k":{"x":"y"}} "#)
        var values = 0
        for _ in 0..<4000 {
            let bytes = generator.mutated(seed)
            let decoded = JSON.decode(bytes)
            let document = JSONDocument(bytes)
            #expect((decoded.value == nil) == (document.problem != nil))
            if let value = decoded.value {
                values += 1
                #expect(document.root.flatMap { document.value(of: $0) } == value)
                #expect(JSON.decode(value.text).value == value)
                let reader = JSONReader(bytes)
                #expect(reader.value(at: ["type"]) == value["type"])
                #expect(reader.value(at: ["k", "x"]) == value["k"]?["x"])
            }
        }
        #expect(values > 200)
    }
}

extension String {
    var trimmed: String { String(drop { $0 == " " }) }
}
