import Contracts
import Testing

@testable import Fuzzing

@Suite struct CorpusDictionaryTests {
    private static let sample = #"""
        # AFL++
        "plain"
        kw_1="a\x20\"b\"\\"
          deep@2 = "\xff\x00"

        "ü"
        """# + "\r\n\"crlf\"\r\n"

    @Test func readsWhatAFLReads() throws {
        let words = try FuzzDictionary.parse(Self.sample.utf8, file: "d").words
        #expect(
            words == [
                .init(bytes: Array("plain".utf8)), .init(name: "kw_1", bytes: Array("a \"b\"\\".utf8)),
                .init(name: "deep", level: 2, bytes: [0xff, 0]), .init(bytes: Array("ü".utf8)),
                .init(bytes: Array("crlf".utf8)),
            ])
        #expect(try FuzzDictionary.parse(Self.sample.utf8, file: "d").texts == ["plain", "a \"b\"\\", "ü", "crlf"])
    }

    @Test func everySplitGivesTheSame() throws {
        let bytes = Array(Self.sample.utf8)
        let whole = try FuzzDictionary.parse(bytes, file: "d")
        for split in bytes.indices {
            var parser = FuzzDictionaryParser(file: "d")
            parser.feed(bytes[..<split])
            parser.feed(bytes[split...])
            #expect(try parser.finish() == whole)
        }
        var parser = FuzzDictionaryParser(file: "d")
        for byte in bytes { parser.feed(CollectionOfOne(byte)) }
        #expect(try parser.finish() == whole)
    }

    @Test(arguments: [
        (#"word"#, "d:1:5"), (#""open"#, "d:1:6"), (#""""#, "d:1:2"), (#""a" b"#, "d:1:5"), (#""\n""#, "d:1:2"),
        (#""\x4""#, "d:1:2"), (#"a@="b""#, "d:1:3"), (#"a=b"#, "d:1:3"), ("\"a\u{1}\"", "d:1:3"), (#"="a""#, "d:1:1"),
        ("\n\n  üü", "d:3:3"), (#"a@99999999999999999999="b""#, "d:1:3"),
    ])
    func errorsNameTheirPlace(text: String, place: String) {
        let error = #expect(throws: ConfigurationErrors.self) { try FuzzDictionary.parse(text.utf8, file: "d") }
        let plain = error?.errors.first?.plain ?? ""
        #expect(plain.hasPrefix(place + ": error: ") && plain.contains("; "), "\(plain)")
    }

    @Test func boundsHoldAtTheirEdges() throws {
        func word(_ length: Int) -> String { "\"" + String(repeating: "x", count: length) + "\"\n" }
        #expect(try FuzzDictionary.parse(word(128).utf8, file: "d").words.count == 1)
        #expect(throws: ConfigurationErrors.self) { try FuzzDictionary.parse(word(129).utf8, file: "d") }
        let many = String(repeating: "\"a\"\n", count: FuzzDictionary.mostWords)
        #expect(try FuzzDictionary.parse(many.utf8, file: "d").words.count == FuzzDictionary.mostWords)
        #expect(throws: ConfigurationErrors.self) { try FuzzDictionary.parse((many + "\"a\"\n").utf8, file: "d") }
        #expect(throws: ConfigurationErrors.self) { try FuzzDictionary.parse(word(10_000).utf8, file: "d") }
        let wrong = #expect(throws: ConfigurationErrors.self) {
            try FuzzDictionary.parse(String(repeating: "?\n", count: 5_000).utf8, file: "d")
        }
        #expect(wrong?.errors.count == 100)
    }

    @Test func aMissingFileIsAnError() {
        #expect(throws: ConfigurationErrors.self) { try FuzzDictionary.load("/nonexistent/dict") }
    }
}
