import NIOCore
import Testing

@testable import Wire

@Suite struct JSONNamesTests {
    private static let names = [
        "", "a", "id", "key", "type", "typf", "user_id", "user_ids", "thread_id", "threadXid", "agent_name_of_16",
        "agent_name_of_17_", "agent_name-of_17_", "agent_name_of_17.", "é", "type",
    ]

    @Test func aNameIsFoundByAllOfIt() {
        let names = JSONNames(Self.names)
        for (number, name) in Self.names.enumerated() where name != "type" {
            #expect(names.number(of: name) == number, "\(name)")
            #expect(names.number(of: name + "x") == nil && names.number(of: "x" + name) == nil, "\(name)")
        }
        #expect(names.number(of: "type") == 4, "of equal names the first counts")
        #expect(names.number(of: "e\u{301}") == nil, "composed otherwise it is another")
        #expect(names.number(of: "agent_nameXof_17_") == nil && names.number(of: "\u{0}") == nil)
        #expect(JSONNames([]).number(of: "") == nil)
        // Not in one piece, or not of Swift's own short form.
        #expect(names.number(of: String("xuser_id".dropFirst())) == 6)
        var long = "user"
        long.reserveCapacity(100)
        #expect(names.number(of: long + "_id") == 6)
    }

    /// Known names change nothing of what is read, and their places are those of the last members that bear them.
    @Test func whatIsReadIsTheSame() {
        var generator = SeededGenerator(17)
        let names = JSONNames(Self.names)
        var repeated = 0
        for _ in 0..<600 {
            let count = generator.below(generator.below(20) == 0 ? 300 : 12)
            let text = "{" + (0..<count).map { _ in member(&generator) }.joined(separator: " ,") + "}"
            let (decoding, places) = JSON.decode(ByteBuffer(string: text), names: names)
            #expect(decoding == JSON.decode(text), "\(text)")
            guard case .value(let value, let tolerated) = decoding, let members = value.object else {
                Issue.record("\(text)")
                continue
            }
            let keys = members.map { Array($0.key.utf8) }
            #expect(tolerated == (Set(keys).count < keys.count), "\(text)")
            if tolerated { repeated += 1 }
            #expect(places.isWhole || members.count > 255)
            guard places.isWhole else { continue }
            for (number, name) in Self.names.dropLast().enumerated() {
                #expect(places[number] == keys.lastIndex(of: Array(name.utf8)), "\(name) in \(text)")
            }
            let found = names.places(in: members)
            #expect(Self.names.indices.allSatisfy { found[$0] == places[$0] })
        }
        #expect(repeated > 20)
    }

    private func member(_ generator: inout SeededGenerator) -> String {
        let name = generator.below(3) == 0 ? "k\(generator.below(1_000))" : Self.names[generator.below(Self.names.count)]
        let key = generator.below(5) == 0 ? name.replacing("e", with: #"\u0065"#) : name
        let value = ["1", "\"x\"", #"{"type":1,"a":{"id":2}}"#, "[{\"key\":3},4]", "null", "{}", "[]"][generator.below(7)]
        return "\"\(key)\":\(value)"
    }

    @Test func placesEndWhereTheyCannotBeTold() {
        let names = JSONNames((0..<40).map { "n\($0)" })
        let few = (0..<40).map { "\"n\($0)\":\($0)" }.joined(separator: ",")
        let places = JSON.decode(ByteBuffer(string: "{\(few)}"), names: names).places
        #expect(places.isWhole && (0..<JSONPlaces.mostNames).allSatisfy { places[$0] == $0 })
        let many = (0..<300).map { "\"m\($0)\":0" }.joined(separator: ",")
        #expect(JSON.decode(ByteBuffer(string: "{\(many)}"), names: names).places.isWhole, "nobody asks for these")
        #expect(!JSON.decode(ByteBuffer(string: "{\(many),\"n1\":1}"), names: names).places.isWhole)
        #expect(JSON.decode(ByteBuffer(string: "[{\(few)}]"), names: names).places[3] == nil)
        var set = JSONPlaces()
        for round in 0..<3 {
            for number in 0..<40 { set.set(number, to: (7 * number + 101 * round) % 255) }
            #expect((0..<JSONPlaces.mostNames).allSatisfy { set[$0] == (7 * $0 + 101 * round) % 255 }, "the last one counts")
        }
    }

    /// As much as fits, and a byte more or less: whatever stands where it is full.
    @Test(arguments: [":", ","]) func shortTextEndsWhereItIsFull(between: String) {
        var (short, long) = (0, 0)
        for before in 960...1_030 {
            for word in 0...16 {
                let text = "\"" + String(repeating: "x", count: before) + "\\\"" + between + "\\\"" + String(repeating: "y", count: word)
                    + "\\\"" + between + "\\\"and so on\\\"\""
                let bytes = Array((text + ",\"msg\":1}").utf8)
                if let found = JSONText.shortText(bytes.span, at: 0) {
                    short += 1
                    let plain = JSONText.decodeBytes(bytes.span, 0..<text.utf8.count)
                    #expect(found.text == plain && found.end == text.utf8.count && plain.readableBytes <= 1_024)
                } else {
                    long += 1
                }
            }
        }
        #expect(short > 100 && long > 100)
    }

    /// What is read at one go is what reading in two steps says.
    @Test func shortTextIsTheSameText() {
        var generator = SeededGenerator(23)
        let parts = ["\\\"", "\\\\", "\\/", "\\n", "\\r", "\\t", "\\b", "\\f", "a", "word ", ":", ",", "{", "\u{7f}", "user_id_of_nobody"]
        let odd = ["\\u0041", "é", "\u{1}", "\\x", "\"", "\\"]
        var (plain, others) = (0, 0)
        for round in 0..<3_000 {
            var text = "\""
            let count = generator.below(round % 50 == 0 ? 400 : 24)
            for _ in 0..<count { text += parts[generator.below(parts.count)] }
            if generator.below(4) == 0 { text += odd[generator.below(odd.count)] + parts[generator.below(parts.count)] }
            text += "\"" + String(repeating: ",", count: generator.below(12))
            if generator.below(8) == 0 { text.removeLast() }
            let bytes = Array((String(repeating: " ", count: generator.below(9)) + text).utf8)
            let start = bytes.firstIndex(of: UInt8(ascii: "\"")) ?? 0
            let extent = JSONExtent.value(at: start, in: bytes.span)
            if let (short, end) = JSONText.shortText(bytes.span, at: start) {
                plain += 1
                #expect(extent?.range == start..<end, "\(text)")
                #expect(extent.map { JSONText.decodeBytes(bytes.span, $0.range) } == short, "\(text)")
            } else {
                others += 1
                let isOdd = text.utf8.contains { $0 >= 0x80 } || text.contains(#"\u"#)
                #expect(extent == nil || isOdd || text.utf8.count > 900, "\(text)")
            }
        }
        #expect(plain > 1_500 && others > 200)
        let bytes: [UInt8] = [0x31, 0x22]
        let isNone = (-1...2).allSatisfy { JSONText.shortText(bytes.span, at: $0) == nil }
        #expect(isNone)
    }
}
