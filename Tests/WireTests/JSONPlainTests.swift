import NIOCore
import Testing

@testable import Wire

/// What is read quickly because it is plain is what is read otherwise.
@Suite struct JSONPlainTests {
    private static let pieces = [
        #""type":"ping""#, #""user_id":"user31""#, #""thread_id":"thread_chat_591_7_0000024f""#, #""a":"""#, #""":"a""#, #""type":"pong""#,
        #""n":1.5"#, #""n":-0"#, #""n":7"#, #""n":0"#, #""n":0.5"#, #""n":1e5"#, #""n":10.25E-1"#,
        #""n":123456789012345678901234567890"#, #""k":null"#,
        #""k":true"#, #""o":{}"#, #""o":[]"#, #""o":{"type":"x"}"#, #""o":[{"a":"b"}]"#,
        #""e":"a\"b\\""#, #""e\u0041":"x""#, #""é":"x""#, #""x":"é😀""#, #""x":"\ud800""#,
        #""key of more than 16":"value of more than 15""#,
        // No JSON.
        #""b":"c"#, #""b""#, #""b":"#, #"b":"c""#, #"'b':"c""#, #""b":"c"d"#,
        #""n":01"#, #""n":1."#, #""n":.5"#, #""n":1.2.3"#, #""n":1]"#, #""n":1a"#, "\"b\":\"\u{1}\"", "",
    ]

    /// One space behind what opens or parts members has the text read member by member; nothing else is changed by it.
    private func slow(_ text: [UInt8]) -> [UInt8] {
        text.flatMap { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: ",") ? [$0, 0x20] : [$0] }
    }

    private func slow(_ decoding: JSON.Decoding, _ text: [UInt8]) -> JSON.Decoding {
        guard case .malformed(var error) = decoding else { return decoding }
        let begun = error.reason.split(separator: " ").last.flatMap { Int($0) }
        let place = { (offset: Int) in slow(Array(text[..<min(offset, text.count)])).count }
        if let begun, error.reason.hasPrefix("the text ends inside the string") {
            error.reason = "the text ends inside the string that begins at \(place(begun))"
        }
        error.offset = place(error.offset)
        return .malformed(error)
    }

    @Test func plainMembersAreReadAlike() {
        var generator = SeededGenerator(41)
        let names = JSONNames(["type", "user_id", "a", "", "thread_id", "key of more than 16", "o"])
        var (good, odd, bad) = (0, 0, 0)
        for round in 0..<600 {
            let pieces = (0..<generator.below(8)).map { _ in Self.pieces[generator.below(Self.pieces.count - (round % 3 == 0 ? 0 : 14))] }
            let text = Array("{\(pieces.joined(separator: ","))}".utf8)
            for count in (round % 10 == 0 ? 0...text.count : text.count...text.count) {
                let cut = Array(text[..<count])
                for nodes in [1_000_000, 1, 3] {
                    let limits = JSONLimits(nodes: nodes)
                    let (read, places) = JSON.decode(ByteBuffer(bytes: cut), limits: limits, names: names)
                    let (same, samePlaces) = JSON.decode(ByteBuffer(bytes: slow(cut)), limits: limits, names: names)
                    #expect(slow(read, cut) == same, "\(String(decoding: cut, as: UTF8.self))")
                    #expect(read == JSON.decode(ByteBuffer(bytes: cut), limits: limits))
                    switch read {
                    case .value(_, let tolerated):
                        if tolerated { odd += 1 } else { good += 1 }
                        #expect((0..<7).allSatisfy { places[$0] == samePlaces[$0] })
                    case .malformed: bad += 1
                    }
                }
            }
        }
        #expect(good > 200 && odd > 50 && bad > 1_000)
    }

    /// Of every length, at every place, and not in one piece with what stands beside it.
    @Test func shortTextsAreCopiedWhole() {
        let bytes = Array("0123456789abcdefghijklmnopqrstuvwxyz\u{e9}\u{1f600}".utf8)
        for start in 0..<20 {
            for end in start...bytes.count {
                let text = JSONText.text(bytes.span, start..<end)
                #expect(Array(text.utf8) == Array(String(decoding: bytes[start..<end], as: UTF8.self).utf8))
            }
        }
    }

    @Test func textsAreTheSameByteForByte() {
        let texts = ["", "a", "b", "user31", "user32", "fifteen bytes..", "sixteen bytes...", "sixteen bytes..!", "é", "e\u{301}"]
        for (one, left) in texts.enumerated() {
            for (other, right) in texts.enumerated() {
                #expect(JSONText.isSame(left, right) == (one == other))
                var copy = right
                copy.reserveCapacity(60)
                #expect(JSONText.isSame(left, copy) == (one == other), "where it stands says nothing")
                #expect(JSONText.isSame(copy, left) == (one == other))
            }
        }
    }
}
